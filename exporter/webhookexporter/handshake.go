// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package webhookexporter

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// The headers of the handshake (CloudEvents http-webhook.md, "Abuse protection").
const (
	headerRequestOrigin = "Webhook-Request-Origin"
	headerRequestRate   = "Webhook-Request-Rate"
	headerAllowedOrigin = "Webhook-Allowed-Origin"
	headerAllowedRate   = "Webhook-Allowed-Rate"
)

// handshake asks the webhook to consent to receiving events.
type handshake struct {
	cfg       HandshakeConfig
	url       string
	limitRate func(perSecond float64) // called with the rate that the webhook allows

	mu      sync.Mutex
	allowed bool
}

// ask asks for consent, unless it was given before; see delivery.Options.Handshake.
func (h *handshake) ask(ctx context.Context, do func(*http.Request) (*http.Response, error)) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.allowed {
		return nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodOptions, h.url, nil)
	if err != nil {
		return delivery.HandshakeError("the endpoint is not a URL")
	}
	req.Header.Set(headerRequestOrigin, h.cfg.Origin)
	if h.cfg.Rate > 0 {
		req.Header.Set(headerRequestRate, strconv.Itoa(h.cfg.Rate))
	}
	response, err := do(req)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, _ = io.CopyN(io.Discard, response.Body, maxHandshakeBody) // lets the connection be reused
	if err := h.checkConsent(response); err != nil {
		return err
	}
	h.allowed = true
	return nil
}

// maxHandshakeBody limits how much of the body is read, in bytes. The body carries no meaning.
const maxHandshakeBody = 4 << 10

// checkConsent returns an error unless the response's headers give consent. Its status carries no
// meaning.
func (h *handshake) checkConsent(response *http.Response) error {
	origin := response.Header.Get(headerAllowedOrigin)
	if origin != "*" && !strings.EqualFold(origin, h.cfg.Origin) {
		return delivery.HandshakeError(fmt.Sprintf("the webhook responded to OPTIONS with %d but without WebHook-Allowed-Origin: %s (or *), so it does not consent to receiving events", response.StatusCode, h.cfg.Origin))
	}
	// A rate of * means no limit. A missing header is taken to mean the same.
	if perMinute, err := strconv.Atoi(response.Header.Get(headerAllowedRate)); err == nil && perMinute > 0 {
		h.limitRate(float64(perMinute) / 60)
	}
	return nil
}
