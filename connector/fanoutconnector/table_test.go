// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package fanoutconnector

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pipeline"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/pattern"
)

func TestFirstMatchingRouteWins(t *testing.T) {
	cfg := &Config{Routes: []RouteConfig{
		{Events: []string{"login_success", "login_*_ok"}},
		{Events: []string{"login_*"}},
		{Events: []string{"*_failed", "a*b*c"}},
		{Events: []string{"log*", "x"}},
		{Events: []string{"größe_*", "\xff*"}},
	}}
	table, err := newTable(cfg, pipeline.SignalLogs, nil)
	require.NoError(t, err)
	for name, want := range map[string]int{
		"login_success": 0, "login_sso_ok": 0, "login__ok": 0, "login_ok": 1, "login_success_": 1, "login_": 1, "login_failed": 1,
		"logout_failed": 2, "_failed": 2, "axbxc": 2, "abc": 2, "ab": 5, "failed": 5, "logout": 3, "log": 3, "x": 3, "xy": 5,
		"größe_1": 4, "größe": 5, "\xff\xfe": 4, "lo": 5, "": 5, "Login_success": 5,
	} {
		assert.Equal(t, want, table.find(name), name)
	}
}

func TestStarMatchesPlainLogs(t *testing.T) {
	table, err := newTable(&Config{Routes: []RouteConfig{{Events: []string{"*"}}}}, pipeline.SignalLogs, nil)
	require.NoError(t, err)
	assert.Equal(t, 0, table.find(""))
	assert.Equal(t, 0, table.find("x"))
}

// firstMatch is the reference that find is compared with.
func firstMatch(routes []RouteConfig, name string) int {
	for i := range routes {
		if pattern.Any(routes[i].Events, name) {
			return i
		}
	}
	return len(routes)
}

// randomText returns a short text of few letters, so texts often match each other.
func randomText(r *rand.Rand, letters string) string {
	var b strings.Builder
	for range r.IntN(6) {
		b.WriteByte(letters[r.IntN(len(letters))])
	}
	return b.String()
}

func TestFindEqualsLinearSearch(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 3_000 {
		routes := make([]RouteConfig, r.IntN(8))
		for i := range routes {
			for range 1 + r.IntN(4) {
				routes[i].Events = append(routes[i].Events, randomText(r, "abc_**"))
			}
		}
		table, err := newTable(&Config{Routes: routes}, pipeline.SignalLogs, nil)
		require.NoError(t, err)
		for range 30 {
			name := randomText(r, "abc_\xf0")
			require.Equal(t, firstMatch(routes, name), table.find(name), "%q in %v", name, routes)
		}
	}
}

