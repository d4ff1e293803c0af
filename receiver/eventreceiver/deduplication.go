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

// digest stands for an id. It is seeded anew in each process, so that nobody can make two ids that have the same.
type digest = xxh3.Uint128

// deduplicator remembers what was accepted.
type deduplicator struct {
	window time.Duration
	most   int
	seed   uint64
	now    func() time.Time

	mu      sync.Mutex
	entries map[digest]entry
	// accepted are the entries that are not under way, the oldest first.
	accepted queue
}

// entry is an id that was accepted, or is in a request under way.
type entry struct {
	// claim is whose it is while it is under way, else nil.
	claim *claim
	// body stands for what was sent with an idempotency key.
	body digest
}

func newDeduplicator(cfg DeduplicationConfig) *deduplicator {
	if cfg.Window == 0 {
		return nil
	}
	return &deduplicator{window: cfg.Window, most: cfg.MaxIDs, seed: rand.Uint64(), now: time.Now, entries: map[digest]entry{}}
}

// digest is that of an id, which means something within its scope only.
func (d *deduplicator) digest(kind byte, scope, id string) digest {
	text := make([]byte, 0, len(scope)+len(id)+2)
	text = append(append(append(text, kind), scope...), 0)
	return xxh3.Hash128Seed(append(text, id...), d.seed)
}

// claimed is an id that a request has.
type claimed struct{ id, body digest }

// claim is a request's hold on its ids: until it is settled, other requests that have one of them wait.
type claim struct {
	of   *deduplicator
	held []claimed
	done chan struct{}
	// seen tells of each id whether it was accepted before, or stands in the request before.
	seen []bool
	// before are the bodies of those that were accepted before.
	before []digest
}

// claim waits until no other request holds one of the ids, and then holds those that are new. It holds all or none, so
// that no two requests wait for each other. It fails when the context ends.
func (d *deduplicator) claim(ctx context.Context, ids []claimed) (*claim, error) {
	c := &claim{of: d, done: make(chan struct{}), seen: make([]bool, len(ids)), before: make([]digest, len(ids))}
	for {
		holder := d.try(c, ids)
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

// try is claim without the waiting: it returns who holds an id.
func (d *deduplicator) try(c *claim, ids []claimed) *claim {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.forget()
	for i := range ids {
		if e, ok := d.entries[ids[i].id]; ok && e.claim != nil {
			return e.claim
		}
	}
	for i := range ids {
		e, ok := d.entries[ids[i].id]
		c.seen[i], c.before[i] = ok, e.body
		if !ok {
			d.entries[ids[i].id] = entry{claim: c, body: ids[i].body}
			c.held = append(c.held, ids[i])
		}
	}
	return nil
}

// settle ends the claim. What was accepted is known from now on; what was not may be sent again.
func (c *claim) settle(accepted bool) {
	d := c.of
	d.mu.Lock()
	defer d.mu.Unlock()
	expires := d.now().Add(d.window)
	for _, held := range c.held {
		if !accepted {
			delete(d.entries, held.id)
			continue
		}
		d.entries[held.id] = entry{body: held.body}
		d.accepted.push(item{held.id, expires})
	}
	d.forget()
	close(c.done)
}

// forget lets go of what is too old or too much.
func (d *deduplicator) forget() {
	now := d.now()
	for d.accepted.len() > 0 && (d.accepted.len() > d.most || !now.Before(d.accepted.first().expires)) {
		delete(d.entries, d.accepted.pop().id)
	}
}

// item is an id that is forgotten in time.
type item struct {
	id      digest
	expires time.Time
}

// queue gives items in the order in which it got them.
type queue struct {
	items []item
	begin int
}

func (q *queue) len() int     { return len(q.items) - q.begin }
func (q *queue) first() *item { return &q.items[q.begin] }
func (q *queue) push(i item)  { q.items = append(q.items, i) }

func (q *queue) pop() item {
	i := q.items[q.begin]
	q.begin++
	if q.begin > len(q.items)/2 {
		q.items = q.items[:copy(q.items, q.items[q.begin:])]
		q.begin = 0
	}
	return i
}
