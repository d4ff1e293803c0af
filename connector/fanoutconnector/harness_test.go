// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package fanoutconnector

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pipeline"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-fanout/otelcol-fanout/connector/fanoutconnector/internal/metadata"
)

// sink is a pipeline that records what it gets. A mutating sink also destroys the data at once, as
// the worst possible processor would.
type sink struct {
	mutates bool
	respond func(context.Context) error
	before  func() // called before the data is destroyed

	mu     sync.Mutex
	logs   []plog.Logs
	traces []ptrace.Traces
	names  []string // of all records and spans, in the order of arrival
}

func (s *sink) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: s.mutates}
}

func (s *sink) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	s.mu.Lock()
	s.logs = append(s.logs, ld)
	for record := range records(ld) {
		s.names = append(s.names, record.EventName())
	}
	if s.mutates {
		s.callBefore()
		for record := range records(ld) {
			record.SetEventName("destroyed")
			record.Attributes().Clear()
		}
	}
	s.mu.Unlock()
	return s.result(ctx)
}

func (s *sink) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	s.mu.Lock()
	s.traces = append(s.traces, td)
	for span := range spans(td) {
		s.names = append(s.names, span.Name())
	}
	if s.mutates {
		s.callBefore()
		for span := range spans(td) {
			span.SetName("destroyed")
			span.Attributes().Clear()
			span.Events().RemoveIf(func(ptrace.SpanEvent) bool { return true })
		}
	}
	s.mu.Unlock()
	return s.result(ctx)
}

func (s *sink) callBefore() {
	if s.before != nil {
		s.before()
	}
}

func (s *sink) result(ctx context.Context) error {
	if s.respond == nil {
		return nil
	}
	return s.respond(ctx)
}

func (s *sink) refuses(err error) { s.respond = func(context.Context) error { return err } }

// got returns the names that arrived, sorted.
func (s *sink) got() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(slices.Values(s.names))
}

func records(ld plog.Logs) func(func(plog.LogRecord) bool) {
	return func(yield func(plog.LogRecord) bool) {
		for _, rl := range ld.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				for _, record := range sl.LogRecords().All() {
					if !yield(record) {
						return
					}
				}
			}
		}
	}
}

func spans(td ptrace.Traces) func(func(ptrace.Span) bool) {
	return func(yield func(ptrace.Span) bool) {
		for _, rs := range td.ResourceSpans().All() {
			for _, ss := range rs.ScopeSpans().All() {
				for _, span := range ss.Spans().All() {
					if !yield(span) {
						return
					}
				}
			}
		}
	}
}

// harness is a connector between a caller and sinks.
type harness struct {
	logs      connector.Logs
	traces    connector.Traces
	sinks     map[string]*sink
	telemetry *componenttest.Telemetry
	lines     *observer.ObservedLogs
	settings  connector.Settings
	host      component.Host
}

// newHarness starts a connector in front of sinks, which are by pipeline ID.
func newHarness(t testing.TB, config string, sinks map[string]*sink) *harness {
	t.Helper()
	return newHarnessOn(t, componenttest.NewNopHost(), config, sinks)
}

func newHarnessOn(t testing.TB, host component.Host, config string, sinks map[string]*sink) *harness {
	t.Helper()
	r := &harness{host: host, sinks: sinks, telemetry: componenttest.NewTelemetry()}
	t.Cleanup(func() { require.NoError(t, r.telemetry.Shutdown(context.Background())) })
	core, lines := observer.New(zap.DebugLevel)
	r.lines = lines
	r.settings = connectortest.NewNopSettings(metadata.Type)
	r.settings.TelemetrySettings = r.telemetry.NewTelemetrySettings()
	r.settings.Logger = zap.New(core)

	cfg := readConfig(t, config)
	require.NoError(t, confmap.Validate(cfg))
	r.start(t, cfg)
	return r
}

func (r *harness) start(t testing.TB, cfg *Config) {
	t.Helper()
	toLogs, toTraces := map[pipeline.ID]consumer.Logs{}, map[pipeline.ID]consumer.Traces{}
	for text, s := range r.sinks {
		if id := pipelineID(t, text); id.Signal() == pipeline.SignalLogs {
			toLogs[id] = s
		} else {
			toTraces[id] = s
		}
	}
	ctx := context.Background()
	var err error
	if len(toLogs) > 0 {
		r.logs, err = NewFactory().CreateLogsToLogs(ctx, r.settings, cfg, connector.NewLogsRouter(toLogs))
		require.NoError(t, err)
		require.NoError(t, r.logs.Start(ctx, r.host))
		t.Cleanup(func() { require.NoError(t, r.logs.Shutdown(ctx)) })
	}
	if len(toTraces) > 0 {
		r.traces, err = NewFactory().CreateTracesToTraces(ctx, r.settings, cfg, connector.NewTracesRouter(toTraces))
		require.NoError(t, err)
		require.NoError(t, r.traces.Start(ctx, r.host))
		t.Cleanup(func() { require.NoError(t, r.traces.Shutdown(ctx)) })
	}
}

func readConfig(t testing.TB, yaml string) *Config {
	t.Helper()
	cfg, err := tryConfig(t, yaml)
	require.NoError(t, err)
	return cfg
}

func tryConfig(t testing.TB, yaml string) (*Config, error) {
	t.Helper()
	conf, err := confmaptest.LoadConf(writeFile(t, yaml))
	require.NoError(t, err)
	cfg := NewFactory().CreateDefaultConfig().(*Config)
	return cfg, conf.Unmarshal(cfg)
}

func pipelineID(t testing.TB, text string) pipeline.ID {
	t.Helper()
	var id pipeline.ID
	require.NoError(t, id.UnmarshalText([]byte(text)))
	return id
}

// newLogsOf returns a batch of records with these names and one resource.
func newLogsOf(names ...string) plog.Logs {
	ld := plog.NewLogs()
	records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for i, name := range names {
		record := records.AppendEmpty()
		record.SetEventName(name)
		record.SetTimestamp(1)
		record.Attributes().PutInt("number", int64(i))
	}
	return ld
}

func newTracesOf(names ...string) ptrace.Traces {
	td := ptrace.NewTraces()
	spans := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
	for _, name := range names {
		spans.AppendEmpty().SetName(name)
	}
	return td
}