// FuzzRoutes checks two properties of any valid table: find returns the first match, and each name
// and pattern matches some event that no earlier route matches. Each line of the text is a route.
func FuzzRoutes(f *testing.F) {
	f.Add("login_success signup_*\n*_failed\n*", "signup_failed")
	f.Add("a*b*c a\nab*\n**", "abxc")
	f.Add("x\nx", "")
	f.Fuzz(func(t *testing.T, text, name string) {
		cfg := &Config{}
		for line := range strings.Lines(text) {
			cfg.Routes = append(cfg.Routes, RouteConfig{Events: strings.Split(strings.TrimSuffix(line, "\n"), " "), Pipelines: []pipeline.ID{}})
		}
		if len(text) > 200 || cfg.Validate() != nil {
			return
		}
		table, err := newTable(cfg, pipeline.SignalLogs, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := table.find(name), firstMatch(cfg.Routes, name); got != want {
			t.Fatalf("%q gets route %d, not %d", name, got, want)
		}
		for i := range cfg.Routes {
			for _, event := range cfg.Routes[i].Events {
				if got := table.find(strings.ReplaceAll(event, "*", "\x01")); got != i {
					t.Fatalf("%q of route %d is never reached: route %d gets its events", event, i, got)
				}
			}
		}
	})
}

func TestDestinationsNarrowRoute(t *testing.T) {
	var ids []pipeline.ID
	for _, text := range []string{"logs/sentry", "logs/posthog", "logs/webhook/audit", "logs/webhook/slack", "logs", "logs/elsewhere"} {
		ids = append(ids, pipelineID(t, text))
	}
	const route = 0b11111 // all but elsewhere
	for _, tt := range []struct {
		name     string
		switches map[string]any
		want     set
	}{
		{"empty map changes nothing", map[string]any{}, route},
		{"false removes pipeline", map[string]any{"sentry": false}, 0b11110},
		{"true adds no pipeline", map[string]any{"elsewhere": true}, route},
		{"backend covers all its pipelines", map[string]any{"webhook": false}, 0b10011},
		{"name covers one pipeline", map[string]any{"webhook/audit": false}, 0b11011},
		{"name overrides backend", map[string]any{"webhook": false, "webhook/slack": true}, 0b11011},
		{"all covers pipelines without a key", map[string]any{"all": false, "posthog": true}, 0b00010},
		{"all, backend and name", map[string]any{"All": false, "webhook": true, "webhook/audit": false}, 0b01000},
		{"all true changes nothing", map[string]any{"all": true}, route},
		{"case does not matter", map[string]any{"PostHog": false, "ALL": true}, 0b11101},
		{"true adds no pipeline after all false", map[string]any{"all": false, "elsewhere": true}, 0},
		{"unknown keys are ignored", map[string]any{"mixpanel": false}, route},
		{"values other than bool are ignored", map[string]any{"sentry": "false", "posthog": int64(0)}, route},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := pcommon.NewMap()
			require.NoError(t, m.FromRaw(tt.switches))
			d := newDestinations(ids)
			assert.Equal(t, fmt.Sprintf("%06b", tt.want), fmt.Sprintf("%06b", d.narrow(route, m)))
		})
	}
}

func TestNameOfRecord(t *testing.T) {
	for _, tt := range []struct {
		name, eventName string
		attributes      map[string]any
		want            string
	}{
		{"event name", "a", map[string]any{"otel.event.name": "b"}, "a"},
		{"otel.event.name", "", map[string]any{"otel.event.name": "b", "event.name": "c", "exception.type": "E"}, "b"},
		{"event.name", "", map[string]any{"event.name": "c", "fanout.type": "page"}, "c"},
		{"number as name", "", map[string]any{"event.name": int64(7)}, "7"},
		{"map is not a name", "", map[string]any{"event.name": map[string]any{"a": 1}}, ""},
		{"kind of a nameless event", "", map[string]any{"fanout.type": "identify", "exception.type": "E"}, "identify"},
		{"nameless exception", "", map[string]any{"exception.message": "m", "fanout.type": "track"}, "exception"},
		{"empty exception", "", map[string]any{"exception.message": ""}, ""},
		{"plain log", "", map[string]any{"fanout.type": "unheard-of"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			record := plog.NewLogs().ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
			record.SetEventName(tt.eventName)
			require.NoError(t, record.Attributes().FromRaw(tt.attributes))
			assert.Equal(t, tt.want, nameOf(record, readAttributes(record.Attributes()).kind))
		})
	}
}

// TestNameEqualsAppevent compares the names of random records with those that appevent reads.
func TestNameEqualsAppevent(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	keys := []string{"otel.event.name", "event.name", "fanout.type", "exception.type", "exception.message", "exception.stacktrace", "other"}
	values := []any{"", "a", "page", "track", int64(1), 1.5, true, []any{"x"}, map[string]any{"k": "v"}, nil}
	for range 5_000 {
		ld := newLogsOf([]string{"", "named"}[r.IntN(2)])
		record := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
		for range r.IntN(5) {
			require.NoError(t, record.Attributes().PutEmpty(keys[r.IntN(len(keys))]).FromRaw(values[r.IntN(len(values))]))
		}
		for event := range appevent.Logs(ld) {
			require.Equal(t, wantName(event), nameOf(record, readAttributes(record.Attributes()).kind), "%v", record.Attributes().AsRaw())
		}
	}
}

func wantName(event *appevent.Event) string {
	switch {
	case event.Name != "":
		return event.Name
	case event.Kind != appevent.KindTrack:
		return event.Kind.String()
	case event.IsException():
		return appevent.ExceptionEventName
	default:
		return ""
	}
}
