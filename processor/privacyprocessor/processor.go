// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package privacyprocessor

import (
	"context"
	"sync"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/otelcol-fanout/otelcol-fanout/processor/privacyprocessor/internal/metadata"
)

// privacy visits every place of a batch that can hold personal data. It is safe for concurrent use.
type privacy struct {
	rules     *rules
	walkers   sync.Pool // of *walker
	telemetry *metadata.TelemetryBuilder
	// attributes are those of the metric, by rule.
	attributes []metric.AddOption
}

func newPrivacy(set processor.Settings, cfg *Config) (*privacy, error) {
	rules, err := newRules(cfg)
	if err != nil {
		return nil, err
	}
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	p := &privacy{rules: rules, telemetry: telemetry}
	for i := range cfg.Rules {
		p.attributes = append(p.attributes, metric.WithAttributeSet(attribute.NewSet(
			attribute.String("processor", set.ID.String()),
			attribute.String("rule", cfg.Rules[i].name()),
			attribute.String("action", string(cfg.Rules[i].Action)))))
	}
	p.walkers.New = func() any { return newWalker(rules, string(cfg.HashKey)) }
	return p, nil
}

func (p *privacy) shutdown(context.Context) error {
	p.telemetry.Shutdown()
	return nil
}

// visit calls do with a walker, and counts what it changed.
func (p *privacy) visit(ctx context.Context, do func(*walker)) {
	w := p.walkers.Get().(*walker)
	do(w)
	for i, n := range w.changes {
		if n > 0 {
			p.telemetry.FanoutPrivacyValues.Add(ctx, n, p.attributes[i])
			w.changes[i] = 0
		}
	}
	p.walkers.Put(w)
}

func (p *privacy) logs(ctx context.Context, ld plog.Logs) (plog.Logs, error) {
	p.visit(ctx, func(w *walker) {
		for _, rl := range ld.ResourceLogs().All() {
			w.attributes(rl.Resource().Attributes())
			for _, sl := range rl.ScopeLogs().All() {
				w.scope(sl.Scope())
				for _, record := range sl.LogRecords().All() {
					w.record(record)
				}
			}
		}
	})
	return ld, nil
}

func (p *privacy) traces(ctx context.Context, td ptrace.Traces) (ptrace.Traces, error) {
	p.visit(ctx, func(w *walker) {
		for _, rs := range td.ResourceSpans().All() {
			w.attributes(rs.Resource().Attributes())
			for _, ss := range rs.ScopeSpans().All() {
				w.scope(ss.Scope())
				for _, span := range ss.Spans().All() {
					w.span(span)
				}
			}
		}
	})
	return td, nil
}

func (w *walker) scope(scope pcommon.InstrumentationScope) {
	w.text(scope.Name(), scope.SetName)
	w.text(scope.Version(), scope.SetVersion)
	w.attributes(scope.Attributes())
}

func (w *walker) record(record plog.LogRecord) {
	w.text(record.EventName(), record.SetEventName)
	w.text(record.SeverityText(), record.SetSeverityText)
	w.attributes(record.Attributes())
	w.body(record.Body())
}

func (w *walker) span(span ptrace.Span) {
	w.text(span.Name(), span.SetName)
	w.text(span.Status().Message(), span.Status().SetMessage)
	w.text(span.TraceState().AsRaw(), span.TraceState().FromRaw)
	w.attributes(span.Attributes())
	for _, event := range span.Events().All() {
		w.text(event.Name(), event.SetName)
		w.attributes(event.Attributes())
	}
	for _, link := range span.Links().All() {
		w.text(link.TraceState().AsRaw(), link.TraceState().FromRaw)
		w.attributes(link.Attributes())
	}
}
