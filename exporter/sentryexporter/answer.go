// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"net/http"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// Answer implements delivery.Backend (Sentry's SDK documentation, "Transport" and "Rate Limiting"). Any answer may tell
// of rate limits. What a 429 caught is never sent again by itself: Sentry asks for that.
func (b *backend) Answer(req *delivery.Request, response *delivery.Response) delivery.Verdict {
	if p := b.projects.of(req.Events[0].Destination); p != nil {
		p.limits.learn(response)
	}
	if response.Status/100 != 2 && response.Status != http.StatusTooManyRequests && req.Unanswered != nil {
		req.Unanswered() // the envelope was refused, and the report in it too
	}
	switch response.Status {
	case http.StatusTooManyRequests:
		return b.limited(response)
	case http.StatusUnauthorized, http.StatusForbidden:
		return refused(deadletter.ReasonUnauthorized, delivery.Said(response)+"; check the DSN, and that the project and its key are enabled")
	case http.StatusNotFound:
		return refused(deadletter.ReasonRefused, delivery.Said(response)+"; is the DSN's project or path wrong, or the server older than Relay?")
	case http.StatusTooEarly, http.StatusInternalServerError:
		return refused(deadletter.ReasonRefused, delivery.Said(response))
	default:
		return delivery.DefaultAnswer(req, response)
	}
}

func (b *backend) limited(response *delivery.Response) delivery.Verdict {
	kind := delivery.Refused
	if b.cfg.RateLimited == RateLimitedDrop {
		kind = delivery.Discarded
	}
	return delivery.Verdict{Outcome: delivery.Outcome{Kind: kind, Reason: deadletter.ReasonRateLimited, Message: delivery.Said(response)}}
}

func refused(reason deadletter.Reason, message string) delivery.Verdict {
	return delivery.Verdict{Outcome: delivery.Outcome{Kind: delivery.Refused, Reason: reason, Message: message}}
}
