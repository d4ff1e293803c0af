// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package transport makes HTTP requests to a backend. It joins and compresses bodies, guards which
// addresses are dialed, bounds responses, and redacts secrets from errors and messages.
package transport

import (
	"net/http"
	"time"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
)

// Request is one HTTP request to make. Its method is POST.
type Request struct {
	// URL is the address. A request with an invalid URL is refused for good.
	URL string
	// Header is cloned when the request is sent, so requests can share one; it may be nil.
	// User-Agent and Content-Encoding are added.
	Header http.Header
	// Body is the body before compression. It is usually nil: then the payloads of Events, joined
	// as Join says, are the body.
	Body []byte
	// Join says what stands around the payloads; it is ignored if Body is set.
	Join Join
	// Events are the events in the body, in the body's order.
	Events []batch.Event

	// BeforeSend is called right before the request is sent, which may be minutes after it was
	// built. It sets send times and signatures; it may change Body and Join, and replace Header.
	// It may be nil.
	BeforeSend func(r *Request, now time.Time)
	// OnNoResponse is called instead of ClassifyResponse if the request is not sent, or gets no
	// response, for example to release what BuildRequests reserved. It may be nil.
	OnNoResponse func()

	// Partition is for ordered backends (Options.Ordered of package delivery): requests of one
	// partition are sent one after another, and those after a failure wait for the next attempt.
	// Each request with 0 is a partition of its own.
	Partition int
	// AtMostOnce means that a request without a response is not sent again if it may have arrived.
	AtMostOnce bool
}

// Join says what stands around the payloads of a body.
type Join struct {
	// Head stands before the first payload, Separator between payloads, and Tail after the last.
	Head, Separator, Tail string
}

// Prepare calls BeforeSend. [Client.Send] calls it, as do tests that inspect a request.
func (r *Request) Prepare(now time.Time) {
	if r.BeforeSend != nil {
		r.BeforeSend(r, now)
	}
}

// Size is the number of bytes of the body, before compression.
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

// AppendBody appends the body, before compression.
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
