// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package fanoutconnector

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pipeline"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
)

const shopConfig = `
routes:
  - {events: [login_success, signup_*], pipelines: [logs/posthog, logs/moengage]}
  - {events: [feature_*], pipelines: [logs/posthog]}
  - {events: [debug_*], pipelines: []}
default_pipelines: [logs/sentry, logs/posthog, logs/webhook]`

func shopSinks() map[string]*sink {
	return map[string]*sink{"logs/sentry": {}, "logs/posthog": {}, "logs/moengage": {}, "logs/webhook": {}}
}

func TestEventsReachPipelinesOfTheirRoute(t *testing.T) {
	r := newHarness(t, shopConfig, shopSinks())
	require.NoError(t, r.logs.ConsumeLogs(context.Background(), newLogsOf("login_success", "signup_done", "feature_clicked", "debug_1", "order_placed", "")))
	assert.Equal(t, []string{"", "order_placed"}, r.sinks["logs/sentry"].got())
	assert.Equal(t, []string{"", "feature_clicked", "login_success", "order_placed", "signup_done"}, r.sinks["logs/posthog"].got())
	assert.Equal(t, []string{"login_success", "signup_done"}, r.sinks["logs/moengage"].got())
	assert.Equal(t, []string{"", "order_placed"}, r.sinks["logs/webhook"].got())
}

func TestPagesMatchNameAndKind(t *testing.T) {
	const pages, pricing = `{events: [page], pipelines: [logs/posthog]}`, `{events: [Pricing], pipelines: [logs/moengage]}`
	for _, tt := range []struct{ first, second, want string }{{pages, pricing, "logs/posthog"}, {pricing, pages, "logs/moengage"}} {
		r := newHarness(t, "routes:\n  - "+tt.first+"\n  - "+tt.second+"\ndefault_pipelines: [logs/sentry]",
			map[string]*sink{"logs/posthog": {}, "logs/moengage": {}, "logs/sentry": {}})
		ld := newLogsOf("Pricing", "Home", "track", "order_placed")
		for i, kind := range []string{"page", "page", "track", "unheard-of"} {
			ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(i).Attributes().PutStr("fanout.type", kind)
		}
		require.NoError(t, r.logs.ConsumeLogs(context.Background(), ld))
		assert.Contains(t, r.sinks[tt.want].got(), "Pricing", "the first route wins, whether it matches the name or the kind")
		assert.Contains(t, r.sinks["logs/posthog"].got(), "Home")
		assert.Equal(t, []string{"order_placed", "track"}, r.sinks["logs/sentry"].got())
	}
}

func TestSpansRouteByNameAndKeepTheirEvents(t *testing.T) {
	r := newHarness(t, `
routes:
  - {events: ["GET /health"], pipelines: []}
  - {events: ["GET *"], pipelines: [traces/web]}
  - {events: [exception], pipelines: [logs/sentry]}
default_pipelines: [traces/sentry]`, map[string]*sink{"traces/web": {}, "traces/sentry": {}, "logs/sentry": {}})
	td := newTracesOf("GET /orders", "GET /health", "job", "exception")
	for span := range spans(td) {
		span.Events().AppendEmpty().SetName("exception")
	}
	require.NoError(t, r.traces.ConsumeTraces(context.Background(), td))
	assert.Equal(t, []string{"GET /orders"}, r.sinks["traces/web"].got())
	assert.Equal(t, []string{"exception", "job"}, r.sinks["traces/sentry"].got(), "a route that lists only logs pipelines is skipped for spans")
	for _, s := range r.sinks {
		for _, td := range s.traces {
			for span := range spans(td) {
				assert.Equal(t, 1, span.Events().Len())
			}
		}
	}
}

