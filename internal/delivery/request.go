// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"errors"
	"math"
	"time"

	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exporterhelper/xexporterhelper"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// batch is encoded events on their way through exporterhelper: its request.
type batch struct {
	parts []part
	// count is how many events are in the parts, and size how many bytes.
	count, size int

	// attempts and firstAttempt are of the events since they left the queue.
	attempts     int
	firstAttempt time.Time
	// account is of the call that waits for the batch; nil where none does.
	account *account
	// turns is of a backend that is ordered, else nil. Such a batch is never split: exporterhelper may send the last of the
	// parts before others.
	turns *turns
	// unstored is why the queue's storage did not take the batch; nil where it did.
	unstored error
}

// account tells how many events a call brought, and how many of them have an end that is not the caller's concern.
type account struct{ events, settled int }

var (
	_ xexporterhelper.Request             = (*batch)(nil)
	_ xexporterhelper.RequestErrorHandler = (*batch)(nil)
)

func newBatch(p part) *batch {
	b := &batch{}
	b.add(p)
	return b
}

func (b *batch) add(p part) {
	b.parts = append(b.parts, p)
	b.count += p.count
	b.size += len(p.buf)
}

// ItemsCount implements xexporterhelper.Request.
func (b *batch) ItemsCount() int { return b.count }

// BytesSize implements xexporterhelper.Request.
func (b *batch) BytesSize() int { return b.size }

// release lets the memory of the events be used again. Nobody may hold a view of it.
func (b *batch) release() {
	for i := range b.parts {
		b.parts[i].memory.release()
		b.parts[i].memory = nil
	}
}

// MergeSplit implements xexporterhelper.Request: the events of both in requests of up to limit items or bytes, where 0
// is no limit. No event is copied. One that is larger than the limit is a request of its own.
func (b *batch) MergeSplit(_ context.Context, limit int, sizer exporterhelper.RequestSizerType, other xexporterhelper.Request) ([]xexporterhelper.Request, error) {
	if other != nil {
		for _, p := range other.(*batch).parts {
			b.add(p)
		}
	} else if b.turns != nil {
		b.turns.wait()
	}
	maxEvents, maxBytes := math.MaxInt, math.MaxInt
	if limit > 0 && sizer == exporterhelper.RequestSizerTypeBytes {
		maxBytes = limit
	} else if limit > 0 {
		maxEvents = limit
	}
	if b.turns != nil || b.count <= maxEvents && b.size <= maxBytes {
		return []xexporterhelper.Request{b}, nil
	}
	return b.split(maxEvents, maxBytes), nil
}

// split is the events in batches within the limits.
func (b *batch) split(maxEvents, maxBytes int) []xexporterhelper.Request {
	var requests []xexporterhelper.Request
	current := &batch{}
	for _, p := range b.parts {
		for p.count > 0 {
			if current.count > 0 && (current.count >= maxEvents || current.size >= maxBytes) {
				requests = append(requests, current)
				current = &batch{}
			}
			head, tail := p.split(maxEvents-current.count, maxBytes-current.size)
			if current.count > 0 && current.size+len(head.buf) > maxBytes { // the one event that split always takes
				requests = append(requests, current)
				current = &batch{}
				continue
			}
			current.add(head)
			if tail.count > 0 {
				tail.memory.hold()
			}
			p = tail
		}
	}
	return append(requests, current)
}

// OnError implements xexporterhelper.RequestErrorHandler: what is sent again is what is owed.
func (b *batch) OnError(err error) xexporterhelper.Request {
	if owed, ok := errors.AsType[*owedError](err); ok {
		return owed.batch
	}
	return b
}

// owedError is a failed attempt, with the events that were not delivered by it.
type owedError struct {
	err   error
	batch *batch
	// wait is how long to wait at least; 0 where nobody says.
	wait time.Duration
}

func (e *owedError) Error() string { return e.err.Error() }
func (e *owedError) Unwrap() error { return e.err }

// encoding is how batches are written to disk: a version, and the packed events.
type encoding struct {
	torn  func(error)
	turns *turns // those of the batches
}

const encodingVersion = 1

