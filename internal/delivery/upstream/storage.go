// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/otelcol-fanout/otelcol-fanout/internal/queuefile"
)

// QueueStorage extends the storage of exporterhelper's persistent queue, and receives what the queue
// loses silently when its storage fails, for example because the disk is full.
type QueueStorage struct {
	// Open returns the client that the queue uses instead of the storage's own.
	Open func(storage.Client) storage.Client
	// SetAside says that a damaged file is set aside, and not an error. Aside is then called with its
	// new path.
	SetAside bool
	Aside    func(damaged *queuefile.DamagedError, path string)
	// Lost is called when a stored request cannot be read, and is deleted.
	Lost func(err error)
	// NotStored is called when a request could not be stored. ctx is that of the call that offered
	// it; a request of an earlier run has no such call, and only its bytes are known. If the request
	// is settled, the error is kept from the queue.
	NotStored func(ctx context.Context, stored []byte, err error) (settled bool)
	// Changed is called after the queue has changed what it holds; nil if nobody wants to know. ctx is
	// that of the call that offered a stored request.
	Changed func(ctx context.Context, change QueueChange)
}

// WithQueueStorage returns the host with its storage extension id wrapped.
//
// It relies on how the queue uses its storage (exporterhelper/internal/queue/persistent_queue.go):
// the key of a request is its number, the keys of the queue's own state are names; a request is
// stored, taken out or deleted in one Batch together with that state (queuestate.go); requests that an earlier run was
// sending are read in one Batch of Gets. A queue that returns such errors would replace it.
func WithQueueStorage(host component.Host, id component.ID, queue QueueStorage) component.Host {
	return storageHost{host, id, queue}
}

type storageHost struct {
	component.Host

	id    component.ID
	queue QueueStorage
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

// GetClient implements storage.Extension. Errors name the queue, and say what to do.
func (s queueStorage) GetClient(ctx context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error) {
	client, err := s.open(ctx, kind, id, name)
	if err == nil {
		return queueClient{s.host.queue.Open(client), s.host.queue}, nil
	}
	remedy := "if it is damaged, move it away from there"
	if _, damaged := errors.AsType[*queuefile.DamagedError](err); damaged {
		remedy = "move it away from there, or set on_queue_damage: set_aside to start with a new queue"
	} else if _, inUse := errors.AsType[*queuefile.InUseError](err); inUse {
		remedy = "stop that collector, or give each its own directory"
	}
	return nil, fmt.Errorf("sending_queue::storage: opening the queue of %s for %s in %s: %w; %s", id, name, s.host.id, err, remedy)
}

// open opens the client of the storage, and sets a damaged file aside if that is wanted.
func (s queueStorage) open(ctx context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error) {
	checked, ok := s.Extension.(queuefile.Storage)
	if !ok {
		return s.Extension.GetClient(ctx, kind, id, name)
	}
	client, err := checked.GetChecked(ctx, kind, id, name)
	damaged, ok := errors.AsType[*queuefile.DamagedError](err)
	if !ok || !s.host.queue.SetAside && !damaged.Recreate {
		return client, err
	}
	path, err := queuefile.SetAside(damaged.File, time.Now())
	if err != nil {
		return nil, fmt.Errorf("%w, and cannot be set aside: %w", damaged, err)
	}
	s.host.queue.Aside(damaged, path)
	return checked.GetChecked(ctx, kind, id, name)
}

type queueClient struct {
	storage.Client

	queue QueueStorage
}

// Get implements storage.Client. The queue reads its state alone, when it starts.
func (c queueClient) Get(ctx context.Context, key string) ([]byte, error) {
	value, err := c.Client.Get(ctx, key)
	if state, ok := parseState(key, value); ok && err == nil && c.queue.Changed != nil {
		c.queue.Changed(ctx, QueueChange{State: &state})
	}
	return value, err
}

// Batch implements storage.Client.
func (c queueClient) Batch(ctx context.Context, ops ...*storage.Operation) error {
	err := c.Client.Batch(ctx, ops...)
	if c.queue.Changed != nil {
		c.queue.Changed(ctx, changeOf(ops, err))
	}
	if err == nil {
		return nil
	}
	reads := readsOf(ops)
	switch len(reads) {
	case 0:
		// After a failed write the queue still counts the request as queued, but wakes no consumer:
		// a queue full of such requests would stay full. Without an error it reads the missing
		// request, and goes on.
		if c.settleNotStored(ctx, ops, err) {
			return nil
		}
	case len(ops):
		// At start the queue deletes the requests that an earlier run was sending, even those that
		// it could not read.
		for _, op := range reads {
			if isRequestKey(op.Key) {
				c.queue.Lost(err)
			}
		}
	default:
		// The queue reads a request and writes its state in one Batch. If only the write fails, as on
		// a full disk, the queue would delete the request unsent, so it is read alone. After a
		// crash it is then sent again.
		if c.Client.Batch(ctx, reads...) == nil {
			return nil
		}
		c.queue.Lost(err)
	}
	return err
}

// settleNotStored passes a request that was not stored to NotStored, and reports whether it is
// settled.
func (c queueClient) settleNotStored(ctx context.Context, ops []*storage.Operation, err error) bool {
	for _, op := range ops {
		if op.Type == storage.Set && isRequestKey(op.Key) && c.queue.NotStored(ctx, op.Value, err) {
			return true
		}
	}
	return false
}

// isRequestKey reports whether the key is that of a request, a number.
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
