// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
)

// Backend is one kind of destination. [Options] has what only some backends need.
type Backend interface {
	// NewEncoder returns an encoder of events. Encoders are pooled: it is called when the pool is
	// empty, by several goroutines at the same time.
	NewEncoder() Encoder

	// BuildRequests puts events into requests, within the backend's limits on count and bytes.
	//
	// It is called once for each attempt with a batch or what is pending of one, and again for each
	// half of an ambiguous request; so times and signatures are the attempt's. Several goroutines
	// call it at the same time. It joins payloads, and neither decodes nor changes them. Each event
	// has to be in exactly one request, in Request.Events, or in one Refusal; one that is in
	// neither is refused. Parts of the slice of events may go into requests, but neither it nor a
	// payload may be kept beyond them.
	BuildRequests(events []Event) ([]Request, []Refusal)

	// ClassifyResponse tells what a response means for the events of its request. [ClassifyStatus]
	// is a good last resort.
	//
	// It is called once for each request that got a response; [Request.OnNoResponse] is called for
	// the others. Several goroutines call it at the same time. It may keep the texts of an event,
	// but no payload. Delivered has to be said: what is not classified is sent again.
	ClassifyResponse(req *Request, response *Response) Classification
}

// Encoder turns events into the backend's bytes. Each serves one goroutine at a time, and many
// calls of ConsumeLogs one after the other.
type Encoder interface {
	// Prepare is called with the logs whose events are encoded next, for encoders that look beyond
	// one record. Most do nothing.
	Prepare(ld plog.Logs)

	// Encode writes what the event becomes, with Begin and End of the writer: one event or several.
	//
	// An error takes back what was written, and costs no other event. [Skip] is for an event that
	// is not meant for the backend: it is counted, and nothing else. Any other error makes it a
	// dead letter that holds the record; it says which rule of the backend is broken and what to
	// do, and no value of the event. The event is valid until Encode returns; its Source is the
	// same pointer for all events of one resource and scope, so that what is made of it can be kept
	// until Reset.
	Encode(w *Writer, e *appevent.Event) error

	// Reset is called when all events are encoded. The encoder must forget all pdata, and
	// everything that it made of a Source.
	Reset()
}

// TracesEncoder is [Encoder] for spans.
type TracesEncoder interface {
	// Prepare is called with the traces whose spans are encoded next.
	Prepare(td ptrace.Traces)

	// EncodeSpan is what Encode is for events. The source is the same pointer for all spans of one
	// resource and scope.
	EncodeSpan(w *Writer, source *appevent.Source, span ptrace.Span) error

	// Reset is called when all spans are encoded. The encoder must forget all pdata, and everything
	// that it made of a source.
	Reset()
}
