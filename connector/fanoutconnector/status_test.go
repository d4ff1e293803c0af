// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package fanoutconnector

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

// statusHost is a host with a status extension that keeps the routers by signal.
type statusHost struct {
	component.StartFunc
	component.ShutdownFunc

	mu      sync.Mutex
	routers map[string]*statusfeed.Router
}

func newStatusHost() *statusHost { return &statusHost{routers: map[string]*statusfeed.Router{}} }

func (h *statusHost) GetExtensions() map[component.ID]component.Component {
	return map[component.ID]component.Component{component.MustNewID("status"): h}
}

func (*statusHost) AddExporter(*statusfeed.Exporter) statusfeed.Feed { panic("not an exporter") }

func (h *statusHost) AddRouter(r *statusfeed.Router) (remove func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.routers[r.Signal] = r
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.routers, r.Signal)
	}
}

// newStatusHarness starts a connector on a host with a status extension.
func newStatusHarness(t *testing.T, config string, sinks map[string]*sink) (*harness, *statusHost) {
	t.Helper()
	host := newStatusHost()
	return newHarnessOn(t, host, config, sinks), host
}

const statusConfig = `
routes:
  - {events: ["sign*", login], pipelines: [logs/a, logs/off]}
  - {events: [dropped], pipelines: []}
  - {events: [x], pipelines: [logs/a, logs/b, logs/b, traces/a]}
  - {events: [y], pipelines: [logs/off]}
default_pipelines: [logs/b]
sync: [logs/b, logs/off]
pipelines_enabled: {logs/a: true, logs/b: true, logs/off: false, traces/a: true}`

func statusSinks() map[string]*sink {
	return map[string]*sink{"logs/a": {}, "logs/b": {}, "traces/a": {}}
}

func TestStatusShowsRoutesWithTheirCounts(t *testing.T) {
	r, host := newStatusHarness(t, statusConfig, statusSinks())
	ld := newLogsOf("signup", "login", "dropped", "x", "x", "x", "y", "other", "other")
	at := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	require.NoError(t, at.At(4).Attributes().PutEmpty(appevent.AttrDestinations).FromRaw(map[string]any{"a": false}))
	require.NoError(t, at.At(5).Attributes().PutEmpty(appevent.AttrDestinations).FromRaw(map[string]any{"all": false}))
	require.NoError(t, r.logs.ConsumeLogs(context.Background(), ld))
	require.NoError(t, r.traces.ConsumeTraces(context.Background(), newTracesOf("x", "dropped", "other")))

	logs := host.routers["logs"]
	assert.Equal(t, r.settings.ID, logs.ID)
	assert.Equal(t, []statusfeed.Route{
		{Events: []string{"sign*", "login"}, Count: 2, Pipelines: []statusfeed.Pipeline{
			{ID: "logs/a", Count: 2}, {ID: "logs/off", Disabled: true, Sync: true},
		}},
		{Events: []string{"dropped"}, Count: 1},
		{Events: []string{"x"}, Count: 3, Pipelines: []statusfeed.Pipeline{{ID: "logs/a", Count: 1}, {ID: "logs/b", Sync: true, Count: 2}}},
		{Events: []string{"y"}, Count: 1, Pipelines: []statusfeed.Pipeline{{ID: "logs/off", Disabled: true, Sync: true}}},
		{Count: 2, Pipelines: []statusfeed.Pipeline{{ID: "logs/b", Sync: true, Count: 2}}},
	}, logs.Routes())
	assert.Equal(t, map[string]int64{"no_route": 0, "no_pipelines": 1, "disabled": 1, "destinations": 1}, logs.Unrouted())

	traces := host.routers["traces"]
	assert.Equal(t, []statusfeed.Route{
		{Events: []string{"dropped"}, Count: 1},
		{Events: []string{"x"}, Count: 1, Pipelines: []statusfeed.Pipeline{{ID: "traces/a", Count: 1}}},
		{Count: 1},
	}, traces.Routes())
	assert.Equal(t, map[string]int64{"no_route": 1, "no_pipelines": 1, "disabled": 0, "destinations": 0}, traces.Unrouted())
}

