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

// Answer implements delivery.Backend: a webhook answers with a status, which means what the configuration says or else what
// such a status usually does.
func (b *backend) Answer(req *delivery.Request, response *delivery.Response) delivery.Verdict {
	b.hideRoutingKey(response)
	status := response.Status
	switch {
	case slices.Contains(b.cfg.SuccessCodes, status):
		return delivery.Verdict{}
	case slices.Contains(b.cfg.RetryCodes, status):
		return b.retry(response)
	case status == http.StatusGone:
		b.gone.Store(true)
		return refused(deadletter.ReasonGone, delivery.Said(response)+"; nothing more is sent to the endpoint until the exporter restarts or dead letters are replayed")
	case status/100 == 2 && len(b.cfg.SuccessCodes) > 0:
		return refused(deadletter.ReasonRefused, delivery.Said(response)+", which is not one of success_codes")
	}
	verdict := delivery.DefaultAnswer(req, response)
	switch {
	case verdict.Kind == delivery.Retry && len(b.cfg.RetryCodes) > 0:
		return refused(deadletter.ReasonRefused, delivery.Said(response)+", which is not one of retry_codes")
	case verdict.Kind == delivery.Retry:
		return b.retry(response)
	default:
		return verdict
	}
}

func refused(reason deadletter.Reason, message string) delivery.Verdict {
	return delivery.Verdict{Outcome: delivery.Outcome{Kind: delivery.Refused, Reason: reason, Message: message}}
}

func (b *backend) retry(response *delivery.Response) delivery.Verdict {
	wait := delivery.RetryAfter(response)
	if b.cfg.Format == FormatDiscord {
		wait = max(wait, discordRetryAfter(response))
	}
	return delivery.Verdict{Outcome: delivery.Outcome{Kind: delivery.Retry, Message: delivery.Said(response)}, Wait: wait}
}

// discordRetryAfter is the retry_after of the body, which is more exact than the header (Discord, "Rate Limits").
func discordRetryAfter(response *delivery.Response) time.Duration {
	var body struct {
		RetryAfter float64 `json:"retry_after"`
	}
	const mostSeconds = 24 * 60 * 60
	if json.Unmarshal(response.Body, &body) != nil || body.RetryAfter <= 0 || body.RetryAfter > mostSeconds {
		return 0
	}
	return time.Duration(body.RetryAfter * float64(time.Second))
}

// hideRoutingKey takes the key out of what PagerDuty said, since the key is in the body rather than in a header.
func (b *backend) hideRoutingKey(response *delivery.Response) {
	if key := b.cfg.PagerDuty.RoutingKey; key != "" {
		response.Body = bytes.ReplaceAll(response.Body, []byte(key), []byte("[REDACTED]"))
	}
}