// TestEventsOfDisabledPipelineAreNotRerouted checks that they do not go to the next route.
func TestEventsOfDisabledPipelineAreNotRerouted(t *testing.T) {
	r := newHarness(t, `
routes:
  - {events: [login_*], pipelines: [logs/moengage]}
  - {events: [signup_*], pipelines: [logs/moengage, logs/posthog]}
  - {events: ["span*"], pipelines: [logs/moengage]}
  - {events: [debug_*], pipelines: []}
default_pipelines: [logs/sentry, traces/sentry]
sync: [logs/moengage]
pipelines_enabled: {logs/moengage: false, logs/posthog: true, logs/sentry: false, traces/sentry: true}`,
		map[string]*sink{"logs/posthog": {}, "traces/sentry": {}})
	require.NoError(t, r.logs.ConsumeLogs(context.Background(), newLogsOf("login_success", "signup_done", "order_placed", "debug_1")))
	require.NoError(t, r.traces.ConsumeTraces(context.Background(), newTracesOf("span with a name of a logs route")))
	assert.Equal(t, []string{"signup_done"}, r.sinks["logs/posthog"].got())
	assert.Len(t, r.sinks["traces/sentry"].got(), 1, "a logs route is skipped for spans even if its pipelines are disabled")
	assert.Equal(t, map[string]int64{
		"no_route logs": 0, "no_pipelines logs": 1, "disabled logs": 2, "destinations logs": 0,
		"no_route traces": 0, "no_pipelines traces": 0, "disabled traces": 0, "destinations traces": 0,
	}, readMetric(t, r.telemetry, "otelcol_fanout_unrouted_events_total"))
}

func TestRecordSwitchesPipelinesOff(t *testing.T) {
	r := newHarness(t, shopConfig, shopSinks())
	ld := newLogsOf("one", "two", "three", "login_success")
	switches := []map[string]any{{"sentry": false}, {"all": false, "webhook": true}, {"all": false}, {"moengage": false, "sentry": true}}
	i := 0
	for record := range records(ld) {
		require.NoError(t, record.Attributes().PutEmpty(appevent.AttrDestinations).FromRaw(switches[i]))
		i++
	}
	require.NoError(t, r.logs.ConsumeLogs(context.Background(), ld))
	assert.Empty(t, r.sinks["logs/sentry"].got())
	assert.Equal(t, []string{"login_success", "one"}, r.sinks["logs/posthog"].got())
	assert.Empty(t, r.sinks["logs/moengage"].got())
	assert.Equal(t, []string{"one", "two"}, r.sinks["logs/webhook"].got())
}

func TestEveryPipelineGetsSameID(t *testing.T) {
	r := newHarness(t, shopConfig, shopSinks())
	ld := newLogsOf("order_placed", "order_paid", "login_success")
	want := plog.NewLogs()
	ld.CopyTo(want)
	appevent.StampIDs(want)
	ids := map[string]string{}
	for record := range records(want) {
		ids[record.EventName()] = idOf(record)
	}
	ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(1).Attributes().PutStr(appevent.AttrID, "given")
	ids["order_paid"] = "given"

	require.NoError(t, r.logs.ConsumeLogs(context.Background(), ld))
	n := 0
	for _, s := range r.sinks {
		for _, ld := range s.logs {
			for record := range records(ld) {
				assert.Equal(t, ids[record.EventName()], idOf(record))
				n++
			}
		}
	}
	assert.Equal(t, 2*3+2, n)
}

func idOf(record plog.LogRecord) string {
	id, _ := record.Attributes().Get(appevent.AttrID)
	return id.Str()
}

func TestReadOnlyLogsAreNotChanged(t *testing.T) {
	r := newHarness(t, shopConfig, map[string]*sink{"logs/sentry": {mutates: true}, "logs/posthog": {}, "logs/moengage": {}, "logs/webhook": {}})
	assert.True(t, r.logs.Capabilities().MutatesData, "it sets the IDs of records")
	ld := newLogsOf("order_placed", "login_success", "debug_1")
	before := plog.NewLogs()
	ld.CopyTo(before)
	ld.MarkReadOnly()
	require.NoError(t, r.logs.ConsumeLogs(context.Background(), ld))
	assert.Equal(t, before.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes().AsRaw(), ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes().AsRaw())
	assert.Equal(t, 3, ld.LogRecordCount())
	assert.Equal(t, []string{"login_success", "order_placed"}, r.sinks["logs/posthog"].got())
}

