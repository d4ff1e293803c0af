// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"errors"
	"math"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exporterhelper/xexporterhelper"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/progress"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/retry"
)

// request is a batch on its way through exporterhelper.
type request struct {
	*batch.Batch

	// attempts counts the attempts since the events left the queue, the first of them at
	// firstAttempt, by the exporter's pause.Switch.
	attempts     int
	firstAttempt time.Time
	// bisectHeld is true if the backend's wait has held back the bisecting attempt.
	bisectHeld bool
	// call is the call that waits for the events; nil if none does.
	call *call
	// order is the exporter's if its backend is ordered, else nil. Such a request is never split,
	// because exporterhelper may send the last part before others.
	order *order
	// notStored is the error of the queue's storage if it did not take the request.
	notStored error
}

var (
	_ xexporterhelper.Request             = (*request)(nil)
	_ xexporterhelper.RequestErrorHandler = (*request)(nil)
)

// ItemsCount implements xexporterhelper.Request.
func (r *request) ItemsCount() int { return r.Count() }

// BytesSize implements xexporterhelper.Request.
func (r *request) BytesSize() int { return r.Size() }

// MergeSplit implements xexporterhelper.Request. It returns the events of both requests in requests
// of up to limit items or bytes; 0 means no limit.
func (r *request) MergeSplit(_ context.Context, limit int, sizer exporterhelper.RequestSizerType, other xexporterhelper.Request) ([]xexporterhelper.Request, error) {
	if other != nil {
		r.Append(other.(*request).Batch)
	} else if r.order != nil {
		r.order.wait()
	}
	maxEvents, maxBytes := math.MaxInt, math.MaxInt
	if limit > 0 && sizer == exporterhelper.RequestSizerTypeBytes {
		maxBytes = limit
	} else if limit > 0 {
		maxEvents = limit
	}
	if r.order != nil || r.Count() <= maxEvents && r.Size() <= maxBytes {
		return []xexporterhelper.Request{r}, nil
	}
	batches := r.Split(maxEvents, maxBytes)
	requests := make([]xexporterhelper.Request, len(batches))
	for i, b := range batches {
		requests[i] = &request{Batch: b}
	}
	return requests, nil
}

// OnError implements xexporterhelper.RequestErrorHandler. Only pending events are sent again.
func (r *request) OnError(err error) xexporterhelper.Request {
	if failed, ok := errors.AsType[*pendingError](err); ok {
		return failed.request
	}
	return r
}

// next returns the request for the next attempt, with the pending events of r.
func (r *request) next(pending []batch.Event) *request {
	return &request{Batch: batch.Of(pending), attempts: r.attempts, firstAttempt: r.firstAttempt, bisectHeld: r.bisectHeld, call: r.call}
}

// pendingError is a failed attempt, with the request for the next one.
type pendingError struct {
	err     error
	request *request
	// paused is true if nothing failed, but the exporter was paused: then there is no wait.
	paused bool
}

func (e *pendingError) Error() string { return e.err.Error() }
func (e *pendingError) Unwrap() error { return e.err }

// encoding stores requests on disk, and reads them back.
type encoding struct {
	corrupt  func(error)
	complete func(*batch.Event)
	order    *order          // see request
	progress *progress.Notes // nil if the queue is not on disk
	content  *queueContent
}

// Marshal implements the Encoding of xexporterhelper.QueueBatchSettings. At start, the queue stores
// the requests anew that an earlier run was sending: they take their notes along.
func (encoding) Marshal(_ context.Context, r xexporterhelper.Request) ([]byte, error) {
	b := r.(*request).Batch
	return progress.WithNotes(b.Marshal(), b.Stored()), nil
}

// Unmarshal implements the Encoding of xexporterhelper.QueueBatchSettings. The queue silently drops
// a request that cannot be read, so corrupt is called. Empty data stands for a request that could
// not be stored, and is settled already.
func (e encoding) Unmarshal(data []byte) (context.Context, xexporterhelper.Request, error) {
	b, err := e.unmarshal(data)
	if err != nil {
		if len(data) > 0 {
			e.corrupt(err)
		}
		return context.Background(), nil, err
	}
	return context.Background(), &request{Batch: b, order: e.order}, nil
}

func (e encoding) unmarshal(data []byte) (*batch.Batch, error) {
	if e.progress != nil {
		if stored, request, ok := e.progress.Read(data); ok {
			b, err := batch.UnmarshalStored(request, e.complete, stored)
			if arrival := e.content.arrivalOf(stored.Index); err == nil && arrival != nil {
				b.Arrive(arrival)
			}
			return b, err
		}
	}
	return batch.Unmarshal(data, e.complete)
}

// helper is exporterhelper's chain of queue, batcher and retry.
type helper struct {
	component.Component
	// consume passes the request that the context holds to the chain.
	consume func(context.Context) error
}

// helperSettings configures a chain.
type helperSettings struct {
	retry    *retry.Policy
	async    bool
	queue    configoptional.Optional[exporterhelper.QueueBatchConfig]
	encoding encoding
	// push makes one attempt to deliver a request.
	push func(context.Context, *request) error
}

func (s *helperSettings) options() []exporterhelper.Option {
	options := []exporterhelper.Option{
		// The HTTP client's timeout limits each request.
		exporterhelper.WithTimeout(exporterhelper.TimeoutConfig{Timeout: 0}),
		exporterhelper.WithRetry(s.retry.HelperConfig(s.async)),
	}
	if s.async {
		options = append(options, xexporterhelper.WithQueueBatch(s.queue, xexporterhelper.QueueBatchSettings{Encoding: s.encoding}))
	}
	return options
}

func newLogsHelper(ctx context.Context, set exporter.Settings, s *helperSettings) (*helper, error) {
	logs, err := xexporterhelper.NewLogsRequest(ctx, set, fromContext[plog.Logs], s.consumeRequest, s.options()...)
	if err != nil {
		return nil, err
	}
	return &helper{logs, func(ctx context.Context) error { return logs.ConsumeLogs(ctx, plog.NewLogs()) }}, nil
}

func newTracesHelper(ctx context.Context, set exporter.Settings, s *helperSettings) (*helper, error) {
	traces, err := xexporterhelper.NewTracesRequest(ctx, set, fromContext[ptrace.Traces], s.consumeRequest, s.options()...)
	if err != nil {
		return nil, err
	}
	return &helper{traces, func(ctx context.Context) error { return traces.ConsumeTraces(ctx, ptrace.NewTraces()) }}, nil
}

func (s *helperSettings) consumeRequest(ctx context.Context, r xexporterhelper.Request) error {
	return s.push(ctx, r.(*request))
}

// requestKey is the context key of the request of a call. The request is made before exporterhelper
// is called, so that its events are still at hand if the queue has no room for them.
type requestKey struct{}

// offer hands a request to the chain.
func (h *helper) offer(ctx context.Context, r *request) error {
	return h.consume(context.WithValue(ctx, requestKey{}, r))
}

func fromContext[T any](ctx context.Context, _ T) (xexporterhelper.Request, error) {
	return ctx.Value(requestKey{}).(*request), nil
}

// offered returns the request of a call, if ctx is that of a call.
func offered(ctx context.Context) (*request, bool) {
	r, ok := ctx.Value(requestKey{}).(*request)
	return r, ok
}
