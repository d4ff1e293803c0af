// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"fmt"
	"maps"
	"strconv"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

// reasonTorn: a batch in the storage of the queue could not be read. Nobody knows how many events it held.
const reasonTorn deadletter.Reason = "torn"

// queueHost is a host in which the storage extension of the queue gives out a [queueClient].
type queueHost struct {
	component.Host

	d  *deliverer
	id component.ID
}

// GetExtensions implements component.Host.
func (h queueHost) GetExtensions() map[component.ID]component.Component {
	all := maps.Clone(h.Host.GetExtensions())
	all[h.id] = queueStorage{all[h.id].(storage.Extension), h} // checkStorage has looked
	return all
}

type queueStorage struct {
	storage.Extension

	host queueHost
}

// GetClient implements storage.Extension.
func (s queueStorage) GetClient(ctx context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error) {
	client, err := s.Extension.GetClient(ctx, kind, id, name)
	if err != nil {
		return nil, fmt.Errorf("sending_queue::storage: opening the queue of %s for %s in %s: %w; if it is damaged, move it away from there", id, name, s.host.id, err)
	}
	return queueClient{client, s.host.d}, nil
}

// queueClient keeps exporterhelper's queue from losing batches without a word when the storage fails, as on a full disk.
type queueClient struct {
	storage.Client

	d *deliverer
}

// Batch implements storage.Client.
func (c queueClient) Batch(ctx context.Context, ops ...*storage.Operation) error {
	err := c.Client.Batch(ctx, ops...)
	if err == nil {
		return nil
	}
	reads := readsOf(ops)
	switch len(reads) {
	case 0:
		// A queue that is told that it could not store a batch counts it as queued all the same, but wakes nobody to take it out: once it
		// is full of such batches it stays so. One that is told otherwise finds nothing there, and goes on.
		if c.unstored(ctx, ops, err) {
			return nil
		}
	case len(ops):
		// The queue deletes what an earlier run was sending, whether it could read it at the start or not.
		for _, op := range reads {
			if isBatchKey(op.Key) {
				c.d.torn(err)
			}
		}
	default:
		// The queue takes out a batch and notes that at once. A batch for which it cannot note it would be deleted, though a full disk can
		// still be read. Without the note the batch is sent again after a crash.
		if c.Client.Batch(ctx, reads...) == nil {
			return nil
		}
		c.d.torn(err)
	}
	return err
}

// isBatchKey reports whether the queue keeps a batch there: its number. Its notes have names.
func isBatchKey(key string) bool {
	_, err := strconv.ParseUint(key, 10, 64)
	return err == nil
}

func readsOf(ops []*storage.Operation) (reads []*storage.Operation) {
	for _, op := range ops {
		if op.Type == storage.Get {
			reads = append(reads, op)
		}
	}
	return reads
}

// unstored reports whether it was a batch that could not be stored. Who offered it settles it. One that nobody offers was left by an
// earlier run, and is put at the queue's end when it starts.
func (c queueClient) unstored(ctx context.Context, ops []*storage.Operation, err error) bool {
	if b, ok := ctx.Value(batchKey{}).(*batch); ok {
		b.unstored = err
		return true
	}
	for _, op := range ops {
		if op.Type != storage.Set {
			continue
		}
		if b, notBatch := unmarshalBatch(op.Value); notBatch == nil { // the other values are the queue's notes
			c.d.shed(b, err)
			return true
		}
	}
	return false
}
