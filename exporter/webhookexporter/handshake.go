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

// handshake asks the webhook whether it wants to be sent events.
type handshake struct {
	cfg  HandshakeConfig
	url  string
	slow func(perSecond float64) // what is called with what the webhook allows

	mu      sync.Mutex
	allowed bool
}

// Greet implements delivery.Greeter.
func (b *backend) Greet(ctx context.Context, do func(*http.Request) (*http.Response, error)) error {
	if !b.handshake.cfg.Enabled {
		return nil
	}
	return b.handshake.ask(ctx, do)
}

// ask asks once; it asks again when there was no consent. The status of the answer is none.
func (h *handshake) ask(ctx context.Context, do func(*http.Request) (*http.Response, error)) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.allowed {
		return nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodOptions, h.url, nil)
	if err != nil {
		return delivery.GreetingError("the endpoint is not a URL")
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
	_, _ = io.CopyN(io.Discard, response.Body, maxHandshakeBody) // so that the connection can be used again
	if err := h.consent(response); err != nil {
		return err
	}
	h.allowed = true
	return nil
}

// maxHandshakeBody is how much of a body is read, which has no meaning.
const maxHandshakeBody = 4 << 10

func (h *handshake) consent(response *http.Response) error {
	origin := response.Header.Get(headerAllowedOrigin)
	if origin != "*" && !strings.EqualFold(origin, h.cfg.Origin) {
		return delivery.GreetingError(fmt.Sprintf("the webhook answers %d to OPTIONS without WebHook-Allowed-Origin: %s (or *), so it does not consent to being sent events", response.StatusCode, h.cfg.Origin))
	}
	// A rate of * is any; one that is missing allows what was not asked for.
	if perMinute, err := strconv.Atoi(response.Header.Get(headerAllowedRate)); err == nil && perMinute > 0 {
		h.slow(float64(perMinute) / 60)
	}
	return nil
}
