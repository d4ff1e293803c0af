// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// Answer implements delivery.Backend. What PostHog says may repeat the API key, so that is taken out first.
func (b *backend) Answer(req *delivery.Request, response *delivery.Response) delivery.Verdict {
	response = b.withoutKey(response)
	var verdict delivery.Verdict
	switch {
	case response.Status != http.StatusOK:
		verdict = b.readFailure(req, response)
	case req.URL == b.v1.url:
		verdict = b.readResults(req, response)
	default:
		verdict = readTaken(req, response)
	}
	b.owe(req, &verdict)
	return verdict
}

// withoutKey is the answer without our key. The texts of capture v0 quote it: "API key is not valid: ..." (rust/capture/src/api.rs
// in PostHog/posthog).
func (b *backend) withoutKey(response *delivery.Response) *delivery.Response {
	clean := *response
	clean.Body = bytes.ReplaceAll(response.Body, []byte(b.key), []byte("[REDACTED]"))
	return &clean
}

// owe remembers the request of events that are to be sent again, where PostHog wants to know it.
func (b *backend) owe(req *delivery.Request, verdict *delivery.Verdict) {
	if req.Unanswered == nil || !hasRetry(verdict) {
		return
	}
	req.Unanswered()
	for i := range verdict.Events {
		if verdict.Events[i].Kind != delivery.Retry {
			b.tries.forget(uuidIn(req.Events[i].Payload))
		}
	}
}

func hasRetry(verdict *delivery.Verdict) bool {
	for i := range verdict.Events {
		if verdict.Events[i].Kind == delivery.Retry {
			return true
		}
	}
	return len(verdict.Events) == 0 && verdict.Kind == delivery.Retry
}

// Tags of errors of capture v1 that differ from what their status says (v1/error.rs in PostHog/posthog), and the text for the same
// in the batch protocol (rust/capture/src/api.rs).
const (
	tagMissingHeaders = "missing_required_headers"
	tagBilling        = "billing_limit"
	textBilling       = "billing limit"
)

// readFailure reads an answer that is not 200.
func (b *backend) readFailure(req *delivery.Request, response *delivery.Response) delivery.Verdict {
	said := delivery.Said(response)
	switch response.Status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return refused(deadletter.ReasonUnauthorized, said+"; check api_key, the project API key that begins with phc_, and that the endpoint is of the project's region")
	case http.StatusPaymentRequired:
		return overLimit(said)
	case http.StatusTooManyRequests:
		if isBilling(response.Body) {
			return overLimit(said)
		}
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return refused(deadletter.ReasonRefused, said+"; is the endpoint a PostHog, and does it know this protocol? protocol: batch is the one that all know")
	case http.StatusUnsupportedMediaType:
		return refused(deadletter.ReasonRefused, said+"; write compression: gzip")
	case http.StatusBadRequest:
		if strings.Contains(string(response.Body), tagMissingHeaders) {
			return refused(deadletter.ReasonRefused, said+"; does a proxy take headers away?")
		}
	}
	if response.Status/100 == 2 {
		return unreadable(said)
	}
	return delivery.DefaultAnswer(req, response)
}

func isBilling(body []byte) bool {
	text := strings.ToLower(string(body))
	return strings.Contains(text, tagBilling) || strings.Contains(text, textBilling)
}

// overLimit is the verdict on events beyond what the organization pays for. They stay unwelcome until somebody raises that.
func overLimit(said string) delivery.Verdict {
	return refused(deadletter.ReasonRateLimited, said+"; "+remedyBilling)
}

const remedyBilling = "raise the billing limit in PostHog, then replay the dead letters"

func refused(reason deadletter.Reason, message string) delivery.Verdict {
	return delivery.Verdict{Outcome: delivery.Outcome{Kind: delivery.Refused, Reason: reason, Message: message}}
}

// unreadable is the verdict on what PostHog has perhaps taken. It knows the uuid, so that to send it again does no harm.
func unreadable(said string) delivery.Verdict {
	return delivery.Verdict{Outcome: delivery.Outcome{Kind: delivery.Retry, Message: said + ", which is not PostHog's answer; is the endpoint a PostHog?"}}
}

// taken is the answer of the batch protocol (rust/capture/src/v0_endpoint.rs in PostHog/posthog). The status is 1, or the word Ok with
// some servers.
type taken struct {
	Status       json.RawMessage `json:"status"`
	QuotaLimited []string        `json:"quota_limited"`
}

// readTaken reads a 200 of the batch protocol. Events beyond the billing limit are answered with 200 too, and not stored.
func readTaken(req *delivery.Request, response *delivery.Response) delivery.Verdict {
	var answer taken
	if err := json.Unmarshal(response.Body, &answer); err != nil {
		return unreadable("the backend answered 200")
	}
	if status := string(answer.Status); status != "1" && !strings.EqualFold(status, `"ok"`) {
		return unreadable("the backend answered 200")
	}
	if len(answer.QuotaLimited) == 0 {
		return delivery.Verdict{}
	}
	limited := delivery.Outcome{Kind: delivery.Refused, Reason: deadletter.ReasonRateLimited, Message: fmt.Sprintf(
		"the backend answered 200, but %.100q are beyond the billing limit and it stored none of them; %s", answer.QuotaLimited, remedyBilling)}
	outcomes := make([]delivery.Outcome, len(req.Events))
	for i := range req.Events {
		if isLimited(req.Events[i].Payload, answer.QuotaLimited) {
			outcomes[i] = limited
		}
	}
	return delivery.Verdict{Events: outcomes}
}

// isLimited reports whether an event is of one of the resources that PostHog bills for. One whose name is not known here may be the
// event's.
func isLimited(payload []byte, resources []string) bool {
	name := payload[min(len(payload), nameAt):]
	for _, resource := range resources {
		var limited bool
		switch resource {
		case "exceptions":
			limited = bytes.HasPrefix(name, []byte(eventException+`"`))
		case "llm_events", "ai_events":
			limited = bytes.HasPrefix(name, []byte(prefixAI))
		case "surveys":
			limited = bytes.HasPrefix(name, []byte("survey "))
		case "recordings", "replays", "session_replays", "feature_flags", "feature_flag_requests", "logs":
		default:
			limited = true
		}
		if limited {
			return true
		}
	}
	return false
}
