// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"net/http"
	"time"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// ClassifyResponse implements delivery.Backend (Sentry's SDK documentation, "Transport" and "Rate
// Limiting"). A response of any status may carry rate limits. As Sentry asks, events are not retried
// automatically after a 429.
func (b *backend) ClassifyResponse(req *delivery.Request, response *delivery.Response) delivery.Classification {
	var limitedUntil time.Time
	if p := b.projects.of(req.Events[0].Destination); p != nil {
		p.limits.learn(response)
		limitedUntil = p.limits.of(req.Events[0].Category, response.ReceivedAt)
	}
	if response.Status/100 != 2 && response.Status != http.StatusTooManyRequests && req.OnNoResponse != nil {
		req.OnNoResponse() // the client report in the envelope was refused with it
	}
	switch response.Status {
	case http.StatusTooManyRequests:
		return b.rateLimited(response, limitedUntil)
	case http.StatusUnauthorized, http.StatusForbidden:
		return refused(deadletter.ReasonUnauthorized, delivery.StatusMessage(response)+"; check the DSN, and that the project and its key are enabled")
	case http.StatusNotFound:
		return refused(deadletter.ReasonRefused, delivery.StatusMessage(response)+"; check the DSN's project and path, and that the server accepts envelopes")
	case http.StatusTooEarly, http.StatusInternalServerError:
		return refused(deadletter.ReasonRefused, delivery.StatusMessage(response))
	default:
		return delivery.ClassifyStatus(req, response)
	}
}

func (b *backend) rateLimited(response *delivery.Response, until time.Time) delivery.Classification {
	c := refused(deadletter.ReasonRateLimited, delivery.StatusMessage(response))
	c.Until = until
	if b.cfg.RateLimited == RateLimitedDrop {
		c.Kind = delivery.Discarded
	}
	return c
}

func refused(reason deadletter.Reason, message string) delivery.Classification {
	return delivery.Classification{Outcome: delivery.Outcome{Kind: delivery.Refused, Reason: reason, Message: message}}
}
