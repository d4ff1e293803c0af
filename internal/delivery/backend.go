// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
)

// Backend is one kind of destination. [Options] holds what only some backends need.
type Backend interface {
	// NewEncoder returns an encoder of events. Encoders are pooled; NewEncoder is called when the
	// pool is empty, possibly by several goroutines at once.
	NewEncoder() Encoder

	// BuildRequests puts events into requests, within the backend's limits on count and bytes.
	//
	// It is called once per attempt, with the events of a batch that are still pending, and again
	// for each half of an ambiguous request; so times and signatures are those of the attempt.
	// Several goroutines may call it at once. It joins payloads, and neither decodes nor changes
	// them. Each event must be in exactly one request, in Request.Events, or in one Refusal; an
	// event in neither is refused. Requests may hold subslices of events; nothing may keep the
	// slice or a payload longer than the requests.
	BuildRequests(events []Event) ([]Request, []Refusal)

	// ClassifyResponse returns what a response means for the events of its request. For a status
	// without rules of the backend's own, return [ClassifyStatus].
	//
	// It is called once for each request that got a response; [Request.OnNoResponse] is called for
	// the others. Several goroutines may call it at once. It may keep the strings of an event, but
	// no payload. An event without a classification counts as not delivered, and is sent again.
	ClassifyResponse(req *Request, response *Response) Classification
}

// Encoder turns events into the backend's bytes. Each encoder serves one goroutine at a time, and is
// reused for many calls of ConsumeLogs.
type Encoder interface {
	// Prepare is called with the logs before their events are encoded, for encoders that need to
	// see more than one record. Most do nothing.
	Prepare(ld plog.Logs)

	// Encode writes the event with the writer's Begin and End, as one encoded event or several.
	//
	// If Encode returns an error, what it wrote is taken back; other events are not affected. Return
	// [Skip] for an event that the backend should not get: it is only counted. Any other error
	// makes the record a dead letter; the error says which rule of the backend is broken and what
	// to do, without quoting a value of the event. The event is valid until Encode returns. Its
	// Source is the same pointer for all events of one resource and scope, so results computed
	// from it can be cached until Reset.
	Encode(w *Writer, e *appevent.Event) error

	// Reset is called when all events are encoded. The encoder must drop all references to pdata,
	// and everything it cached for a Source.
	Reset()
}

// TracesEncoder is [Encoder] for spans.
type TracesEncoder interface {
	// Prepare is called with the traces before their spans are encoded.
	Prepare(td ptrace.Traces)

	// EncodeSpan encodes a span as [Encoder.Encode] does an event. The source is the same pointer
	// for all spans of one resource and scope.
	EncodeSpan(w *Writer, source *appevent.Source, span ptrace.Span) error

	// Reset is called when all spans are encoded. The encoder must drop all references to pdata,
	// and everything it cached for a source.
	Reset()
}
