// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"go.uber.org/zap"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/throttle"
)

// ClassifyResponse implements delivery.Backend.
func (b *backend) ClassifyResponse(req *delivery.Request, response *delivery.Response) delivery.Classification {
	response = b.redactKey(response)
	var c delivery.Classification
	switch {
	case response.Status != http.StatusOK:
		c = classifyFailure(req, response)
	case req.URL == b.v1.url:
		c = b.classifyResults(req, response)
	default:
		c = b.classifyBatch(req, response)
	}
	b.rememberPending(req, &c)
	return c
}

// redactKey returns the response without the API key, which errors of the batch protocol quote:
// "API key is not valid: ..." (rust/capture/src/api.rs in PostHog/posthog).
func (b *backend) redactKey(response *delivery.Response) *delivery.Response {
	clean := *response
	clean.Body = bytes.ReplaceAll(response.Body, []byte(b.key), []byte("[REDACTED]"))
	return &clean
}

// rememberPending remembers the request of events that will be resent. Only requests of capture v1
// need this; they are the ones with an OnNoResponse.
func (b *backend) rememberPending(req *delivery.Request, c *delivery.Classification) {
	if req.OnNoResponse == nil || !hasRetryable(c) {
		return
	}
	req.OnNoResponse() // remembers all events
	for i := range c.Events {
		if c.Events[i].Kind != delivery.Retryable {
			b.tries.forget(&req.Events[i])
		}
	}
}

func hasRetryable(c *delivery.Classification) bool {
	for i := range c.Events {
		if c.Events[i].Kind == delivery.Retryable {
			return true
		}
	}
	return len(c.Events) == 0 && c.Kind == delivery.Retryable
}

// Error tags of capture v1 that say more than the status (v1/error.rs in PostHog/posthog), and the
// text for the billing limit in the batch protocol (rust/capture/src/api.rs).
const (
	tagMissingHeaders = "missing_required_headers"
	tagBilling        = "billing_limit"
	textBilling       = "billing limit"
)

// classifyFailure classifies a response other than 200.
func classifyFailure(req *delivery.Request, response *delivery.Response) delivery.Classification {
	message := delivery.StatusMessage(response)
	switch response.Status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return refused(deadletter.ReasonUnauthorized, message+"; check that api_key is the project API key, which begins with phc_, and that endpoint belongs to the project's region")
	case http.StatusPaymentRequired:
		return overLimit(message)
	case http.StatusTooManyRequests:
		if isBilling(response.Body) {
			return overLimit(message)
		}
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return refused(deadletter.ReasonRefused, message+"; check that endpoint is a PostHog server; if it does not support this protocol, write protocol: batch, which every server supports")
	case http.StatusUnsupportedMediaType:
		return refused(deadletter.ReasonRefused, message+"; write compression: gzip")
	case http.StatusBadRequest:
		if strings.Contains(string(response.Body), tagMissingHeaders) {
			return refused(deadletter.ReasonRefused, message+"; does a proxy remove headers?")
		}
	}
	if response.Status/100 == 2 {
		return unexpectedSuccess(message)
	}
	return delivery.ClassifyStatus(req, response)
}

func isBilling(body []byte) bool {
	text := strings.ToLower(string(body))
	return strings.Contains(text, tagBilling) || strings.Contains(text, textBilling)
}

// overLimit refuses events beyond the organization's billing limit. PostHog accepts them once the
// limit is raised.
func overLimit(message string) delivery.Classification {
	return refused(deadletter.ReasonRateLimited, message+"; "+remedyBilling)
}

const remedyBilling = "raise the billing limit in PostHog, then replay the dead letters"

func refused(reason deadletter.Reason, message string) delivery.Classification {
	return delivery.Classification{Outcome: delivery.Outcome{Kind: delivery.Refused, Reason: reason, Message: message}}
}

// unexpectedSuccess classifies a 2xx response that is not PostHog's. It retries the events, which
// PostHog may have stored: PostHog deduplicates by uuid, so resending them is harmless.
func unexpectedSuccess(message string) delivery.Classification {
	return delivery.Classification{Outcome: delivery.Outcome{Kind: delivery.Retryable, Message: message + ", but not as PostHog does; check that endpoint is a PostHog server"}}
}

// noteOther counts and logs events accepted by a server that does not respond as PostHog does.
func (b *backend) noteOther(events int) {
	b.notices.count(noticeOtherResponse, events)
	b.others.Add(events, nil)
}

func (b *backend) logOthers(others throttle.Summary, _ struct{}) {
	b.logger.Warn("Sent events to a server that answers 200, but not as PostHog does; check that endpoint is a PostHog server",
		append([]zap.Field{zap.String("endpoint", b.batch.url)}, others.Fields("events")...)...)
}

// batchResponse is the body of a 200 of the batch protocol (rust/capture/src/v0_endpoint.rs in
// PostHog/posthog). The status is 1, or "Ok" on some servers. Proxies and mocks send other JSON
// objects, in which the last three members say that the events were not accepted.
type batchResponse struct {
	Status       json.RawMessage `json:"status"`
	QuotaLimited []string        `json:"quota_limited"`

	Error, Errors, Detail json.RawMessage
}

// isOther reports whether the response has no member by which PostHog, or an error, is recognized.
func (r *batchResponse) isOther() bool {
	return r.Status == nil && r.QuotaLimited == nil && r.Error == nil && r.Errors == nil && r.Detail == nil
}

// classifyBatch classifies a 200 of the batch protocol. PostHog also responds with 200 to events
// beyond the billing limit, which it does not store.
func (b *backend) classifyBatch(req *delivery.Request, response *delivery.Response) delivery.Classification {
	var body batchResponse
	if err := json.Unmarshal(response.Body, &body); err != nil || string(bytes.TrimSpace(response.Body)) == "null" {
		return unexpectedSuccess("the backend answered 200")
	}
	if body.isOther() { // PostHog's SDKs take any 200 for success
		b.noteOther(len(req.Events))
		return delivery.AllDelivered()
	}
	if status := string(body.Status); status != "1" && !strings.EqualFold(status, `"ok"`) {
		return unexpectedSuccess("the backend answered 200")
	}
	if len(body.QuotaLimited) == 0 {
		return delivery.AllDelivered()
	}
	delivered := delivery.Outcome{Kind: delivery.Delivered}
	limited := delivery.Outcome{Kind: delivery.Refused, Reason: deadletter.ReasonRateLimited, Message: fmt.Sprintf(
		"the backend answered 200, but stored none of %.100q, which are beyond the billing limit; %s", body.QuotaLimited, remedyBilling)}
	outcomes := make([]delivery.Outcome, len(req.Events))
	for i := range req.Events {
		outcomes[i] = delivered
		if isLimited(req.Events[i].Key, body.QuotaLimited) {
			outcomes[i] = limited
		}
	}
	return delivery.Classification{Events: outcomes}
}
