// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventreceiver

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/zeebo/xxh3"
)

// digest is a hash of an id. It is seeded per process, so that nobody can construct collisions.
type digest = xxh3.Uint128

// deduplicator remembers accepted ids.
type deduplicator struct {
	window time.Duration
	maxIDs int
	seed   uint64
	now    func() time.Time

	mu      sync.Mutex
	entries map[digest]entry
	// accepted holds the entries that are not in progress, oldest first.
	accepted queue
}

// entry is an id that was accepted, or is in progress.
type entry struct {
	// claim is the request in progress, nil once accepted.
	claim *claim
	// body is the digest of the body sent with an idempotency key.
	body digest
}

func newDeduplicator(cfg DeduplicationConfig) *deduplicator {
	if cfg.Window == 0 {
		return nil
	}
	return &deduplicator{window: cfg.Window, maxIDs: cfg.MaxIDs, seed: rand.Uint64(), now: time.Now, entries: map[digest]entry{}}
}

// digest returns the digest of an id. Equal ids in different scopes have different digests.
func (d *deduplicator) digest(kind byte, scope, id string) digest {
	text := make([]byte, 0, len(scope)+len(id)+2)
	text = append(append(append(text, kind), scope...), 0)
	return xxh3.Hash128Seed(append(text, id...), d.seed)
}

// dedupID is an id of a request: an event's, or its idempotency key with the digest of its body.
type dedupID struct{ id, body digest }

// claim is a request's hold on its ids: other requests with one of them wait until it is settled.
type claim struct {
	dedup   *deduplicator
	claimed []dedupID
	done    chan struct{}
	// duplicate reports for each id whether it was accepted before, or occurs earlier in the
	// request.
	duplicate []bool
	// acceptedBodies are the body digests of ids that were accepted before.
	acceptedBodies []digest
}

// claim waits until no other request holds one of the ids, and then claims the new ones. It claims
// all or none, so that requests cannot deadlock. It returns ctx's error when ctx ends.
func (d *deduplicator) claim(ctx context.Context, ids []dedupID) (*claim, error) {
	c := &claim{dedup: d, done: make(chan struct{}), duplicate: make([]bool, len(ids)), acceptedBodies: make([]digest, len(ids))}
	for {
		holder := d.tryClaim(c, ids)
		if holder == nil {
			return c, nil
		}
		select {
		case <-holder.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// tryClaim claims the ids without waiting, or returns the claim that holds one of them.
func (d *deduplicator) tryClaim(c *claim, ids []dedupID) *claim {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.evict()
	for i := range ids {
		if e, ok := d.entries[ids[i].id]; ok && e.claim != nil {
			return e.claim
		}
	}
	for i := range ids {
		e, ok := d.entries[ids[i].id]
		c.duplicate[i], c.acceptedBodies[i] = ok, e.body
		if !ok {
			d.entries[ids[i].id] = entry{claim: c, body: ids[i].body}
			c.claimed = append(c.claimed, ids[i])
		}
	}
	return nil
}

// settle ends the claim. Accepted ids are remembered; others may be sent again.
func (c *claim) settle(accepted bool) {
	d := c.dedup
	d.mu.Lock()
	defer d.mu.Unlock()
	expires := d.now().Add(d.window)
	for _, id := range c.claimed {
		if !accepted {
			delete(d.entries, id.id)
			continue
		}
		d.entries[id.id] = entry{body: id.body}
		d.accepted.push(expiry{id.id, expires})
	}
	d.evict()
	close(c.done)
}

// evict removes entries that are too old or too many.
func (d *deduplicator) evict() {
	now := d.now()
	for d.accepted.len() > 0 && (d.accepted.len() > d.maxIDs || !now.Before(d.accepted.first().expires)) {
		delete(d.entries, d.accepted.pop().id)
	}
}

// expiry says when an id is forgotten.
type expiry struct {
	id      digest
	expires time.Time
}

// queue is a FIFO queue.
type queue struct {
	items []expiry
	begin int
}

func (q *queue) len() int       { return len(q.items) - q.begin }
func (q *queue) first() *expiry { return &q.items[q.begin] }
func (q *queue) push(e expiry)  { q.items = append(q.items, e) }

func (q *queue) pop() expiry {
	i := q.items[q.begin]
	q.begin++
	if q.begin > len(q.items)/2 {
		q.items = q.items[:copy(q.items, q.items[q.begin:])]
		q.begin = 0
	}
	return i
}
