// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package fanoutconnector

import (
	"context"
	"fmt"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pipeline"

	"github.com/otelcol-fanout/otelcol-fanout/internal/callresult"
)

// batch is plog.Logs or ptrace.Traces.
type batch[T any] interface {
	comparable
	CopyTo(T)
	IsReadOnly() bool
	MarkReadOnly()
}

// fanout routes batches to the pipelines of one signal.
type fanout[T batch[T]] struct {
	operations[T]

	table   *table
	targets []target[T]
	owner   owner[T]

	assignments sync.Pool // of *assignment
	counts      *counts
	refusals    refusals

	id     component.ID
	signal pipeline.Signal
	status status
}

// operations are the functions that differ between logs and traces.
type operations[T batch[T]] struct {
	create func() T
	// assign adds each record to the assignment, and move moves it to its group.
	assign func(T, *assignment, *counts, *recentRoutes)
	move   func(T, *splitter[T])
	// mark and unref keep a batch from being recycled while the connector uses it (feature gate
	// pdata.useProtoPooling).
	mark   func(T) bool
	unref  func(T)
	target func(pipeline.ID) (target[T], error)
}

// target is a pipeline.
type target[T any] struct {
	consume func(context.Context, T) error
	mutates bool
}

func newFanout[T batch[T]](
	set connector.Settings, cfg *Config, signal pipeline.Signal, fed []pipeline.ID, ops operations[T],
) (*fanout[T], error) {
	t, err := newTable(cfg, signal, fed)
	if err != nil {
		return nil, fmt.Errorf("connectors::%s: %w", set.ID, err) // the collector does not say which component it is about
	}
	f := &fanout[T]{operations: ops, table: t, refusals: newRefusals(set.Logger, t.pipelines), id: set.ID, signal: signal}
	f.assignments.New = func() any { return newAssignment(t) }
	f.owner = owner[T]{create: ops.create, mark: ops.mark, unref: ops.unref}
	for i, id := range t.pipelines {
		next, err := ops.target(id)
		if err != nil {
			return nil, err
		}
		if next.mutates {
			f.owner.mutate |= 1 << i
		}
		f.targets = append(f.targets, next)
	}
	f.counts, err = newCounts(set, signal, t)
	return f, err
}

// Start implements component.Component.
func (f *fanout[T]) Start(_ context.Context, host component.Host) error {
	f.status.register(host, f.id, f.signal, f.counts)
	return nil
}

// Shutdown implements component.Component.
func (f *fanout[T]) Shutdown(context.Context) error {
	f.status.close()
	f.refusals.close()
	f.counts.stop()
	return nil
}

// Capabilities implements consumer.Logs and consumer.Traces. The connector changes batches: it sets
// the IDs of log records, and moves records to other batches.
func (*fanout[T]) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: true}
}

// consume routes a batch, and returns the errors of the sync pipelines.
func (f *fanout[T]) consume(ctx context.Context, data T) error {
	if data.IsReadOnly() { // the collector should never pass shared data to a mutating component
		data = f.owner.clone(data)
	}
	groups := f.group(data)
	defer f.owner.hold(groups)()
	for to := range f.table.firstSync {
		f.send(callresult.Without(ctx), to, groups)
	}
	return f.sendSync(ctx, groups)
}

// group splits a batch into groups of records that go to the same pipelines.
func (f *fanout[T]) group(data T) []group[T] {
	a := f.assignments.Get().(*assignment)
	defer f.assignments.Put(a)
	a.reset()
	f.assign(data, a, f.counts, f.status.recent)
	f.counts.add(a)
	return f.split(data, a)
}

// send sends the groups of a pipeline to it. It counts and logs refusals, but does not return them.
func (f *fanout[T]) send(ctx context.Context, to int, groups []group[T]) {
	for i := range groups {
		if !groups[i].to.has(to) {
			continue
		}
		if err := f.targets[to].consume(ctx, f.owner.share(&groups[i], to)); err != nil {
			f.counts.hidden[to].Add(int64(groups[i].records))
			f.refusals.add(to, groups[i].records, err)
		}
	}
}

// sendSync sends the groups of the sync pipelines to them, concurrently, and returns their errors.
// It is called last because these pipelines may be slow.
func (f *fanout[T]) sendSync(ctx context.Context, groups []group[T]) error {
	var all set
	for i := range groups {
		all |= groups[i].to
	}
	if all>>f.table.firstSync == 0 {
		return nil
	}
	ctx, result, end := callresult.Open(ctx)
	defer end() // the result of one pipeline decides what another does with its refused events
	var calls []func() error
	for to := f.table.firstSync; to < len(f.targets); to++ {
		if all.has(to) {
			calls = append(calls, f.newCall(ctx, result, to, groups))
		}
	}
	errs := make([]error, len(calls))
	var others sync.WaitGroup
	for i, call := range calls[1:] {
		others.Go(func() { errs[i+1] = call() })
	}
	errs[0] = calls[0]()
	others.Wait()
	return joinErrors(errs)
}

// newCall returns a function that sends the groups of a sync pipeline to it. newCall itself takes
// the batches from the owner, so that the functions can run concurrently.
func (f *fanout[T]) newCall(ctx context.Context, result *callresult.Call, to int, groups []group[T]) func() error {
	var shares []T
	for i := range groups {
		if groups[i].to.has(to) {
			shares = append(shares, f.owner.share(&groups[i], to))
		}
	}
	return func() error {
		var errs []error
		for _, data := range shares {
			err := f.targets[to].consume(ctx, data)
			noteResult(result, err)
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", f.table.pipelines[to], err))
			}
		}
		return joinErrors(errs)
	}
}

// noteResult notes the result of a pipeline, whose components may not know the call: what it accepted
// must not be sent again, and what failed for now will be.
func noteResult(result *callresult.Call, err error) {
	switch {
	case err == nil:
		result.Delivered()
	case !consumererror.IsPermanent(err):
		result.Retryable()
	}
}