func TestStatusKnowsRouteOfAnEvent(t *testing.T) {
	r, host := newStatusHarness(t, statusConfig, statusSinks())
	ld := newLogsOf("signup", "x", "other", "dropped", "y", "x")
	at := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	at.At(0).Attributes().PutStr(appevent.AttrID, "first")
	at.At(1).Attributes().PutInt(appevent.AttrID, 42)
	require.NoError(t, at.At(5).Attributes().PutEmpty(appevent.AttrDestinations).FromRaw(map[string]any{"all": false}))
	require.NoError(t, r.logs.ConsumeLogs(context.Background(), ld))

	// b gets the default route with the ID that the connector has stamped.
	want := map[string]int{"first": 0, "42": 2}
	for _, batch := range r.sinks["logs/b"].logs {
		for record := range records(batch) {
			if record.EventName() == "other" {
				id, _ := record.Attributes().Get(appevent.AttrID)
				want[id.Str()] = 4
			}
		}
	}
	require.Len(t, want, 3)
	for id, route := range want {
		got, known := host.routers["logs"].RouteOf(id)
		assert.True(t, known, id)
		assert.Equal(t, route, got, id)
	}
	for _, id := range []string{"", "second", "43"} {
		_, known := host.routers["logs"].RouteOf(id)
		assert.False(t, known, id)
	}
}

func TestStatusKnowsRouteOfARecordThatNoPipelineGets(t *testing.T) {
	r, host := newStatusHarness(t, statusConfig, statusSinks())
	ld := newLogsOf("dropped", "y", "x")
	at := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	require.NoError(t, at.At(2).Attributes().PutEmpty(appevent.AttrDestinations).FromRaw(map[string]any{"all": false}))
	for i, id := range []string{"1", "3", "2"} { // of the route
		at.At(i).Attributes().PutStr(appevent.AttrID, id)
	}
	require.NoError(t, r.logs.ConsumeLogs(context.Background(), ld))
	for i, id := range []string{"1", "2", "3"} {
		got, known := host.routers["logs"].RouteOf(id)
		assert.True(t, known, id)
		assert.Equal(t, i+1, got, id)
	}
}

func TestStatusKnowsRouteOfASpan(t *testing.T) {
	r, host := newStatusHarness(t, statusConfig, statusSinks())
	td := newTracesOf("x", "other", "x")
	at := td.ResourceSpans().At(0).ScopeSpans().At(0).Spans()
	at.At(0).SetSpanID(pcommon.SpanID{0xab, 0, 0, 0, 0, 0, 0, 1})
	at.At(1).SetSpanID(pcommon.SpanID{0xab, 0, 0, 0, 0, 0, 0, 2})
	require.NoError(t, r.traces.ConsumeTraces(context.Background(), td))
	for id, want := range map[string]int{"ab00000000000001": 1, "ab00000000000002": 2} {
		got, known := host.routers["traces"].RouteOf(id)
		assert.True(t, known, id)
		assert.Equal(t, want, got, id)
	}
	for _, id := range []string{"", "0000000000000000", "ab00000000000003"} {
		_, known := host.routers["traces"].RouteOf(id)
		assert.False(t, known, id)
	}
}

// TestHostileIDsHaveRoutes uses IDs that a client chose. The status extension keeps the beginning of
// a long ID, which must be enough to find its route.
func TestHostileIDsHaveRoutes(t *testing.T) {
	long := strings.Repeat("i", maxHashedID)
	for name, id := range map[string]string{
		"1 MB": strings.Repeat("i", 1<<20), "control characters": "a\x00\n\u202eb", "invalid UTF-8": "\xff\xfe",
		"one byte": "x", "a number": "18446744073709551616",
	} {
		t.Run(name, func(t *testing.T) {
			r, host := newStatusHarness(t, statusConfig, statusSinks())
			ld := newLogsOf("x")
			ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes().PutStr(appevent.AttrID, id)
			require.NoError(t, r.logs.ConsumeLogs(context.Background(), ld))
			for _, kept := range []string{id, id[:min(len(id), maxHashedID)]} {
				got, known := host.routers["logs"].RouteOf(kept)
				assert.True(t, known)
				assert.Equal(t, 2, got)
			}
			_, known := host.routers["logs"].RouteOf(long[1:])
			assert.False(t, known)
		})
	}
	for name, set := range map[string]func(plog.LogRecord){
		"empty": func(record plog.LogRecord) { record.Attributes().PutStr(appevent.AttrID, "") },
		"a map": func(record plog.LogRecord) { record.Attributes().PutEmptyMap(appevent.AttrID).PutStr("a", "b") },
		"bytes": func(record plog.LogRecord) { record.Attributes().PutEmptyBytes(appevent.AttrID).FromRaw([]byte{1, 2}) },
		"none":  func(record plog.LogRecord) { record.Attributes().PutEmpty(appevent.AttrID) },
	} {
		t.Run(name, func(t *testing.T) {
			r, host := newStatusHarness(t, statusConfig, statusSinks())
			ld := newLogsOf("x")
			record := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
			set(record)
			uid, _ := record.Attributes().Get(appevent.AttrID)
			id := uid.AsString() // as exporters read it
			require.NoError(t, r.logs.ConsumeLogs(context.Background(), ld))
			_, known := host.routers["logs"].RouteOf(id)
			assert.Equal(t, id != "", known, "exporters derive an ID of their own from an empty one")
		})
	}
}