// Marshal implements the Encoding of xexporterhelper.QueueBatchSettings.
func (encoding) Marshal(_ context.Context, req xexporterhelper.Request) ([]byte, error) {
	b := req.(*batch)
	out := make([]byte, 1, 1+b.BytesSize())
	out[0] = encodingVersion
	for _, p := range b.parts {
		out = append(out, p.buf...)
	}
	return out, nil
}

// Unmarshal implements the Encoding of xexporterhelper.QueueBatchSettings. The queue forgets silently what it cannot
// read, so torn is told. It also reads, as nothing, batches that it could not store: they have had their end then.
func (e encoding) Unmarshal(data []byte) (context.Context, xexporterhelper.Request, error) {
	b, err := unmarshalBatch(data)
	if err != nil {
		if len(data) > 0 {
			e.torn(err)
		}
		return context.Background(), nil, err
	}
	b.turns = e.turns
	return context.Background(), b, nil
}

func unmarshalBatch(data []byte) (*batch, error) {
	if len(data) == 0 || data[0] != encodingVersion {
		return nil, errTorn
	}
	p := part{buf: data[1:]}
	for _, err := range unpack(p.buf) {
		if err != nil {
			return nil, err
		}
		p.count++
	}
	return newBatch(p), nil
}

// batchKey is the context's key for the batch that a call of ConsumeLogs brings: it is encoded before exporterhelper
// sees it, so that it is still there when exporterhelper has no room for it.
type batchKey struct{}

func withBatch(ctx context.Context, b *batch) context.Context {
	return context.WithValue(ctx, batchKey{}, b)
}

func convert[T any](ctx context.Context, _ T) (xexporterhelper.Request, error) {
	return ctx.Value(batchKey{}).(*batch), nil
}

// newLogsHelper returns exporterhelper's chain of queue, batcher and retry in front of d.push.
func newLogsHelper(ctx context.Context, set exporter.Settings, d *deliverer) (*chain, error) {
	helper, err := xexporterhelper.NewLogsRequest(ctx, set, convert[plog.Logs], d.pushRequest, d.helperOptions()...)
	if err != nil {
		return nil, err
	}
	return &chain{deliverer: d, helper: helper, offer: func(ctx context.Context) error {
		return helper.ConsumeLogs(ctx, plog.NewLogs())
	}}, nil
}

// newTracesHelper is newLogsHelper for traces.
func newTracesHelper(ctx context.Context, set exporter.Settings, d *deliverer) (*chain, error) {
	helper, err := xexporterhelper.NewTracesRequest(ctx, set, convert[ptrace.Traces], d.pushRequest, d.helperOptions()...)
	if err != nil {
		return nil, err
	}
	return &chain{deliverer: d, helper: helper, offer: func(ctx context.Context) error {
		return helper.ConsumeTraces(ctx, ptrace.NewTraces())
	}}, nil
}

func (d *deliverer) pushRequest(ctx context.Context, req xexporterhelper.Request) error {
	if d.schedule.isSet() && !d.async {
		return d.pushScheduled(ctx, req.(*batch))
	}
	return d.push(ctx, req.(*batch))
}

func (d *deliverer) helperOptions() []exporterhelper.Option {
	retry := d.cfg.RetryConfig
	options := []exporterhelper.Option{
		// The HTTP client's timeout is the limit of an attempt.
		exporterhelper.WithTimeout(exporterhelper.TimeoutConfig{Timeout: 0}),
	}
	if d.async {
		// When to give up is ours to say, so that what is given up becomes dead letters. And only exporterhelper's retry
		// knows how to tell a durable queue to keep an event, so it is on even where nothing is retried.
		retry.Enabled, retry.MaxElapsedTime = true, 0
		options = append(options, xexporterhelper.WithQueueBatch(d.cfg.QueueConfig, xexporterhelper.QueueBatchSettings{
			Encoding: encoding{torn: d.torn, turns: d.turns},
		}))
	}
	if d.schedule.isSet() {
		retry = withoutWaits(retry, d.async)
	}
	return append(options, exporterhelper.WithRetry(retry))
}
