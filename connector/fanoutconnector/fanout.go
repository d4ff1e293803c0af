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
	"go.opentelemetry.io/collector/pipeline"
)

// batch is what the connector routes: plog.Logs or ptrace.Traces.
type batch[T any] interface {
	comparable
	CopyTo(T)
	IsReadOnly() bool
	MarkReadOnly()
}

// fanout hands the parts of batches to pipelines of one signal.
type fanout[T batch[T]] struct {
	operations[T]

	table   *table
	targets []target[T]
	owner   owner[T]

	plans    sync.Pool // of *plan
	counts   *counts
	refusals refusals
}

// operations are what differs between the signals.
type operations[T batch[T]] struct {
	create func() T
	// decide adds each record to the plan, and move takes it to its part.
	decide func(T, *plan, *counts)
	move   func(T, *split[T])
	// mark and unref keep a batch from being recycled while it is ours (the feature gate
	// pdata.useProtoPooling).
	mark   func(T) bool
	unref  func(T)
	target func(pipeline.ID) (target[T], error)
}

// target is one pipeline.
type target[T any] struct {
	consume func(context.Context, T) error
	mutates bool
}

func newFanout[T batch[T]](
	set connector.Settings, cfg *Config, signal pipeline.Signal, fed []pipeline.ID, ops operations[T],
) (*fanout[T], error) {
	t, err := newTable(cfg, signal, fed)
	if err != nil {
		return nil, err
	}
	f := &fanout[T]{operations: ops, table: t, refusals: newRefusals(set.Logger, t.pipelines)}
	f.plans.New = func() any { return newPlan(t) }
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
func (*fanout[T]) Start(context.Context, component.Host) error { return nil }

// Shutdown implements component.Component.
func (f *fanout[T]) Shutdown(context.Context) error {
	f.refusals.flush()
	f.counts.stop()
	return nil
}

// Capabilities implements consumer.Logs and consumer.Traces. Ids are written into log records, and
// records are moved, not copied, to their parts.
func (*fanout[T]) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: true}
}

// consume routes a batch. Its error is that of the sync pipelines.
func (f *fanout[T]) consume(ctx context.Context, data T) error {
	if data.IsReadOnly() { // nobody should hand us shared records
		data = f.owner.clone(data)
	}
	parts := f.sort(data)
	defer f.owner.hold(parts)()
	for to := range f.table.firstSync {
		f.send(ctx, to, parts)
	}
	return f.sendSync(ctx, parts)
}

// sort takes a batch apart by where its records go.
func (f *fanout[T]) sort(data T) []part[T] {
	p := f.plans.Get().(*plan)
	defer f.plans.Put(p)
	p.reset()
	f.decide(data, p, f.counts)
	f.counts.add(p)
	return f.parts(data, p)
}

// send hands a pipeline its parts, and keeps what it refuses to itself.
func (f *fanout[T]) send(ctx context.Context, to int, parts []part[T]) {
	for i := range parts {
		if !parts[i].to.has(to) {
			continue
		}
		if err := f.targets[to].consume(ctx, f.owner.share(&parts[i], to)); err != nil {
			f.counts.kept[to].Add(int64(parts[i].records))
			f.refusals.add(to, parts[i].records, err)
		}
	}
}

// sendSync hands the sync pipelines their parts, and returns their errors. They come last, since
// they may take their time; where there are several, they run at the same time.
func (f *fanout[T]) sendSync(ctx context.Context, parts []part[T]) error {
	var all set
	for i := range parts {
		all |= parts[i].to
	}
	if all>>f.table.firstSync == 0 {
		return nil
	}
	var calls []func() error
	for to := f.table.firstSync; to < len(f.targets); to++ {
		if all.has(to) {
			calls = append(calls, f.call(ctx, to, parts))
		}
	}
	errs := make([]error, len(calls))
	var others sync.WaitGroup
	for i, call := range calls[1:] {
		others.Go(func() { errs[i+1] = call() })
	}
	errs[0] = calls[0]()
	others.Wait()
	return errorForCaller(errs)
}

// call returns the delivery to a sync pipeline of its parts, which are shared out at once, so that
// calls can run at the same time.
func (f *fanout[T]) call(ctx context.Context, to int, parts []part[T]) func() error {
	var shares []T
	for i := range parts {
		if parts[i].to.has(to) {
			shares = append(shares, f.owner.share(&parts[i], to))
		}
	}
	return func() error {
		var errs []error
		for _, data := range shares {
			if err := f.targets[to].consume(ctx, data); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", f.table.pipelines[to], err))
			}
		}
		return errorForCaller(errs)
	}
}
