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

// Refusal is an event that the backend does not send, because it would refuse it for sure.
type Refusal struct {
	Event  batch.Event
	Reason deadletter.Reason
	// Message says which rule, and what to do. It goes into the dead letter and to callers that
	// wait: it holds no secret.
	Message string
	// Discard makes no dead letter of it: the event is dropped, and counted.
	Discard bool
}

// Classification is what a response means for the events of its request.
type Classification struct {
	// Outcome is that of all events of the request, unless Events has one for each.
	Outcome
	// Events has an outcome for each event of the request, in their order, or is empty. With any
	// other number, all are sent again.
	Events []Outcome
	// Wait is how long the backend wants to be left alone before anything is sent again; 0 leaves
	// it to retry_on_failure.
	Wait time.Duration
}

// Outcome is what became of an event.
type Outcome struct {
	Kind Kind
	// Reason is required for Refused, Ambiguous and Discarded.
	Reason deadletter.Reason
	// Message is what the backend said, and what to do. It goes into dead letters and to callers
	// that wait: secrets of the request are taken out of it.
	Message string
}

// Kind is the kind of an outcome.
type Kind uint8

const (
	// Unclassified is the zero value, a mistake of the backend's code: the events are sent again.
	Unclassified Kind = iota
	// Delivered is what the backend has.
	Delivered
	// Retryable is what was not delivered, but may be later.
	Retryable
	// Refused is what the backend will never take. It becomes a dead letter.
	Refused
	// Ambiguous is a request of which some event is bad, and the backend does not tell which. It is
	// bisected until that event stands alone, which is then refused for Reason. Among the outcomes
	// of single events it means Refused.
	Ambiguous
	// Discarded is Refused without a dead letter: the event is dropped, and counted.
	Discarded
)

// AllDelivered is the classification of a request whose events the backend has.
func AllDelivered() Classification { return Classification{Outcome: Outcome{Kind: Delivered}} }

// because is a classification of all events of a request.
func because(kind Kind, reason deadletter.Reason, message string) Classification {
	return Classification{Outcome: Outcome{Kind: kind, Reason: reason, Message: message}}
}

// isFailure reports whether nothing of the request arrived, but may later.
func (c *Classification) isFailure() bool {
	if len(c.Events) == 0 {
		return c.Kind.isRetryable()
	}
	return !slices.ContainsFunc(c.Events, func(o Outcome) bool { return !o.Kind.isRetryable() })
}

func (k Kind) isRetryable() bool { return k == Retryable || k == Unclassified }

// ClassifyStatus is what an HTTP status means where a backend has no rules of its own: 2xx is
// delivered; 408, 425, 429, 500, 502, 503 and 504 are retryable; 400, 413 and 422 are about some
// event of the request; all else is refused. So is 207, which says of each event what only the
// backend can read.
func ClassifyStatus(req *transport.Request, response *transport.Response) Classification {
	status := response.Status
	message := transport.StatusMessage(response)
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return Classification{Outcome: Outcome{Kind: Retryable, Message: message}, Wait: transport.RetryAfter(response)}
	case http.StatusUnauthorized, http.StatusForbidden:
		return because(Refused, deadletter.ReasonUnauthorized, message+"; check the credentials")
	case http.StatusRequestEntityTooLarge:
		return because(Ambiguous, deadletter.ReasonTooLarge, fmt.Sprintf("%s to a request of %d bytes", message, req.Size()))
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return because(Ambiguous, deadletter.ReasonRefused, message)
	}
	switch {
	case status == http.StatusMultiStatus:
		return because(Refused, deadletter.ReasonRefused, message+"; its status of each event is not read, so that some may be delivered")
	case status/100 == 2:
		return AllDelivered()
	case status/100 == 3:
		return because(Refused, deadletter.ReasonRedirected, message+"; redirects are not followed, write the URL it redirects to")
	default:
		return because(Refused, deadletter.ReasonRefused, message)
	}
}
