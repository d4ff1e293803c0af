// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"context"
	"reflect"
	"slices"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pipeline"
	"go.opentelemetry.io/collector/processor"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
)

// stage is a place in a pipeline: before its first processor, between two, or after the last. It
// notes what passes. Its methods are safe for concurrent use.
type stage struct {
	mu     sync.Mutex
	passed []Event
	err    error // of what comes after it
}

func (s *stage) note(events []Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.passed = append(s.passed, events...)
}

func (s *stage) noteError(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.err = err
	}
	return err
}

// events returns what has passed.
func (s *stage) events() []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.passed)
}

func (s *stage) lastError() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// track is the stages of a pipeline. Processor i is between the stages i and i+1.
type track struct {
	id         pipeline.ID
	processors []component.ID
	stages     []*stage
}

// stageConfig is the configuration of the processor that stands for a stage. stopped is called when what
// comes before it has stopped, and passes nothing on any more.
type stageConfig struct {
	*stage
	stopped func()
}

// newStageFactory returns the factory of stages, which are processors.
func newStageFactory() processor.Factory {
	return processor.NewFactory(ownType, func() component.Config { return &stageConfig{stage: &stage{}} },
		processor.WithLogs(func(_ context.Context, _ processor.Settings, cfg component.Config, next consumer.Logs) (processor.Logs, error) {
			c := cfg.(*stageConfig)
			return &logsStage{inert: inert{close: c.stopped}, stage: c.stage, Logs: next}, nil
		}, component.StabilityLevelStable),
		processor.WithTraces(func(_ context.Context, _ processor.Settings, cfg component.Config, next consumer.Traces) (processor.Traces, error) {
			c := cfg.(*stageConfig)
			return &tracesStage{inert: inert{close: c.stopped}, stage: c.stage, Traces: next}, nil
		}, component.StabilityLevelStable),
		processor.WithMetrics(func(_ context.Context, _ processor.Settings, cfg component.Config, next consumer.Metrics) (processor.Metrics, error) {
			c := cfg.(*stageConfig)
			return &metricsStage{inert: inert{close: c.stopped}, stage: c.stage, Metrics: next}, nil
		}, component.StabilityLevelStable))
}

type logsStage struct {
	inert
	*stage
	consumer.Logs
}

// ConsumeLogs implements consumer.Logs.
func (s *logsStage) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	s.note(eventsOfLogs(ld))
	return s.noteError(s.Logs.ConsumeLogs(ctx, ld))
}

type tracesStage struct {
	inert
	*stage
	consumer.Traces
}

// ConsumeTraces implements consumer.Traces.
func (s *tracesStage) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	s.note(eventsOfTraces(td))
	return s.noteError(s.Traces.ConsumeTraces(ctx, td))
}

type metricsStage struct {
	inert
	*stage
	consumer.Metrics
}

// ConsumeMetrics implements consumer.Metrics.
func (s *metricsStage) ConsumeMetrics(ctx context.Context, md pmetric.Metrics) error {
	s.note(eventsOfMetrics(md))
	return s.noteError(s.Metrics.ConsumeMetrics(ctx, md))
}

func eventsOfLogs(ld plog.Logs) []Event {
	events := make([]Event, 0, ld.LogRecordCount())
	for e := range appevent.Logs(ld) {
		events = append(events, Event{Signal: "logs", ID: e.ID(), Name: e.Name})
	}
	return events
}

func eventsOfTraces(td ptrace.Traces) []Event {
	events := make([]Event, 0, td.SpanCount())
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				events = append(events, Event{Signal: "traces", ID: span.SpanID().String(), Name: span.Name()})
			}
		}
	}
	return events
}

func eventsOfMetrics(md pmetric.Metrics) []Event {
	events := make([]Event, 0, md.MetricCount())
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, metric := range sm.Metrics().All() {
				events = append(events, Event{Signal: "metrics", Name: metric.Name()})
			}
		}
	}
	return events
}

// missing returns the events of before that are not among after. A processor may rename events, so
// the number decides, and then the names.
func missing(before, after []Event) []Event {
	n := len(before) - len(after)
	if n <= 0 {
		return nil
	}
	left := map[string]int{}
	for i := range after {
		left[after[i].Name]++
	}
	var gone []Event
	for i := range before {
		if left[before[i].Name] > 0 {
			left[before[i].Name]--
		} else if len(gone) < n {
			gone = append(gone, before[i])
		}
	}
	return gone
}

// processorFactory is a processor's own factory. It notes which processors decide at once.
type processorFactory struct {
	processor.Factory
	decidesAtOnce map[component.ID]bool
}

// CreateLogs implements processor.Factory.
func (f *processorFactory) CreateLogs(ctx context.Context, set processor.Settings, cfg component.Config, next consumer.Logs) (processor.Logs, error) {
	p, err := f.Factory.CreateLogs(ctx, set, cfg, next)
	f.decidesAtOnce[set.ID] = decidesAtOnce(p)
	return p, err
}

// CreateTraces implements processor.Factory.
func (f *processorFactory) CreateTraces(ctx context.Context, set processor.Settings, cfg component.Config, next consumer.Traces) (processor.Traces, error) {
	p, err := f.Factory.CreateTraces(ctx, set, cfg, next)
	f.decidesAtOnce[set.ID] = decidesAtOnce(p)
	return p, err
}

// CreateMetrics implements processor.Factory.
func (f *processorFactory) CreateMetrics(ctx context.Context, set processor.Settings, cfg component.Config, next consumer.Metrics) (processor.Metrics, error) {
	p, err := f.Factory.CreateMetrics(ctx, set, cfg, next)
	f.decidesAtOnce[set.ID] = decidesAtOnce(p)
	return p, err
}

// processorHelper is the package of the processors that change or drop an event before the call that
// passed it returns.
const processorHelper = "go.opentelemetry.io/collector/processor/processorhelper"

// decidesAtOnce reports whether what a processor has not passed on when a call returns is dropped.
// Others, such as batch, may pass it on later.
func decidesAtOnce(p any) bool {
	t := reflect.TypeOf(p)
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t != nil && t.PkgPath() == processorHelper
}
