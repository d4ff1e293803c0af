// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package transport makes HTTP requests to a backend: it joins and compresses bodies, guards which
// addresses are dialed, reads responses to a bound, and keeps secrets out of what is said about
// either.
package transport

import (
	"net/http"
	"time"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
)

// Request is one HTTP request to make. Its method is POST.
type Request struct {
	// URL is where it goes. What is not a URL is refused for good.
	URL string
	// Header is cloned for each attempt, so that requests can share one; nil is an empty one.
	// User-Agent and Content-Encoding are added to it.
	Header http.Header
	// Body is the body before compression. It is nil where the body is the payloads of Events,
	// joined as Join says: the usual case.
	Body []byte
	// Join says what stands around the payloads; it is ignored where there is a Body.
	Join Join
	// Events are the events in the body, in its order.
	Events []batch.Event

	// BeforeSend is called right before the request is sent, which may be minutes after it was
	// built, when earlier requests and limits have had their time. It may change Header (by
	// replacing it), Body and Join: for send times and signatures. It may be nil.
	BeforeSend func(r *Request, now time.Time)
	// OnNoResponse is called when the request was not sent, or got no response, so that
	// ClassifyResponse is not called. It may be nil.
	OnNoResponse func()

	// Partition is for backends whose order matters ([Options.Ordered] of package delivery):
	// requests of one partition are sent one after the other, and those behind a failure wait for
	// the next attempt. 0 is a partition of its own.
	Partition int
	// AtMostOnce keeps a request from being sent again that may have arrived, though there was no
	// response.
	AtMostOnce bool
}

// Join is a body of payloads one behind the other.
type Join struct {
	// Head stands before the first payload, Separator between any two of them, and Tail behind the
	// last.
	Head, Separator, Tail string
}

// Prepare makes the request what it is when it is sent at that time. The sender calls it; so do
// tests that look at a request.
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
