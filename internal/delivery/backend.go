// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"net/http"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

// Backend is one kind of destination. Its methods run concurrently.
type Backend interface {
	// NewEncoder returns an encoder; each serves one goroutine at a time.
	NewEncoder() Encoder

	// Frame puts events into requests, within the backend's limits on count and bytes. Every event is in one request, or
	// refused. It runs for each attempt, so that times and signatures are the attempt's, and it joins payloads rather
	// than encode anew. It keeps neither the slice nor the payloads, but in the requests it returns.
	Frame(events []Event) ([]Request, []Refusal)

	// Answer tells what an answer means for the events of its request.
	Answer(req *Request, response *Response) Verdict
}

// Encoder turns events into the backend's bytes.
type Encoder interface {
	// Encode writes what the event becomes, which is one event or several. An event that is none of the backend's
	// business is a [Skip]; any other error is an event that cannot be encoded.
	Encode(w *Writer, e *appevent.Event) error

	// Reset forgets the pdata it has seen.
	Reset()
}

// Meta is what delivery has to know of an encoded event.
type Meta struct {
	// ID and Name are the event's.
	ID, Name string
	// Time is when it happened; 0 where unknown.
	Time pcommon.Timestamp
	// Category says what sort of data it is, and Destination whose, where that matters to Frame. They may be empty.
	Category, Destination string
}

// TracesBackend is a backend that takes spans too.
type TracesBackend interface {
	Backend

	// NewTracesEncoder returns an encoder of spans; each serves one goroutine at a time.
	NewTracesEncoder() TracesEncoder
}

// TracesEncoder turns spans, and what is in them, into the backend's bytes.
type TracesEncoder interface {
	// EncodeSpan is what Encode is for events. The source is the same pointer for the spans of one resource and scope.
	EncodeSpan(w *Writer, source *appevent.Source, span ptrace.Span) error

	// Reset forgets the pdata it has seen.
	Reset()
}

// Event is one encoded event: a view of bytes in the queue.
type Event struct {
	Meta
	Payload []byte
}

// Request is one HTTP request to make. Its method is POST.
type Request struct {
	URL string
	// Header is cloned for each attempt, so that requests can share one. It may be nil.
	Header http.Header
	// Body is not compressed: delivery does that. It may be nil where the body is the payloads joined as Join says, which
	// spares making it.
	Body []byte
	Join Join
	// Events are those in the body.
	Events []Event
	// Sending, where not nil, is called when the request is about to be sent, which may be long after Frame has made it: others are
	// sent before. It may change the body and the header, for what has to tell the time.
	Sending func(r *Request, at time.Time)
	// Unanswered, where not nil, is called when there is no answer, so that Answer is not asked.
	Unanswered func()
	// Lane is for backends that are [Ordered]: requests of one lane are sent one after the other. Where one fails, those
	// behind it wait for the next attempt.
	Lane int
	// Once tells that a request which may have arrived, though there was no answer, is not sent again.
	Once bool
}

// Join is a body of payloads one behind the other.
type Join struct {
	// Head stands before the first payload, Separator between any two of them, and Tail behind the last.
	Head, Separator, Tail string
}

// Ready makes the request what it is when it is sent at that time.
func (r *Request) Ready(at time.Time) {
	if r.Sending != nil {
		r.Sending(r, at)
	}
}

// Size is the number of bytes of the body.
func (r *Request) Size() int {
	if r.Body != nil || len(r.Events) == 0 {
		return len(r.Body)
	}
	size := len(r.Join.Head) + (len(r.Events)-1)*len(r.Join.Separator) + len(r.Join.Tail)
	for i := range r.Events {
		size += len(r.Events[i].Payload)
	}
	return size
}

// AppendBody appends the body.
func (r *Request) AppendBody(dst []byte) []byte {
	if r.Body != nil || len(r.Events) == 0 {
		return append(dst, r.Body...)
	}
	dst = append(dst, r.Join.Head...)
	for i := range r.Events {
		if i > 0 {
			dst = append(dst, r.Join.Separator...)
		}
		dst = append(dst, r.Events[i].Payload...)
	}
	return append(dst, r.Join.Tail...)
}

// Refusal is an event that is not worth sending.
type Refusal struct {
	Event   Event
	Reason  deadletter.Reason
	Message string
	// Discard makes no dead letter of it: the event is dropped, and counted.
	Discard bool
}

// Response is an answer. Its body is cut off at 64 KiB.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
	// Truncated tells that there was more of the body.
	Truncated bool
	// ReceivedAt is when it came.
	ReceivedAt time.Time

	// request is what was sent, with all headers; nil where a test has made the response.
	request *http.Request
}

// Verdict is what an answer means.
type Verdict struct {
	// Outcome is that of all events of the request, unless Events has one for each.
	Outcome
	// Events has an outcome for each event of the request, in their order, or is empty.
	Events []Outcome
	// Wait is how long the backend wants to be left alone before anything is retried; 0 leaves it to retry_on_failure.
	Wait time.Duration
}

// Outcome is what became of an event.
type Outcome struct {
	Kind Kind
	// Reason says why, for Refused and Unknown; Message in words, for Retry too. It goes into dead letters and is told to
	// callers that wait: it holds no secret.
	Reason  deadletter.Reason
	Message string
}

// Kind is the kind of an outcome.
type Kind uint8

const (
	// Delivered is what the backend has.
	Delivered Kind = iota
	// Retry is what was not delivered, but may be later.
	Retry
	// Refused is what the backend will never take.
	Refused
	// Unknown is when some event of the request spoils it, and the backend does not tell which. Delivery sends halves until the
	// culprit stands alone, which is then refused for Reason. Among the outcomes of single events it is Refused.
	Unknown
	// Discarded is Refused without a dead letter: the event is dropped, and counted.
	Discarded
)

// Preparer is an encoder, of events or of spans, that looks beyond the one it is given.
type Preparer[T plog.Logs | ptrace.Traces] interface {
	// Prepare is called with the pdata whose events or spans are encoded next. It is valid until Reset.
	Prepare(data T)
}

// LossObserver is a backend that wants to know of the events that are lost for good, which are counted as dropped.
type LossObserver interface {
	// Lost is called with the letters that nobody keeps. It must not keep them either.
	Lost(letters []deadletter.Letter)
}

// Closer is a backend that is shared by exporters.
type Closer interface {
	// Close is called once by each exporter, when it has stopped.
	Close()
}

// Skip is the error of an encoder for an event that the backend is not meant to get. Its text is the reason, one word
// such as plain_log, which the metrics count.
type Skip string //nolint:errname // an encoder that returns Skip("plain_log") reads as what it does

func (s Skip) Error() string { return "skipped: " + string(s) }
