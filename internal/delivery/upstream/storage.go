// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"context"
	"fmt"
	"maps"
	"strconv"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// StorageFailures is told what exporterhelper's persistent queue loses without a word when its
// storage fails, as on a full disk.
type StorageFailures struct {
	// Lost is called when a stored request cannot be read, and is deleted.
	Lost func(err error)
	// NotStored is called when a request could not be stored. ctx is that of the caller who offered
	// it; a request that an earlier run left is offered by nobody, and known by its bytes alone. It
	// reports whether the request is settled, so that the queue need not hear of the error.
	NotStored func(ctx context.Context, stored []byte, err error) (settled bool)
}

// WithStorageFailures returns the host with a storage extension, which has to be there, that tells
// of failures of the queue.
//
// It relies on the queue's way with its storage
// (exporterhelper/internal/queue/persistent_queue.go): requests are kept under their number and
// notes under names; a request is stored, or taken out, together with the notes in one Batch; those
// that an earlier run was sending are read in one Batch of Gets. A persistent queue that returns
// such errors, or an encoding that is told of them, would replace it.
func WithStorageFailures(host component.Host, id component.ID, failures StorageFailures) component.Host {
	return storageHost{host, id, failures}
}

type storageHost struct {
	component.Host

	id       component.ID
	failures StorageFailures
}

// GetExtensions implements component.Host.
func (h storageHost) GetExtensions() map[component.ID]component.Component {
	all := maps.Clone(h.Host.GetExtensions())
	if extension, ok := all[h.id].(storage.Extension); ok {
		all[h.id] = queueStorage{extension, h}
	}
	return all
}

type queueStorage struct {
	storage.Extension

	host storageHost
}

// GetClient implements storage.Extension.
func (s queueStorage) GetClient(ctx context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error) {
	client, err := s.Extension.GetClient(ctx, kind, id, name)
	if err != nil {
		return nil, fmt.Errorf("sending_queue::storage: opening the queue of %s for %s in %s: %w; if it is damaged, move it away from there", id, name, s.host.id, err)
	}
	return queueClient{client, s.host.failures}, nil
}

type queueClient struct {
	storage.Client

	failures StorageFailures
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
		// After a failed write the queue counts the request as queued all the same, but wakes no
		// consumer: once it is full of such requests it stays so. Without an error it reads the
		// empty slot, and goes on.
		if c.settleNotStored(ctx, ops, err) {
			return nil
		}
	case len(ops):
		// The queue deletes what an earlier run was sending, whether it could read it at the start
		// or not.
		for _, op := range reads {
			if isRequestKey(op.Key) {
				c.failures.Lost(err)
			}
		}
	default:
		// The queue takes out a request and notes that at once. A request for which it cannot note
		// it would be deleted, though a full disk can still be read. Without the note the request
		// is sent again after a crash.
		if c.Client.Batch(ctx, reads...) == nil {
			return nil
		}
		c.failures.Lost(err)
	}
	return err
}

// settleNotStored reports whether a request was to be stored, and is settled.
func (c queueClient) settleNotStored(ctx context.Context, ops []*storage.Operation, err error) bool {
	for _, op := range ops {
		if op.Type == storage.Set && isRequestKey(op.Key) && c.failures.NotStored(ctx, op.Value, err) {
			return true
		}
	}
	return false
}

// isRequestKey reports whether the queue keeps a request under the key: its number. Its notes have
// names.
func isRequestKey(key string) bool {
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
