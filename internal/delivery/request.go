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
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/retry"
)

// request is a batch on its way through exporterhelper.
type request struct {
	*batch.Batch

	// attempts and firstAttempt are of the events since they left the queue.
	attempts     int
	firstAttempt time.Time
	// call is the call that waits for the events; nil where none does.
	call *call
	// order is of a backend that is ordered, else nil. Such a request is never split:
	// exporterhelper may send the last of the parts before others.
	order *order
	// notStored is why the queue's storage did not take the request; nil where it did.
	notStored error
}

// call is a call that waits: how many events its request has, and how many of them have an outcome
// that is not the caller's concern.
type call struct{ events, settled int }

var (
	_ xexporterhelper.Request             = (*request)(nil)
	_ xexporterhelper.RequestErrorHandler = (*request)(nil)
)

// ItemsCount implements xexporterhelper.Request.
func (r *request) ItemsCount() int { return r.Count() }

// BytesSize implements xexporterhelper.Request.
func (r *request) BytesSize() int { return r.Size() }

// MergeSplit implements xexporterhelper.Request: the events of both in requests of up to limit
// items or bytes, where 0 is no limit.
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

// OnError implements xexporterhelper.RequestErrorHandler: only what is pending is sent again.
func (r *request) OnError(err error) xexporterhelper.Request {
	if failed, ok := errors.AsType[*pendingError](err); ok {
		return failed.request
	}
	return r
}

// next is the request for the next attempt to deliver the pending events of r.
func (r *request) next(pending []batch.Event) *request {
	return &request{Batch: batch.Of(pending), attempts: r.attempts, firstAttempt: r.firstAttempt, call: r.call}
}

// pendingError is a failed attempt, with the request for the next one.
type pendingError struct {
	err     error
	request *request
	// wait is how long to wait at least; 0 where nobody says.
	wait time.Duration
}

func (e *pendingError) Error() string { return e.err.Error() }
func (e *pendingError) Unwrap() error { return e.err }

// throttled is the error for exporterhelper's retry, which waits as long as the error says.
func (e *pendingError) throttled() error {
	if e.wait > 0 {
		return exporterhelper.NewThrottleRetry(e, e.wait)
	}
	return e
}

// encoding writes requests to disk, and reads them back.
type encoding struct {
	corrupt  func(error)
	complete func(*batch.Event)
	order    *order // that of the requests
}

// Marshal implements the Encoding of xexporterhelper.QueueBatchSettings.
func (encoding) Marshal(_ context.Context, r xexporterhelper.Request) ([]byte, error) {
	return r.(*request).Marshal(), nil
}

// Unmarshal implements the Encoding of xexporterhelper.QueueBatchSettings. The queue silently
// forgets what it cannot read, so corrupt is called. Empty data is a request that could not be
// stored, which has its outcome already.
func (e encoding) Unmarshal(data []byte) (context.Context, xexporterhelper.Request, error) {
	b, err := batch.Unmarshal(data, e.complete)
	if err != nil {
		if len(data) > 0 {
			e.corrupt(err)
		}
		return context.Background(), nil, err
	}
	return context.Background(), &request{Batch: b, order: e.order}, nil
}

// helper is exporterhelper's chain of queue, batcher and retry.
type helper struct {
	component.Component
	// consume gives the chain the request that the context holds.
	consume func(context.Context) error
}

// helperSettings are what a chain is made of.
type helperSettings struct {
	retry    *retry.Policy
	async    bool
	queue    configoptional.Optional[exporterhelper.QueueBatchConfig]
	encoding encoding
	// push makes an attempt to deliver a request.
	push func(context.Context, *request) error
}

func (s *helperSettings) options() []exporterhelper.Option {
	options := []exporterhelper.Option{
		// The HTTP client's timeout is the limit of an attempt.
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

// requestKey is the context's key for the request that a call brings: it is encoded before
// exporterhelper sees it, so that it is still there when exporterhelper has no room for it.
type requestKey struct{}

// offer hands a request to the chain.
func (h *helper) offer(ctx context.Context, r *request) error {
	return h.consume(context.WithValue(ctx, requestKey{}, r))
}

func fromContext[T any](ctx context.Context, _ T) (xexporterhelper.Request, error) {
	return ctx.Value(requestKey{}).(*request), nil
}

// offered is the request that a call brings, if the context is that of a call.
func offered(ctx context.Context) (*request, bool) {
	r, ok := ctx.Value(requestKey{}).(*request)
	return r, ok
}
