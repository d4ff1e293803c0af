// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/outcome"
	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

// skips collects what a call skips, so that it is counted once for each reason, and not event by event.
// R is a record of the call.
type skips[R any] struct {
	reasons []skipsOf[R]
}

// keptRecords is how many records there is room for in the next call too.
const keptRecords = 1000

// skipsOf are the skipped events of one reason. records are theirs, if they are reported to the status
// extension.
type skipsOf[R any] struct {
	reason  Skip
	count   int
	records []R
}

// add adds what an encoder skipped of a record.
func (s *skips[R]) add(reasons []Skip, record R, reported bool) {
	for _, reason := range reasons {
		of := s.of(reason)
		of.count++
		if reported {
			of.records = append(of.records, record)
		}
	}
}

// of returns the skips of a reason, of which there are few.
func (s *skips[R]) of(reason Skip) *skipsOf[R] {
	for i := range s.reasons {
		if s.reasons[i].reason == reason {
			return &s.reasons[i]
		}
	}
	s.reasons = append(s.reasons, skipsOf[R]{reason: reason})
	return &s.reasons[len(s.reasons)-1]
}

// record records the skips, and forgets them. describe is called for the records that the status
// extension remembers.
func (s *skips[R]) record(recorder *outcome.Recorder, describe func(R) statusfeed.Event) {
	for i := range s.reasons {
		if of := &s.reasons[i]; of.count > 0 {
			recorder.Skipped(string(of.reason), of.count, func(i int) statusfeed.Event {
				if i >= len(of.records) { // reports began during the call
					return statusfeed.Event{}
				}
				return describe(of.records[i])
			})
			clear(of.records)
			of.count, of.records = 0, of.records[:0]
			if cap(of.records) > keptRecords {
				of.records = nil
			}
		}
	}
}

// skippedRecord is a log record of which something was skipped.
type skippedRecord struct {
	source *appevent.Source
	record plog.LogRecord
}

// describe describes the event to the status extension.
func (r skippedRecord) describe() statusfeed.Event {
	var e appevent.Event
	e.ReadRecord(r.source, r.record)
	event := statusfeed.Event{ID: e.ID(), Name: e.Name}
	if e.Time != 0 {
		event.Time = e.Time.AsTime()
	}
	return event
}

func describeSpan(span ptrace.Span) statusfeed.Event {
	return statusfeed.Event{ID: span.SpanID().String(), Name: span.Name(), Time: span.StartTimestamp().AsTime()}
}