func TestReadOnlyTracesAreNotChanged(t *testing.T) {
	r := newHarness(t, `{routes: [{events: [a], pipelines: [traces/a]}], default_pipelines: [traces/b]}`, map[string]*sink{"traces/a": {}, "traces/b": {mutates: true}})
	assert.True(t, r.traces.Capabilities().MutatesData, "it moves spans")
	td := newTracesOf("a", "b")
	td.MarkReadOnly()
	require.NoError(t, r.traces.ConsumeTraces(context.Background(), td))
	assert.Equal(t, 2, td.SpanCount())
	assert.Equal(t, []string{"b"}, r.sinks["traces/b"].got())
}

// TestOnlyMutatingPipelinesGetCopies sends one batch to all pipelines.
func TestOnlyMutatingPipelinesGetCopies(t *testing.T) {
	for _, tt := range []struct {
		name     string
		mutating []string
		copies   []string
	}{
		{"none mutates", nil, nil},
		{"one mutates", []string{"logs/a"}, []string{"logs/a"}},
		{"two mutate", []string{"logs/a", "logs/c"}, []string{"logs/a", "logs/c"}},
		{"all mutate, the last gets the original", []string{"logs/a", "logs/b", "logs/c"}, []string{"logs/a", "logs/b"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sinks := map[string]*sink{"logs/a": {}, "logs/b": {}, "logs/c": {}}
			for _, id := range tt.mutating {
				sinks[id].mutates = true
			}
			r := newHarness(t, `{default_pipelines: [logs/a, logs/b, logs/c]}`, sinks)
			ld := newLogsOf("x", "y")
			require.NoError(t, r.logs.ConsumeLogs(context.Background(), ld))
			for id, s := range sinks {
				require.Len(t, s.logs, 1)
				assert.Equal(t, []string{"x", "y"}, s.got())
				assert.Equal(t, slices.Contains(tt.copies, id), s.logs[0] != ld, id)
				assert.Equal(t, !s.mutates && len(tt.mutating) < 3, s.logs[0].IsReadOnly(), "shared batches are read-only")
			}
		})
	}
}

// TestSplitMovesRecordsWithoutCopying checks that pipelines get the records themselves.
func TestSplitMovesRecordsWithoutCopying(t *testing.T) {
	r := newHarness(t, shopConfig, shopSinks())
	ld := newLogsOf("login_success", "a", "b")
	moved := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes().PutEmptyBytes("bytes")
	moved.FromRaw([]byte{1})
	require.NoError(t, r.logs.ConsumeLogs(context.Background(), ld))
	assert.Equal(t, ld, r.sinks["logs/sentry"].logs[0], "the largest group stays in its batch")
	for _, id := range []string{"logs/posthog", "logs/moengage"} {
		for record := range records(r.sinks[id].logs[0]) {
			got, ok := record.Attributes().Get("bytes")
			require.True(t, ok)
			assert.Equal(t, moved, got.Bytes(), "the same memory")
		}
	}
}

func TestEmptyBatchIsNotSent(t *testing.T) {
	r := newHarness(t, `{default_pipelines: [logs/a, traces/a]}`, map[string]*sink{"logs/a": {}, "traces/a": {}})
	ld := plog.NewLogs()
	ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty()
	require.NoError(t, r.logs.ConsumeLogs(context.Background(), ld))
	require.NoError(t, r.traces.ConsumeTraces(context.Background(), ptrace.NewTraces()))
	assert.Empty(t, r.sinks["logs/a"].logs)
	assert.Empty(t, r.sinks["traces/a"].traces)
}

// randomTable is a random configuration with its pipelines.
type randomTable struct {
	cfg       *Config
	pipelines []string
}

