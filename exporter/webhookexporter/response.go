// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package webhookexporter

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// ClassifyResponse implements delivery.Backend. The configuration says what a status means; if it
// does not mention the status, the usual meaning applies.
func (b *backend) ClassifyResponse(req *delivery.Request, response *delivery.Response) delivery.Classification {
	b.redactRoutingKey(response)
	status := response.Status
	switch {
	case slices.Contains(b.cfg.SuccessCodes, status):
		return delivery.AllDelivered()
	case slices.Contains(b.cfg.RetryCodes, status):
		return b.retryable(response)
	case status == http.StatusGone:
		b.gone.Store(true)
		return refused(deadletter.ReasonGone, delivery.StatusMessage(response)+"; the endpoint gets no more events until the exporter restarts or dead letters are replayed")
	case status/100 == 2 && len(b.cfg.SuccessCodes) > 0:
		return refused(deadletter.ReasonRefused, delivery.StatusMessage(response)+", which is not one of success_codes")
	}
	usual := delivery.ClassifyStatus(req, response)
	switch {
	case usual.Kind == delivery.Retryable && len(b.cfg.RetryCodes) > 0:
		return refused(deadletter.ReasonRefused, delivery.StatusMessage(response)+", which is not one of retry_codes")
	case usual.Kind == delivery.Retryable:
		return b.retryable(response)
	default:
		return usual
	}
}

func refused(reason deadletter.Reason, message string) delivery.Classification {
	return delivery.Classification{Outcome: delivery.Outcome{Kind: delivery.Refused, Reason: reason, Message: message}}
}

func (b *backend) retryable(response *delivery.Response) delivery.Classification {
	wait := delivery.RetryAfter(response)
	if b.cfg.Format == FormatDiscord {
		wait = max(wait, discordRetryAfter(response))
	}
	return delivery.Classification{
		Outcome: delivery.Outcome{Kind: delivery.Retryable, Message: delivery.StatusMessage(response)}, Wait: wait,
	}
}

// discordRetryAfter returns the retry_after of the body, which is more precise than the header
// (Discord, "Rate Limits").
func discordRetryAfter(response *delivery.Response) time.Duration {
	var body struct {
		RetryAfter float64 `json:"retry_after"`
	}
	const maxSeconds = 24 * 60 * 60
	if json.Unmarshal(response.Body, &body) != nil || body.RetryAfter <= 0 || body.RetryAfter > maxSeconds {
		return 0
	}
	return time.Duration(body.RetryAfter * float64(time.Second))
}

// redactRoutingKey removes the routing key from PagerDuty's response. The key is in the body of the
// request, while delivery redacts only headers and the URL.
func (b *backend) redactRoutingKey(response *delivery.Response) {
	if key := b.cfg.PagerDuty.RoutingKey; key != "" {
		response.Body = bytes.ReplaceAll(response.Body, []byte(key), []byte("[REDACTED]"))
	}
}
