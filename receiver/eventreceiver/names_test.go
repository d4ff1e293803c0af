// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventreceiver

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
)

func TestBlankNameIsRefused(t *testing.T) {
	const cloud = `{"specversion":"1.0","id":"1","source":"/a","type":"`
	for _, tt := range []struct{ name, path, contentType, before, after string }{
		{"an event", "/v1/events", jsonType, `{"name":"`, `"}`},
		{"an event whose kind needs no name", "/v1/events", jsonType, `{"type":"identify","user":{"id":"u1"},"name":"`, `"}`},
		{"a line", "/v1/events", "application/x-ndjson", `{"name":"`, `"}`},
		{"a call of the track API", "/v1/track", jsonType, `{"userId":"u1","event":"`, `"}`},
		{"a batch", "/v1/events", jsonType, `{"batch":[{"name":"`, `"}]}`},
		{"an exception", "/v1/exception", jsonType, `{"exception":{"type":"E"},"name":"`, `"}`},
		{"a CloudEvent", "/v1/events", "application/cloudevents+json", cloud, `"}`},
		{"a batch of CloudEvents", "/v1/events", "application/cloudevents-batch+json", "[" + cloud, `"}]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHandler(t, nil, consumertest.NewNop())
			empty := ask(t, h, tt.path, tt.contentType, tt.before+tt.after)
			require.Equal(t, http.StatusBadRequest, empty.status)
			require.Contains(t, empty.Rejected[0].Error, "is empty")
			for _, spaces := range []string{" ", `\t\n `, "\u00a0\u3000"} {
				got := ask(t, h, tt.path, tt.contentType, tt.before+spaces+tt.after)
				assert.Equal(t, http.StatusBadRequest, got.status, "%q", spaces)
				assert.Equal(t, empty.Rejected, got.Rejected, "%q", spaces)
			}
			assert.Equal(t, http.StatusAccepted, ask(t, h, tt.path, tt.contentType, tt.before+" a b "+tt.after).status, "spaces within a name are kept")
		})
	}
}

func TestBlankWebhookNameFallsBackToTheWebhook(t *testing.T) {
	const secret, body = "s3cr3t", `{"action":" \t"}`
	sink := new(consumertest.LogsSink)
	h := newHandler(t, map[string]any{"webhooks": map[string]any{"shop": map[string]any{
		"scheme": "hmac", "header": "X-Signature", "secrets": []any{secret}, "event": map[string]any{"name_path": "/action"},
	}}}, sink)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	got := ask(t, h, "/v1/webhooks/shop", jsonType, body, "X-Signature", hex.EncodeToString(mac.Sum(nil)))
	require.Equal(t, http.StatusAccepted, got.status, got.Error)
	assert.Equal(t, []string{"shop"}, namesIn(sink))
}