func newRandomTable(r *rand.Rand) randomTable {
	var table randomTable
	cfg := &Config{}
	for _, signal := range []pipeline.Signal{pipeline.SignalLogs, pipeline.SignalTraces} {
		for i := range 1 + r.IntN(5) {
			id := pipeline.NewIDWithName(signal, []string{"sentry", "posthog", "webhook/a", "webhook/b", "moengage"}[i])
			table.pipelines = append(table.pipelines, id.String())
			cfg.DefaultPipelines = append(cfg.DefaultPipelines, id) // so that every pipeline is in use
			if r.IntN(4) == 0 {
				cfg.Sync = append(cfg.Sync, id)
			}
		}
	}
	for range r.IntN(6) {
		route := RouteConfig{Pipelines: []pipeline.ID{}}
		for range 1 + r.IntN(3) {
			route.Events = append(route.Events, "e"+randomText(r, "abc*"))
		}
		for _, id := range cfg.DefaultPipelines {
			if r.IntN(3) == 0 {
				route.Pipelines = append(route.Pipelines, id)
			}
		}
		cfg.Routes = append(cfg.Routes, route)
	}
	table.cfg = cfg
	return table
}

// expected returns the pipelines of an event by the simplest reading of the configuration.
func (table *randomTable) expected(signal pipeline.Signal, name string, off map[string]any) []string {
	to := ofSignal(table.cfg.DefaultPipelines, signal)
	for i := range table.cfg.Routes {
		route := &table.cfg.Routes[i]
		mine := ofSignal(route.Pipelines, signal)
		if (len(route.Pipelines) == 0 || len(mine) > 0) && firstMatch([]RouteConfig{*route}, name) == 0 {
			to = mine
			break
		}
	}
	var ids []string
	for _, id := range to {
		backend, _, _ := strings.Cut(id.Name(), "/")
		on := true
		for _, key := range []string{"all", backend, id.Name()} {
			if v, ok := off[key]; ok {
				on = v.(bool)
			}
		}
		if on {
			ids = append(ids, id.String())
		}
	}
	return ids
}

func randomSwitches(r *rand.Rand) map[string]any {
	switches := map[string]any{}
	if r.IntN(5) == 0 {
		for range r.IntN(4) {
			keys := []string{"all", "sentry", "posthog", "webhook", "webhook/a", "webhook/b", "moengage", "nobody"}
			switches[keys[r.IntN(len(keys))]] = r.IntN(2) == 0
		}
	}
	return switches
}

// TestEachRecordReachesItsPipelinesOnce checks random batches and configurations: each record
// reaches its pipelines unchanged, with its own resource and scope.
func TestEachRecordReachesItsPipelinesOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 400 {
		table := newRandomTable(r)
		h := table.harness(t, r)
		want := map[string][]string{}
		ld, td := plog.NewLogs(), ptrace.NewTraces()
		number := 0
		put := func(signal pipeline.Signal, name string, attributes pcommon.Map, where string) {
			number++
			switches := randomSwitches(r)
			attributes.PutStr("where", where)
			attributes.PutInt("number", int64(number))
			if len(switches) > 0 {
				require.NoError(t, attributes.PutEmpty(appevent.AttrDestinations).FromRaw(switches))
			}
			for _, id := range table.expected(signal, name, switches) {
				want[id] = append(want[id], name+" "+strconv.Itoa(number)+" "+where)
			}
		}
		randomBatch(r, ld, td, put)
		require.NoError(t, h.logs.ConsumeLogs(context.Background(), ld))
		require.NoError(t, h.traces.ConsumeTraces(context.Background(), td))
		for id, s := range h.recorders {
			require.ElementsMatch(t, want[id], s.take(), "%s of %+v", id, table.cfg)
		}
	}
}

func randomBatch(r *rand.Rand, ld plog.Logs, td ptrace.Traces, put func(pipeline.Signal, string, pcommon.Map, string)) {
	mixed := r.IntN(2) == 0 // whether the records of a resource have different names
	for i := range r.IntN(4) {
		rl, rs := ld.ResourceLogs().AppendEmpty(), td.ResourceSpans().AppendEmpty()
		rl.SetSchemaUrl(strconv.Itoa(i))
		rs.SetSchemaUrl(strconv.Itoa(i))
		rl.Resource().Attributes().PutInt("resource", int64(i))
		rs.Resource().Attributes().PutInt("resource", int64(i))
		same := "e" + randomText(r, "abc")
		for j := range r.IntN(3) {
			sl, ss := rl.ScopeLogs().AppendEmpty(), rs.ScopeSpans().AppendEmpty()
			sl.Scope().SetName(strconv.Itoa(j))
			ss.Scope().SetName(strconv.Itoa(j))
			sl.SetSchemaUrl(strconv.Itoa(j))
			ss.SetSchemaUrl(strconv.Itoa(j))
			for range r.IntN(12) {
				name := same
				if mixed {
					name = "e" + randomText(r, "abc")
				}
				record, span := sl.LogRecords().AppendEmpty(), ss.Spans().AppendEmpty()
				record.SetEventName(name)
				span.SetName(name)
				where := fmt.Sprintf("%d %d", i, j)
				put(pipeline.SignalLogs, name, record.Attributes(), where)
				put(pipeline.SignalTraces, name, span.Attributes(), where)
			}
		}
	}
}

