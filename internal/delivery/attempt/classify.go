// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package attempt

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/transport"
)

// Refusal is an event that is not sent, because the backend would certainly refuse it.
type Refusal struct {
	Event  batch.Event
	Reason deadletter.Reason
	// Message says which rule is broken, and what to do. It goes into the dead letter and to
	// callers that wait, so it must hold no secret.
	Message string
	// Discard drops and counts the event, without a dead letter.
	Discard bool
	// Until is when the backend takes such events again; zero if that is unknown.
	Until time.Time
}

// Classification says what a response means for the events of its request.
type Classification struct {
	// Outcome applies to all events of the request, unless Events has one for each.
	Outcome
	// Events holds an outcome for each event of the request, in their order, or is empty. If the
	// number differs, all events are sent again.
	Events []Outcome
	// Wait is how long the backend asks to wait before anything is sent to it again; 0 leaves it to
	// retry_on_failure.
	Wait time.Duration
}

// Outcome is the outcome of one event.
type Outcome struct {
	Kind Kind
	// Reason is required for Refused, Ambiguous and Discarded.
	Reason deadletter.Reason
	// Message holds the backend's own words, and what to do. It goes into dead letters and to
	// callers that wait; secrets of the request are redacted.
	Message string
	// Until is when the backend takes such events again, for Refused; zero if that is unknown.
	Until time.Time
}

// Kind is the kind of an outcome.
type Kind uint8

const (
	// Unclassified is the zero value, a bug in the backend's code. The events are sent again.
	Unclassified Kind = iota
	// Delivered means that the event has arrived.
	Delivered
	// Retryable means that the event was not delivered, but may be later.
	Retryable
	// Refused means that the backend will never take the event, which becomes a dead letter.
	Refused
	// Ambiguous means that some event of the request is bad, and the backend does not tell which.
	// The request is bisected until that event stands alone, and is refused for Reason. As the
	// outcome of a single event it means Refused.
	Ambiguous
	// Discarded is Refused without a dead letter: the event is dropped and counted.
	Discarded
)

// AllDelivered is the classification of a request whose events have all arrived.
func AllDelivered() Classification { return Classification{Outcome: Outcome{Kind: Delivered}} }

// classification classifies all events of a request alike.
func classification(kind Kind, reason deadletter.Reason, message string) Classification {
	return Classification{Outcome: Outcome{Kind: kind, Reason: reason, Message: message}}
}

// isFailure reports whether no event of the request arrived, and all may be sent again.
func (c *Classification) isFailure() bool {
	if len(c.Events) == 0 {
		return c.Kind.isRetryable()
	}
	return !slices.ContainsFunc(c.Events, func(o Outcome) bool { return !o.Kind.isRetryable() })
}

func (k Kind) isRetryable() bool { return k == Retryable || k == Unclassified }

// IsRetryableStatus reports whether requests with this response status are retried by default: 408,
// 425, 429, 500, 502, 503 and 504 (RFC 9110, RFC 8470, RFC 6585), and what proxies respond with when
// the server behind them fails: 520 to 524 (Cloudflare), 529 (overloaded) and 598 (read timeout).
func IsRetryableStatus(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout, 520, 521, 522, 523, 524, 529, 598:
		return true
	default:
		return false
	}
}

// ClassifyStatus classifies a response by its HTTP status, for backends without rules of their own:
// 2xx is delivered; the statuses of [IsRetryableStatus] are retryable; 400, 413 and 422 are ambiguous;
// everything else is refused. So is 207, because only the backend can read its body.
func ClassifyStatus(req *transport.Request, response *transport.Response) Classification {
	status := response.Status
	message := transport.StatusMessage(response)
	if IsRetryableStatus(status) {
		return Classification{Outcome: Outcome{Kind: Retryable, Message: message}, Wait: transport.RetryAfter(response)}
	}
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return classification(Refused, deadletter.ReasonUnauthorized, message+"; check the credentials")
	case http.StatusRequestEntityTooLarge:
		return classification(Ambiguous, deadletter.ReasonTooLarge, fmt.Sprintf("%s to a request of %d bytes", message, req.Size()))
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return classification(Ambiguous, deadletter.ReasonRefused, message)
	}
	switch {
	case status == http.StatusMultiStatus:
		return classification(Refused, deadletter.ReasonRefused, message+"; the status of each event is not read, so some may have been delivered")
	case status/100 == 2:
		return AllDelivered()
	case status/100 == 3:
		return classification(Refused, deadletter.ReasonRedirected, message+"; redirects are not followed: configure the URL that it redirects to")
	default:
		return classification(Refused, deadletter.ReasonRefused, message)
	}
}
