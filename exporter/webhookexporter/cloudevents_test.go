// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package webhookexporter

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/deliverytest"
)

// cloudEvents returns the events that the CloudEvents Go SDK reads from requests of the mode.
func cloudEvents(t *testing.T, mode CloudEventsMode, content Content) []event.Event {
	t.Helper()
	rec := newRecorder(t)
	cfg := testConfig(rec.URL+"/hook", "")
	require.NoError(t, confmap.NewFromStringMap(map[string]any{
		"format": "cloudevents", "content": string(content), "cloudevents": map[string]any{"mode": string(mode), "type_prefix": "com.example."},
	}).Unmarshal(cfg))
	deliverytest.Setup{Factory: NewFactory(), Config: cfg}.StartLogs(t).Send(formatLogs(t))
	var all []event.Event
	for _, got := range rec.all() {
		req, err := http.NewRequest(http.MethodPost, "http://example.com"+got.uri, bytes.NewReader(got.body))
		require.NoError(t, err)
		req.Header = got.header
		if mode == ModeBatched {
			events, err := cehttp.NewEventsFromHTTPRequest(req)
			require.NoError(t, err)
			all = append(all, events...)
			continue
		}
		e, err := cehttp.NewEventFromHTTPRequest(req)
		require.NoError(t, err)
		all = append(all, *e)
	}
	return all
}

func TestCloudEventsSDKReadsEachMode(t *testing.T) {
	for _, mode := range []CloudEventsMode{ModeStructured, ModeBinary, ModeBatched} {
		for _, content := range []Content{ContentFull, ContentSummary} {
			t.Run(string(mode)+", "+string(content), func(t *testing.T) {
				events := cloudEvents(t, mode, content)
				require.Len(t, events, 4)
				byID := map[string]event.Event{}
				for _, e := range events {
					require.NoError(t, e.Validate())
					assert.Equal(t, "1.0", e.SpecVersion())
					assert.Equal(t, "application/json", e.DataContentType())
					var data map[string]any
					require.NoError(t, json.Unmarshal(e.Data(), &data))
					assert.NotEmpty(t, data["id"])
					byID[e.ID()] = e
				}
				e, ok := byID["evt_1"]
				require.True(t, ok)
				assert.Equal(t, "/eu/shop", e.Source())
				assert.Equal(t, "com.example.order_placed", e.Type())
				assert.Equal(t, "order/17", e.Subject())
				assert.Equal(t, time.Unix(1700000000, 123456789).UTC(), e.Time())
				assert.Equal(t, "00-0102030405060708090a0b0c0d0e0f10-0102030405060708-01", e.Extensions()["traceparent"])
				assert.Equal(t, "app_user", e.Extensions()["authtype"])
				assert.Equal(t, "u1", e.Extensions()["authid"])
				assert.Equal(t, "INFO", e.Extensions()["severitytext"])
				assert.EqualValues(t, map[CloudEventsMode]any{ModeStructured: int32(9), ModeBatched: int32(9), ModeBinary: "9"}[mode], e.Extensions()["severitynumber"])
				assert.Equal(t, content == ContentFull, bytes.Contains(e.Data(), []byte("9007199254740993")))
			})
		}
	}
}

// TestBinaryModeHeadersDecode checks a rule of the binding that the SDK leaves to its users: one
// round of percent-decoding.
func TestBinaryModeHeadersDecode(t *testing.T) {
	for _, text := range []string{"a b", `"quoted"`, "100%", "%20", "日本 😀", "a\u00e9", "~!*'()"} {
		encoded := percentEncoded(text)
		for i := range len(encoded) {
			assert.True(t, encoded[i] > ' ' && encoded[i] <= '~' && encoded[i] != '"', encoded)
		}
		decoded, err := url.PathUnescape(encoded)
		require.NoError(t, err)
		assert.Equal(t, text, decoded)
	}
	assert.Equal(t, "Euro%20%E2%82%AC%20%F0%9F%98%80", percentEncoded("Euro € 😀"), "the example of the binding")
}

func TestCloudEventsText(t *testing.T) {
	for text, want := range map[string]string{
		"fine 日本 😀": "fine 日本 😀", "a\x00b": "a\uFFFDb", "\u0085": "\uFFFD", "a\uFFFE": "a\uFFFD", "\uFDD0": "\uFFFD", "\xff": "\uFFFD",
		"\U0001FFFF": "\uFFFD",
	} {
		assert.Equal(t, want, cloudEventsText(text))
	}
}
