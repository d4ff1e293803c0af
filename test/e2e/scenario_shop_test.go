// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/otel/attribute"

	moengageintake "github.com/otelcol-fanout/otelcol-fanout/test/intake/moengage"
	posthogintake "github.com/otelcol-fanout/otelcol-fanout/test/intake/posthog"
)

// shopTable says which provider gets which events.
const shopTable = `
    routes: [
      {events: [login_success], pipelines: [logs/posthog, logs/moengage]},
      {events: [feature_*], pipelines: [logs/posthog]},
      {events: [notification_sent], pipelines: [logs/moengage]},
    ],
    default_pipelines: [logs/posthog, logs/moengage]`

// shop reports user events to two providers.
type shop struct {
	*instrumentedCollector

	posthog  *posthogintake.Intake
	moengage *moengageintake.Intake
}

func newShop(t *testing.T) *shop {
	t.Helper()
	// A failing provider is retried for a fifth of a second; then its events are kept.
	const settings = "dead_letter: dead_letter, sending_queue: {batch: {flush_timeout: 20ms}}, " +
		"retry_on_failure: {initial_interval: 20ms, max_interval: 50ms, max_elapsed_time: 200ms}"
	s := &shop{posthog: posthogintake.New(t), moengage: moengageintake.New(t)}
	s.instrumentedCollector = startFanout(t, newDataFolders(t), shopTable,
		branch{"logs/posthog", "posthog", fmt.Sprintf("endpoint: %q, api_key: %s, %s", s.posthog.URL(), posthogintake.Key, settings)},
		branch{"logs/moengage", "moengage", fmt.Sprintf("endpoint: %q, workspace_id: %s, api_key: %s, data_center: 1, %s",
			s.moengage.URL(), moengageintake.Workspace, moengageintake.Key, settings)})
	return s
}

// User events of the shop. Each provider gets five of them.
const eventsPerProvider = 5

func (s *shop) reportEvents() {
	s.t.Helper()
	app := newGoApp(s.t, s.otlpHTTP())
	ada := attribute.String("user.id", "ada1001")
	app.emit("login_success", ada)
	app.emit("feature_clicked", ada, attribute.String("feature", "wishlist"))
	app.emit("notification_sent", ada, attribute.String("channel", "email"))
	app.sendLogs()

	base := strings.TrimSuffix(s.eventURL(), "/events")
	curl(s.t, base+"/identify", `{"messageId":"0198c0de-0000-7000-8000-000000000001","userId":"ada1001","traits":{"plan":"pro"}}`)
	curl(s.t, base+"/page", `{"messageId":"0198c0de-0000-7000-8000-000000000002","userId":"ada1001","name":"Pricing",
		"properties":{"url.full":"https://shop.example/pricing"}}`)
	// These two select their own destinations.
	curl(s.t, base+"/track", `{"event":"login_success","userId":"bob1002","integrations":{"MoEngage":false}}`)
	curl(s.t, base+"/events", `{"name":"login_success","user":{"id":"cleo1003"},"destinations":{"all":false,"moengage":true}}`)
}

func TestScenarioShopRoutesDespiteOutage(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		breaks   func(*shop)
		mends    func(*shop)
		up, down string
	}{
		{
			name: "MoEngage is down", up: "posthog", down: "moengage",
			breaks: func(s *shop) {
				s.moengage.ReplyWith(func(moengageintake.Request) moengageintake.Reply { return moengageintake.Unavailable() })
			},
			mends: func(s *shop) { s.moengage.ReplyWith(nil) },
		},
		{
			name: "PostHog is down", up: "moengage", down: "posthog",
			breaks: func(s *shop) {
				s.posthog.ReplyWith(func(posthogintake.Request) posthogintake.Reply {
					return posthogintake.Error(http.StatusServiceUnavailable, "service_unavailable").Within("0.02")
				})
			},
			mends: func(s *shop) { s.posthog.ReplyWith(nil) },
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			tt.breaks(s)
			s.reportEvents()
			assert.Equal(t, map[string]int{"delivered/": eventsPerProvider}, s.settled(tt.up, eventsPerProvider).reasons)
			assert.Equal(t, map[string]int{"dead_lettered/exhausted": eventsPerProvider}, s.settled(tt.down, eventsPerProvider).reasons)
			assert.Equal(t, wantEvents[tt.up], s.eventsAtProvider(tt.up), "events at the running provider")
			assert.Empty(t, s.eventsAtProvider(tt.down), "events at the failing provider")

			tt.mends(s)
			_, got := s.replay(tt.down, nil)
			assert.Equal(t, replayed{Replayed: eventsPerProvider, Delivered: eventsPerProvider}, got)
			s.stop()
			for _, provider := range []string{tt.up, tt.down} {
				assert.Equal(t, wantEvents[provider], s.eventsAtProvider(provider), provider)
			}
			assertIDsAreShared(t, s)
		})
	}
}

// wantEvents has the events that each provider must get, and how often.
var wantEvents = map[string]map[string]int{
	"posthog": {
		"ada1001 login_success": 1, "ada1001 feature_clicked": 1, "ada1001 $identify": 1, "ada1001 $pageview": 1,
		"bob1002 login_success": 1,
	},
	"moengage": {
		"ada1001 login_success": 1, "ada1001 notification_sent": 1, "ada1001 is pro": 1, "ada1001 page_viewed": 1,
		"cleo1003 login_success": 1,
	},
}

// eventsAtProvider returns the events that a provider has.
func (s *shop) eventsAtProvider(provider string) map[string]int {
	day := map[string]int{}
	if provider == "posthog" {
		for _, e := range s.posthog.Events() {
			day[e.DistinctID+" "+e.Name]++
		}
		return day
	}
	taken := s.moengage.Taken()
	for i := range taken.Actions {
		day[taken.Actions[i].Customer+" "+taken.Actions[i].Name]++
	}
	for i := range taken.Users {
		day[fmt.Sprint(taken.Users[i].Customer, " is ", taken.Users[i].Attributes["plan"])]++
	}
	return day
}

// assertIDsAreShared checks that an event has the same id at both providers.
func assertIDsAreShared(t *testing.T, s *shop) {
	t.Helper()
	ids := map[string]string{}
	for _, e := range s.posthog.Events() {
		ids[e.DistinctID+" "+strings.ReplaceAll(e.Name, "$pageview", "page_viewed")] = e.UUID
	}
	shared := map[string]bool{}
	actions := s.moengage.Actions()
	for i := range actions {
		what := actions[i].Customer + " " + actions[i].Name
		if id, ok := ids[what]; ok {
			assert.Equal(t, id, actions[i].ID, what)
			shared[what] = true
		}
	}
	assert.Equal(t, set("ada1001 login_success", "ada1001 page_viewed"), shared)
	assert.Equal(t, "0198c0de-0000-7000-8000-000000000002", ids["ada1001 page_viewed"], "the id that the shop gave")
}
