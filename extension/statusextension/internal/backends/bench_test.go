// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"fmt"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

// BenchmarkReports reports batches of 100 events as an exporter does: entered, attempted and
// settled. ns/event is the time for all reports on one event.
func BenchmarkReports(b *testing.B) {
	for _, variant := range []struct {
		name          string
		message       string
		subscriptions int
	}{{"delivered", "", 0}, {"delivered_16_readers", "", 16}, {"refused", "the backend refused the event", 0}} {
		b.Run(variant.name, func(b *testing.B) {
			r := New(Settings{RecentEvents: 1000})
			f := r.AddExporter(&statusfeed.Exporter{ID: component.MustNewID("webhook"), Signal: "logs"})
			for range variant.subscriptions {
				r.Subscribe(Filter{})
			}
			events := newEvents(100)
			made, sent := batch.Of(events), make([]batch.Event, len(events))
			message := messageOf(variant.message)
			b.ReportAllocs()
			for b.Loop() {
				f.Accepted(len(events))
				first := f.Enter(made)
				copy(sent, events)
				for i := range sent {
					sent[i].Entry = first + uint64(i)
				}
				f.Attempted([]statusfeed.Exchange{{Events: sent, Begun: time.Now(), Took: time.Millisecond, Status: 200, Message: message}}, nil)
				if variant.message == "" {
					f.Delivered([]statusfeed.Delivery{{Events: sent, Status: 200}})
					continue
				}
				f.Settled(statusfeed.DeadLettered, "refused", len(sent), func(i int) statusfeed.Event {
					e := &sent[i]
					return statusfeed.Event{Entry: e.Entry, ID: e.ID, Name: e.Name, Time: e.Time.AsTime(), Status: 200, Message: variant.message, Payload: e.Payload}
				})
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(events)), "ns/event")
		})
	}
}

// BenchmarkSkipped reports events that the backend does not get, those of a call of 100 at a time.
func BenchmarkSkipped(b *testing.B) {
	f := New(Settings{RecentEvents: 1000}).AddExporter(&statusfeed.Exporter{ID: component.MustNewID("webhook"), Signal: "logs"})
	event := func(int) statusfeed.Event {
		return statusfeed.Event{ID: "0198c0de-0000-7000-8000-000000000001", Name: "order_placed"}
	}
	b.ReportAllocs()
	for b.Loop() {
		f.Accepted(100)
		f.Settled(statusfeed.Skipped, "plain_log", 100, event)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100, "ns/event")
}

// BenchmarkQuestions asks the largest ring for what it does not find, which takes longest: reports wait
// meanwhile.
func BenchmarkQuestions(b *testing.B) {
	r := New(Settings{RecentEvents: 10_000})
	f := &reporter{r.AddExporter(&statusfeed.Exporter{ID: component.MustNewID("webhook"), Signal: "logs"}), newClock()}
	f.settle(statusfeed.DeadLettered, "refused", 400, "bad", f.accept(newEvents(10_000)...)...)
	f.settle(statusfeed.Delivered, "", 200, "", f.accept(newEvents(10_000)...)...)
	f.skip("plain_log", newEvents(10_000)...)
	for name, ask := range map[string]func(){
		"event":    func() { r.Event("unknown") },
		"find":     func() { r.Find(Filter{Name: "unknown", Limit: 100}) },
		"replayed": func() { f.replay(true, "unknown") },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				ask()
			}
		})
	}
}

func newEvents(n int) []batch.Event {
	events := make([]batch.Event, n)
	for i := range events {
		events[i] = batch.Event{
			Meta:    batch.Meta{ID: fmt.Sprintf("0198c0de-0000-7000-8000-%012d", i), Name: "order_placed", Time: 1},
			Payload: []byte(`{"event":"order_placed"}`),
		}
	}
	return events
}