func TestStatusForgetsOldEventsOnly(t *testing.T) {
	recent := newRecentRoutes()
	const events = 4 * recentSlots
	for i := range events {
		recent.add(recent.hash(fmt.Sprintf("event %d", i)), i%7)
	}
	known := 0
	for i := range events {
		route, ok := recent.find(fmt.Sprintf("event %d", i))
		if ok {
			known++
			assert.Equal(t, i%7, route)
		}
	}
	assert.LessOrEqual(t, known, recentSlots)
	assert.Greater(t, known, recentSlots/2, "most slots are in use")

	last, ok := recent.find(fmt.Sprintf("event %d", events-1))
	assert.True(t, ok, "the last event is never forgotten")
	assert.Equal(t, (events-1)%7, last)

	recent.add(recent.hash("too far"), recentSlots-1)
	_, ok = recent.find("too far")
	assert.False(t, ok, "the index of the route does not fit")
	recent.add(recent.hash("far"), recentSlots-2)
	far, ok := recent.find("far")
	assert.True(t, ok)
	assert.Equal(t, recentSlots-2, far)
}

func TestStatusIsSafeWhileEventsAreRouted(t *testing.T) {
	r, host := newStatusHarness(t, statusConfig, statusSinks())
	const batches = 50
	var senders, readers sync.WaitGroup
	for sender := range 4 {
		senders.Go(func() {
			for i := range batches {
				ld := newLogsOf("signup", "x", "other")
				for record := range records(ld) {
					record.Attributes().PutStr(appevent.AttrID, fmt.Sprintf("%d-%d-%s", sender, i, record.EventName()))
				}
				assert.NoError(t, r.logs.ConsumeLogs(context.Background(), ld))
				assert.NoError(t, r.traces.ConsumeTraces(context.Background(), newTracesOf("x")))
			}
		})
	}
	stop := make(chan struct{})
	for _, signal := range []string{"logs", "traces"} {
		router := host.routers[signal]
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					router.Routes()
					router.Unrouted()
					if route, known := router.RouteOf("1-2-x"); known {
						assert.Equal(t, 2, route)
					}
				}
			}
		})
	}
	senders.Wait()
	close(stop)
	readers.Wait()
	counts := []int64{}
	for _, route := range host.routers["logs"].Routes() {
		counts = append(counts, route.Count)
	}
	assert.Equal(t, []int64{4 * batches, 0, 4 * batches, 0, 4 * batches}, counts)
}

func TestRoutingTableIsRemovedAtShutdown(t *testing.T) {
	r, host := newStatusHarness(t, statusConfig, statusSinks())
	assert.Len(t, host.routers, 2)
	require.NoError(t, r.logs.Shutdown(context.Background()))
	assert.Equal(t, []string{"traces"}, slices.Collect(maps.Keys(host.routers)))
	require.NoError(t, r.traces.Shutdown(context.Background()))
	assert.Empty(t, host.routers)
}

func TestNothingIsRememberedWithoutStatusExtension(t *testing.T) {
	r := newHarness(t, statusConfig, statusSinks())
	require.NoError(t, r.logs.ConsumeLogs(context.Background(), newLogsOf("x", "signup")))
	f := r.logs.(*logs).fanout
	assert.Nil(t, f.status.recent)
}
