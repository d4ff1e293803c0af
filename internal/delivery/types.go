// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"time"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/attempt"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/retry"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/transport"
)

// What backends see of encoded events; package batch has their documentation.
type (
	// Writer packs encoded events.
	Writer = batch.Writer
	// Meta is what later stages need to know of an encoded event.
	Meta = batch.Meta
	// Event is one encoded event.
	Event = batch.Event
	// Skip is the error of an encoder for an event that the backend is not meant to get.
	Skip = batch.Skip //nolint:errname // see there
)

// What backends see of HTTP; package transport has its documentation.
type (
	// Request is one HTTP request to make.
	Request = transport.Request
	// Join is a body of payloads one behind the other.
	Join = transport.Join
	// Response is a backend's response to a request.
	Response = transport.Response
	// Guard refuses to dial some addresses.
	Guard = transport.Guard
)

// What backends see of an attempt; package attempt has its documentation.
type (
	// Refusal is an event that the backend does not send.
	Refusal = attempt.Refusal
	// Classification is what a response means for the events of its request.
	Classification = attempt.Classification
	// Outcome is what became of an event.
	Outcome = attempt.Outcome
	// Kind is the kind of an outcome.
	Kind = attempt.Kind
	// Pacer makes requests wait for a rate limit.
	Pacer = attempt.Pacer
	// HandshakeError says what a backend's response to a handshake lacks.
	HandshakeError = attempt.HandshakeError
)

// Schedule says when, and how often, events are sent again; see [retry.Schedule].
type Schedule = retry.Schedule

// The kinds of outcomes.
const (
	Delivered = attempt.Delivered
	Retryable = attempt.Retryable
	Refused   = attempt.Refused
	Ambiguous = attempt.Ambiguous
	Discarded = attempt.Discarded
)

// AllDelivered is the classification of a request whose events the backend has.
func AllDelivered() Classification { return attempt.AllDelivered() }

// ClassifyStatus is what an HTTP status means where the backend has no other rule; see
// [attempt.ClassifyStatus].
func ClassifyStatus(req *Request, response *Response) Classification {
	return attempt.ClassifyStatus(req, response)
}

// StatusMessage is what the backend answered, for messages: the status, and the beginning of the
// body where that is text.
func StatusMessage(response *Response) string { return transport.StatusMessage(response) }

// RetryAfter is the wait that a response asks for with Retry-After; see [transport.RetryAfter].
func RetryAfter(response *Response) time.Duration { return transport.RetryAfter(response) }

// NewPacer returns a pacer that lets perSecond pass on average, and burst at once; see
// [attempt.NewPacer].
func NewPacer(perSecond float64, burst int, weigh func(*Request) int) *Pacer {
	return attempt.NewPacer(perSecond, burst, weigh)
}

// EachRequest counts requests, for [NewPacer].
func EachRequest(req *Request) int { return attempt.EachRequest(req) }
