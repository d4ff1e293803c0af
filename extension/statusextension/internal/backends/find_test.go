// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

func TestFilterSelects(t *testing.T) {
	c := newClock()
	r := New(Settings{RecentEvents: 10, Now: c.Now})
	f := &reporter{r.AddExporter(exporterOf(t, "webhook", "logs")), c}
	g := &reporter{r.AddExporter(exporterOf(t, "posthog", "traces")), c}
	long := strings.Repeat("l", 500) + "-end"

	sent := f.accept(eventWith("id-0001"), eventWith("id-0002"), eventWith("id-0003"))
	c.advance(time.Second)
	f.attempt(503, "busy", sent...)
	f.retry(sent[0])
	f.settle(statusfeed.Delivered, "", 200, "", sent[1])
	c.advance(time.Second)
	f.settle(statusfeed.DeadLettered, "refused", 400, "bad", sent[2])
	c.advance(time.Second)
	g.accept(batch.Event{Meta: batch.Meta{ID: "id-0001", Name: "Größe Änderung"}}, batch.Event{Meta: batch.Meta{ID: long}})

	for name, test := range map[string]struct {
		filter Filter
		want   string
	}{
		"all":                    {Filter{}, long + " id-0001 id-0003 id-0002 id-0001"},
		"limit":                  {Filter{Limit: 3}, long + " id-0001 id-0003"},
		"backend":                {Filter{Backends: []string{"webhook"}}, "id-0003 id-0002 id-0001"},
		"backends":               {Filter{Backends: []string{"webhook", "posthog"}, Limit: 1}, long},
		"unknown backend":        {Filter{Backends: []string{"sentry"}}, ""},
		"outcome":                {Filter{Outcomes: []string{"delivered"}}, "id-0002"},
		"outcomes":               {Filter{Outcomes: []string{"delivered", "retrying"}}, "id-0002 id-0001"},
		"waiting":                {Filter{Outcomes: []string{"waiting"}}, long + " id-0001"},
		"reason":                 {Filter{Reason: "refused"}, "id-0003"},
		"status":                 {Filter{Status: 503}, "id-0001"},
		"id":                     {Filter{ID: "id-0001"}, "id-0001 id-0001"},
		"end of an id":           {Filter{ID: "0003"}, "id-0003"},
		"beginning of an id":     {Filter{ID: "id-000"}, ""},
		"id that is cut":         {Filter{ID: long}, long},
		"name":                   {Filter{Name: "ORDER_P"}, "id-0003 id-0002 id-0001"},
		"name beyond ASCII":      {Filter{Name: "größe ä"}, "id-0001"},
		"several at a time":      {Filter{ID: "id-0001", Name: "placed", Status: 503, Outcomes: []string{"retrying"}}, "id-0001"},
		"several that exclude":   {Filter{ID: "id-0001", Status: 200}, ""},
		"limit of what is found": {Filter{Name: "order", Limit: 2}, "id-0003 id-0002"},
	} {
		t.Run(name, func(t *testing.T) {
			found, kept := r.Find(test.filter)
			assert.Equal(t, strings.ReplaceAll(test.want, long, cut(long, maxID)), strings.Join(idsOf(found), " "))
			assert.Equal(t, 5, kept)
		})
	}
}

func TestEventIsFoundAtEachBackend(t *testing.T) {
	c := newClock()
	r := New(Settings{RecentEvents: 10, Now: c.Now})
	for _, id := range []string{"webhook", "posthog", "sentry"} {
		f := &reporter{r.AddExporter(exporterOf(t, id, "logs")), c}
		f.accept(eventWith("a"), eventWith("aa"))
		c.advance(time.Second)
	}
	var at []string
	for _, e := range r.Event("a") {
		assert.Equal(t, "a", e.ID)
		at = append(at, e.Backend)
	}
	assert.Equal(t, []string{"sentry", "posthog", "webhook"}, at)
	assert.Empty(t, r.Event("b"))
	assert.Empty(t, r.Event(""))
}

func TestRoutersAreSorted(t *testing.T) {
	r := New(Settings{})
	var removes []func()
	for _, signal := range []string{"traces", "logs"} {
		removes = append(removes, r.AddRouter(&statusfeed.Router{ID: webhook, Signal: signal}))
	}
	assert.Len(t, r.Routers(), 2)
	assert.Equal(t, "logs", r.Routers()[0].Signal)
	removes[1]()
	removes[1]()
	assert.Equal(t, "traces", r.Routers()[0].Signal)
	removes[0]()
	assert.Empty(t, r.Routers())
}

// TestTheNewestOfManyBackendsAreFound compares limits with the newest of all events.
func TestTheNewestOfManyBackendsAreFound(t *testing.T) {
	r, first := newReporter(t, Settings{RecentEvents: 50}, "webhook/0")
	reporters := []*reporter{first}
	for i := 1; i < 5; i++ {
		reporters = append(reporters, &reporter{r.AddExporter(exporterOf(t, fmt.Sprintf("webhook/%d", i), "logs")), first.clock})
	}
	changes := map[int]*Subscription{}
	for limit := range 60 {
		changes[limit+1] = r.Subscribe(Filter{Limit: limit + 1})
	}
	for i := range 60 {
		if i%7 > 0 { // some change at the same time
			first.clock.advance(time.Second)
		}
		reporters[i*i%5].accept(eventWith(fmt.Sprintf("event-%d", i)))
	}
	all, _ := r.Find(Filter{})
	require.Len(t, all, 60)
	for limit, subscription := range changes {
		found, kept := r.Find(Filter{Limit: limit})
		assert.Equal(t, idsOf(all[:limit]), idsOf(found), limit)
		assert.Equal(t, 60, kept)
		read, lost := subscription.Read()
		assert.Len(t, read, limit)
		assert.Equal(t, 60-limit, lost)
		assert.False(t, read[0].Changed.Before(all[limit-1].Changed))
	}
}

// BenchmarkManyBackends reads what changed at 64 backends, of which a reader gets a part.
func BenchmarkManyBackends(b *testing.B) {
	r := New(Settings{RecentEvents: 1000})
	subscription, events := r.Subscribe(Filter{}), batch.Of(newEvents(100))
	feeds := make([]statusfeed.Feed, 64)
	for i := range feeds {
		feeds[i] = r.AddExporter(exporterOf(b, fmt.Sprintf("webhook/%d", i), "logs"))
	}
	for b.Loop() {
		b.StopTimer()
		for range 10 {
			for _, f := range feeds {
				f.Enter(events)
			}
		}
		b.StartTimer()
		subscription.Read()
	}
}
