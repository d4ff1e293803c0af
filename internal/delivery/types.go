// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"time"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/attempt"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/transport"
)

// Encoded events, as backends see them; documented in package batch.
type (
	// Writer packs encoded events.
	Writer = batch.Writer
	// Meta describes an encoded event for later stages.
	Meta = batch.Meta
	// Event is one encoded event.
	Event = batch.Event
	// Skip is an encoder's error for an event that the backend should not get.
	Skip = batch.Skip //nolint:errname // see there
)

// HTTP, as backends see it; documented in package transport.
type (
	// Request is one HTTP request to make.
	Request = transport.Request
	// Join says what stands between and around the payloads of a body.
	Join = transport.Join
	// Response is a backend's response to a request.
	Response = transport.Response
	// Guard refuses connections to some addresses.
	Guard = transport.Guard
)

// One attempt, as backends see it; documented in package attempt.
type (
	// Refusal is an event that is not sent, because the backend would refuse it.
	Refusal = attempt.Refusal
	// Classification says what a response means for the events of its request.
	Classification = attempt.Classification
	// Outcome is the outcome of one event.
	Outcome = attempt.Outcome
	// Kind is the kind of an outcome.
	Kind = attempt.Kind
	// Pacer delays requests to stay within a rate limit.
	Pacer = attempt.Pacer
	// HandshakeError says what is missing from a backend's response to a handshake.
	HandshakeError = attempt.HandshakeError
)

// The kinds of outcomes.
const (
	Delivered = attempt.Delivered
	Retryable = attempt.Retryable
	Refused   = attempt.Refused
	Ambiguous = attempt.Ambiguous
	Discarded = attempt.Discarded
)

// AllDelivered is the classification of a request whose events have all arrived.
func AllDelivered() Classification { return attempt.AllDelivered() }

// ClassifyStatus classifies a response by its HTTP status alone; see [attempt.ClassifyStatus].
func ClassifyStatus(req *Request, response *Response) Classification {
	return attempt.ClassifyStatus(req, response)
}

// StatusMessage describes a response in a message: the status, and the beginning of the body if that
// is text. It holds no secret.
func StatusMessage(response *Response) string { return transport.StatusMessage(response) }

// RetryAfter returns the wait that a response asks for in Retry-After; see [transport.RetryAfter].
func RetryAfter(response *Response) time.Duration { return transport.RetryAfter(response) }

// NewPacer returns a pacer of perSecond on average, and of burst at once; see [attempt.NewPacer].
func NewPacer(perSecond float64, burst int, weigh func(*Request) int) *Pacer {
	return attempt.NewPacer(perSecond, burst, weigh)
}

// EachRequest counts requests, for [NewPacer].
func EachRequest(req *Request) int { return attempt.EachRequest(req) }
