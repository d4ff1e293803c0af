// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deliverytest

import (
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

// BenchHost returns a host with a status extension that does little with the reports, to measure what
// it costs to make them.
func BenchHost() component.Host {
	return &host{extensions: map[component.ID]component.Component{*newID("status"): &benchStatus{records: make([]string, 1000)}}}
}

// benchStatus looks at each event of each report.
type benchStatus struct {
	component.StartFunc
	component.ShutdownFunc

	mu      sync.Mutex
	next    uint64
	records []string // the last ones
	bytes   int
}

// AddExporter implements statusfeed.Registry.
func (s *benchStatus) AddExporter(*statusfeed.Exporter) statusfeed.Feed { return s }

// AddRouter implements statusfeed.Registry.
func (*benchStatus) AddRouter(*statusfeed.Router) (remove func()) { return func() {} }

// Enter implements statusfeed.Feed.
func (s *benchStatus) Enter(b *batch.Batch) (first uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	first = s.next + 1
	for record := range b.Records() {
		s.records[s.next%uint64(len(s.records))] = record
		s.next++
	}
	return first
}

// Attempted implements statusfeed.Feed.
func (s *benchStatus) Attempted(exchanges []statusfeed.Exchange, _ *statusfeed.Pending) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range exchanges {
		for j := range exchanges[i].Events {
			s.bytes += int(exchanges[i].Events[j].Entry % 2)
			if message := exchanges[i].Message; message != nil {
				s.bytes += len(message(j))
			}
		}
	}
}

// Delivered implements statusfeed.Feed.
func (s *benchStatus) Delivered(deliveries []statusfeed.Delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range deliveries {
		for j := range deliveries[i].Events {
			s.bytes += int(deliveries[i].Events[j].Entry % 2)
		}
	}
}

// Settled implements statusfeed.Feed.
func (s *benchStatus) Settled(_ statusfeed.Outcome, _ string, n int, event func(i int) statusfeed.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range n {
		settled := event(i)
		s.bytes += len(settled.Message) + int(settled.Entry%2)
	}
}

// Accepted implements statusfeed.Feed.
func (*benchStatus) Accepted(int) {}

// Replayed implements statusfeed.Feed.
func (*benchStatus) Replayed([]statusfeed.ReplayedLetter) {}

// Requested implements statusfeed.Feed.
func (*benchStatus) Requested(int, time.Duration, int) {}

// Works implements statusfeed.Feed.
func (*benchStatus) Works() {}

// Fails implements statusfeed.Feed.
func (*benchStatus) Fails(*statusfeed.Problem) {}

// Close implements statusfeed.Feed.
func (*benchStatus) Close() {}
