// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"

	moengageintake "github.com/otelcol-fanout/otelcol-fanout/test/intake/moengage"
)

// startMoEngage starts a collector with all receivers, whose logs go to an exporter moengage;
// settings are more of its keys, in YAML's flow style.
func startMoEngage(t *testing.T, in *moengageintake.Intake, key, settings string) *instrumentedCollector {
	t.Helper()
	exporter := fmt.Sprintf("  moengage: {endpoint: %q, workspace_id: %s, api_key: %q, data_center: 1, dead_letter: dead_letter, %s, %s}",
		in.URL(), moengageintake.Workspace, key, soon, settings)
	return startInstrumentedWith(t, newDataFolders(t), func(configuration string) string {
		configuration = replace(t, configuration, "exporters:\n", "exporters:\n"+exporter)
		return replace(t, configuration, "exporters: []}", "exporters: [moengage]}")
	}, nil)
}

// emit emits an event like an application with the OpenTelemetry SDK.
func (a *goApp) emit(name string, attributes ...attribute.KeyValue) {
	var record log.Record
	record.SetEventName(name)
	record.SetTimestamp(time.Now())
	record.AddAttributes(attributes...)
	a.logger.Emit(a.t.Context(), record)
}

func TestMoEngageGetsUsersAndEventsFromGoSDK(t *testing.T) {
	t.Parallel()
	in := moengageintake.New(t)
	p := startMoEngage(t, in, moengageintake.Key, "resource_attributes: [service.name]")
	app := newGoApp(t, p.otlpHTTP())
	user := attribute.String("user.id", "u1001")
	app.emit("signup", user, attribute.String("fanout.type", "identify"), attribute.String("user.email", "ada@example.com"),
		attribute.Map("fanout.traits", attribute.String("firstName", "Ada"), attribute.String("plan", "pro")))
	app.emit("shop.order.placed", user, attribute.Float64("order.total", 12.5), attribute.Bool("gift", true),
		attribute.StringSlice("items", []string{"tea", "cup"}), attribute.String("device.id", "d-1"))
	app.emit("order_paid", user)
	app.emit("nobody_knows_who")
	app.sendLogs()
	counts := p.settled("moengage", 4)
	assert.Equal(t, 4, counts.withOutcome())

	taken := in.Taken()
	require.Len(t, taken.Users, 1)
	assert.Equal(t, map[string]any{"email": "ada@example.com", "first_name": "Ada", "plan": "pro"}, taken.Users[0].Attributes)
	require.Len(t, taken.Actions, 2)
	placed := taken.Actions[0]
	assert.Equal(t, "shop_order_placed", placed.Name)
	assert.Equal(t, "u1001", placed.Customer)
	assert.Equal(t, "d-1", placed.Device)
	assert.NotEmpty(t, placed.ID)
	assert.Equal(t, "shop", placed.Attributes["service_name"])
	assert.Equal(t, []any{"tea", "cup"}, placed.Attributes["items"])
	assert.WithinDuration(t, time.Now(), placed.Time, time.Minute)
	assert.Equal(t, "order_paid", taken.Actions[1].Name)
	require.Len(t, in.Requests(), 1, "all of it is one bulk request")
}

func TestMoEngageKeepsUserOrderOnFailure(t *testing.T) {
	t.Parallel()
	in := moengageintake.New(t)
	var requests atomic.Int64
	in.ReplyWith(func(moengageintake.Request) moengageintake.Reply {
		switch requests.Add(1) % 5 {
		case 1:
			return moengageintake.Unavailable()
		case 3:
			return moengageintake.RateLimited()
		}
		return moengageintake.Reply{}
	})
	p := startMoEngage(t, in, moengageintake.Key, "verify: 0.02")
	client := newClient(t)
	const calls, each = 20, 30
	for call := range calls {
		var lines strings.Builder
		for i := range each {
			n := call*each + i
			fmt.Fprintf(&lines, `{"id":"e%06d","name":"order_placed","user":{"id":"user-%d"}}`+"\n", n, n%7)
		}
		client.mustAccept(t, p.eventURL(), linesType, lines.String(), each)
	}
	p.settled("moengage", calls*each)

	last := map[string]string{}
	actions := in.Actions()
	assert.Len(t, actions, calls*each, "each arrives once")
	for i := range actions {
		assert.Less(t, last[actions[i].Customer], actions[i].ID, "in order")
		last[actions[i].Customer] = actions[i].ID
	}
}

func TestWrongMoEngageKeyIsNeverShown(t *testing.T) {
	t.Parallel()
	const key = "another-data-api-key"
	in := moengageintake.New(t)
	p := startMoEngage(t, in, key, "mode: single")
	newClient(t).mustAccept(t, p.eventURL(), jsonType, `{"name":"order_placed","user":{"id":"u1001"}}`, 1)
	p.settled("moengage", 1)
	deadLetters := p.newest("moengage", 10)
	require.Len(t, deadLetters, 1)
	assert.Equal(t, "unauthorized", deadLetters[0].Reason)
	p.stop()
	for place, text := range map[string]string{"the log": p.stderr.String(), "the output": p.stdout.String(), "the dead letters": fmt.Sprint(deadLetters)} {
		assert.NotContains(t, text, key, place)
		assert.NotContains(t, text, "Basic ", place)
	}
}