// recordingHarness is a harness whose sinks record each record with its resource and scope.
type recordingHarness struct {
	*harness
	recorders map[string]*recorder
}

// recorder is a sink that reads what it got only after everything is sent, as an exporter with a
// queue does. A mutating sink reads it at once.
type recorder struct {
	*sink
	lines []string
}

func (table *randomTable) harness(t *testing.T, r *rand.Rand) *recordingHarness {
	t.Helper()
	sinks := map[string]*sink{}
	recorders := map[string]*recorder{}
	for _, id := range table.pipelines {
		sinks[id] = &sink{mutates: r.IntN(3) == 0}
		n := &recorder{sink: sinks[id]}
		if sinks[id].mutates {
			sinks[id].before = n.read
		}
		recorders[id] = n
	}
	base := newHarness(t, `{default_pipelines: [`+strings.Join(table.pipelines, ", ")+`]}`, sinks)
	base.start(t, table.cfg)
	return &recordingHarness{harness: base, recorders: recorders}
}

func (n *recorder) take() []string {
	if !n.mutates {
		n.read()
	}
	return n.lines
}

func (n *recorder) read() {
	for _, ld := range n.logs {
		for _, rl := range ld.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				for _, record := range sl.LogRecords().All() {
					n.write(record.EventName(), record.Attributes(), rl.Resource(), rl.SchemaUrl(), sl.Scope(), sl.SchemaUrl())
				}
			}
		}
	}
	for _, td := range n.traces {
		for _, rs := range td.ResourceSpans().All() {
			for _, ss := range rs.ScopeSpans().All() {
				for _, span := range ss.Spans().All() {
					n.write(span.Name(), span.Attributes(), rs.Resource(), rs.SchemaUrl(), ss.Scope(), ss.SchemaUrl())
				}
			}
		}
	}
	if n.mutates {
		n.logs, n.traces = nil, nil
	}
}

func (n *recorder) write(name string, attributes pcommon.Map, resource pcommon.Resource, resourceSchema string, scope pcommon.InstrumentationScope, scopeSchema string) {
	number, _ := attributes.Get("number")
	i, _ := resource.Attributes().Get("resource")
	where := fmt.Sprintf("%d %s", i.Int(), scope.Name())
	if where != resourceSchema+" "+scopeSchema {
		where = "with a wrong schema URL"
	}
	n.lines = append(n.lines, name+" "+strconv.FormatInt(number.Int(), 10)+" "+where)
}

func TestConcurrentCallersLoseNothing(t *testing.T) {
	config := strings.Replace(shopConfig, "default_pipelines", "sync: [logs/webhook, logs/moengage]\ndefault_pipelines", 1)
	sinks := shopSinks()
	sinks["logs/webhook"].mutates = true
	sinks["logs/sentry"].mutates = true
	r := newHarness(t, config, sinks)
	const callers, calls = 8, 50
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for range calls {
				assert.NoError(t, r.logs.ConsumeLogs(context.Background(), newLogsOf("login_success", "order_placed", "feature_x", "debug_x")))
			}
		})
	}
	wg.Wait()
	got := map[string]int{}
	for id, s := range r.sinks {
		got[id] = len(s.got())
	}
	assert.Equal(t, map[string]int{"logs/sentry": 400, "logs/posthog": 1200, "logs/moengage": 400, "logs/webhook": 400}, got)
	assert.Equal(t, []string{"logs/moengage", "logs/posthog", "logs/sentry", "logs/webhook"}, slices.Sorted(maps.Keys(got)))
}
