// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventreceiver

import (
	"bytes"
	"context"
	"io"
	"net/http"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"

	"github.com/otelcol-fanout/otelcol-fanout/internal/eventjson"
	"github.com/otelcol-fanout/otelcol-fanout/internal/explain/entrypoint"
)

// factory creates receivers, and entries for package explain.
type factory struct{ receiver.Factory }

var _ entrypoint.Factory = factory{}

// CreateEntry implements entrypoint.Factory. Requests without a write key get the first one, so that its
// resource attributes show.
func (factory) CreateEntry(_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Logs) (*entrypoint.Entry, error) {
	config := *cfg.(*Config)
	config.Deduplication.Window = 0
	r, err := newReceiver(set, &config, next)
	if err != nil {
		return nil, err
	}
	webhooks, err := r.webhooksMux()
	if err != nil {
		return nil, err
	}
	for _, webhook := range r.webhooks {
		webhook.trusted = true
	}
	events := &defaultKey{next: &admitter{next: r.eventsMux(), admit: r.intake.admitEvents}, keys: config.Keys, ring: &r.intake.keys}
	return &entrypoint.Entry{
		Handler: &pathRouter{events: events, webhooks: &admitter{next: webhooks, admit: r.intake.admitWebhook}},
		Path:    eventsPath,
		Close:   func() { _ = r.Shutdown(context.Background()) }, // without a server it cannot fail
	}, nil
}

// defaultKey adds the first write key to requests without any.
type defaultKey struct {
	next http.Handler
	keys []KeyConfig
	ring *keyring
}

// ServeHTTP implements http.Handler.
func (d *defaultKey) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if len(d.keys) > 0 && d.ring.fromRequest(r, r.URL.Query()) == "" {
		body, err := io.ReadAll(r.Body)
		if err == nil && eventjson.WriteKey(body) == "" {
			r.Header.Set(keyHeader, string(d.keys[0].Key))
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	d.next.ServeHTTP(w, r)
}
