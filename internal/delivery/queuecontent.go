// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"container/list"
	"context"
	"sync"

	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/upstream"
	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

// queueContent counts for the status extension what the queue holds: exporterhelper does not tell.
// Events that are being sent, or wait for another attempt, are in the queue. Its methods are safe for
// concurrent use; they count nothing until it is tracked.
type queueContent struct {
	// tracked is set before the queue starts. capacity and sizer are those of the queue.
	tracked  bool
	capacity int64
	sizer    string
	durable  bool

	mu sync.Mutex
	// arrivals are the *batch.Arrival of the requests in the queue, oldest first. Of a queue on disk,
	// those that this process has stored.
	arrivals list.List
	places   map[*batch.Arrival]*list.Element
	// held counts what the queue holds: here for one in memory, and in changed as one on disk reports it.
	held upstream.QueueState
	// stored are the arrivals of requests on disk, by their keys.
	stored map[uint64]*batch.Arrival
}

// track begins the tracking, before the queue starts.
func (q *queueContent) track(cfg *exporterhelper.QueueBatchConfig, durable bool) {
	q.tracked, q.durable, q.capacity, q.sizer = true, durable, cfg.QueueSize, cfg.Sizer.String()
}

// content returns what the queue holds.
func (q *queueContent) content() statusfeed.Queue {
	q.mu.Lock()
	defer q.mu.Unlock()
	content := statusfeed.Queue{Events: q.held.Events, Bytes: q.held.Bytes, Capacity: q.capacity, Sizer: q.sizer}
	switch q.sizer {
	case "bytes":
		content.Size = q.held.Bytes
	case "items":
		content.Size = q.held.Events
	default:
		content.Size = q.held.Requests
	}
	// If the queue holds more requests, an earlier process has accepted the oldest one.
	if oldest := q.arrivals.Front(); oldest != nil && q.held.Requests <= int64(q.arrivals.Len()) {
		content.Oldest = oldest.Value.(*batch.Arrival).At
	}
	return content
}

// offered notes that a queue in memory is about to take a batch.
func (q *queueContent) offered(b *batch.Batch) {
	if q.tracked && !q.durable {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.add(b)
	}
}

// left notes that a batch has left a queue in memory, but for its pending events, which may be nil.
func (q *queueContent) left(b, pending *batch.Batch) {
	if q.tracked && !q.durable {
		q.mu.Lock()
		defer q.mu.Unlock()
		if pending != nil {
			q.add(pending)
		}
		q.remove(b)
	}
}

func (q *queueContent) add(b *batch.Batch) {
	q.held.Events += int64(b.Count())
	q.held.Bytes += int64(b.Size())
	for arrival, events := range b.Arrivals() {
		if arrival.Left == 0 {
			q.arrive(arrival)
		}
		arrival.Left += events
	}
	q.held.Requests = int64(q.arrivals.Len())
}

func (q *queueContent) remove(b *batch.Batch) {
	q.held.Events -= int64(b.Count())
	q.held.Bytes -= int64(b.Size())
	for arrival, events := range b.Arrivals() {
		if arrival.Left -= events; arrival.Left == 0 {
			q.leave(arrival)
		}
	}
	q.held.Requests = int64(q.arrivals.Len())
}

func (q *queueContent) arrive(arrival *batch.Arrival) {
	if q.places == nil {
		q.places = map[*batch.Arrival]*list.Element{}
	}
	q.places[arrival] = q.arrivals.PushBack(arrival)
}

func (q *queueContent) leave(arrival *batch.Arrival) {
	if place, ok := q.places[arrival]; ok {
		q.arrivals.Remove(place)
		delete(q.places, arrival)
	}
}

// changed notes what a queue on disk has stored and deleted.
func (q *queueContent) changed(ctx context.Context, change upstream.QueueChange) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if change.State != nil {
		q.held = *change.State
	}
	if r, ok := offered(ctx); ok {
		for _, key := range change.Stored {
			q.store(key, r.Batch)
		}
	}
	for _, key := range change.Deleted {
		q.leave(q.stored[key])
		delete(q.stored, key)
	}
}

// store remembers the arrival of a request on disk, which is one batch.
func (q *queueContent) store(key uint64, b *batch.Batch) {
	if q.stored == nil {
		q.stored = map[uint64]*batch.Arrival{}
	}
	for arrival := range b.Arrivals() {
		q.stored[key] = arrival
		q.arrive(arrival)
	}
}

// arrivalOf returns the arrival of a request on disk; nil if an earlier process accepted it.
func (q *queueContent) arrivalOf(key uint64) *batch.Arrival {
	if !q.tracked {
		return nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.stored[key]
}
