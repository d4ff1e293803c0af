// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventreceiver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/multierr"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/otelcol-fanout/otelcol-fanout/receiver/eventreceiver/internal/metadata"
)

func corsConf() map[string]any {
	return map[string]any{"cors": map[string]any{"allowed_origins": []any{"https://shop.example"}}}
}

func TestBeaconsAreShedInsteadOfRefused(t *testing.T) {
	tel := componenttest.NewTelemetry()
	t.Cleanup(func() { assert.NoError(t, tel.Shutdown(context.Background())) })
	set := receivertest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = tel.NewTelemetrySettings()
	full := consumertest.NewErr(errors.New("sending queue is full"))
	h := newHandlerOf(t, set, newConfig(t, corsConf()), full)

	const body = `[{"name":"a"},{"name":"b"},{"nope":1}]`
	beacon := ask(t, h, "/v1/events?ids=1", "text/plain;charset=UTF-8", body, "Origin", "https://shop.example")
	assert.Equal(t, http.StatusOK, beacon.status, "browsers never retry a beacon")
	assert.Zero(t, beacon.Accepted, "shed events are not reported as accepted")
	assert.Equal(t, 2, beacon.Shed)
	assert.Empty(t, beacon.IDs)
	assert.Len(t, beacon.Rejected, 1)

	fetch := ask(t, h, "/v1/events", jsonType, body, "Origin", "https://shop.example")
	assert.Equal(t, http.StatusServiceUnavailable, fetch.status, "other clients are asked to retry")
	assert.NotEmpty(t, fetch.header.Get("Retry-After"))

	assert.Equal(t, map[string]int64{"shed": 2, "rejected": 2}, outcomes(t, tel))
	assert.Equal(t, int64(4), total(t, tel, "otelcol_receiver_refused_log_records")+total(t, tel, "otelcol_receiver_failed_log_records"))
}

// outcomes returns the counts of events that were not passed to the pipeline, by outcome.
func outcomes(t *testing.T, tel *componenttest.Telemetry) map[string]int64 {
	t.Helper()
	counts := map[string]int64{}
	for _, point := range points(t, tel, "otelcol_fanout_receiver_events_total") {
		for _, attribute := range point.Attributes {
			if attribute.Key == "outcome" {
				counts[attribute.Value.Value] = point.Value
			}
		}
	}
	return counts
}

func total(t *testing.T, tel *componenttest.Telemetry, name string) int64 {
	t.Helper()
	sum := int64(0)
	for _, point := range points(t, tel, name) {
		sum += point.Value
	}
	return sum
}

type point struct {
	Attributes []struct {
		Key   string
		Value struct{ Value string }
	}
	Value int64
}

func points(t *testing.T, tel *componenttest.Telemetry, name string) []point {
	t.Helper()
	got, err := tel.GetMetric(name)
	if err != nil {
		return nil
	}
	text, err := json.Marshal(got.Data)
	require.NoError(t, err)
	var sum struct{ DataPoints []point }
	require.NoError(t, json.Unmarshal(text, &sum), "%s", text)
	return sum.DataPoints
}

func TestBeaconIsDeliveredAfterDisconnect(t *testing.T) {
	next, err := consumer.NewLogs(func(ctx context.Context, _ plog.Logs) error { return ctx.Err() })
	require.NoError(t, err)
	h := newHandler(t, corsConf(), next)
	for contentType, want := range map[string]int{"text/plain": http.StatusAccepted, jsonType: http.StatusServiceUnavailable} {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/v1/events", strings.NewReader(`{"name":"a"}`))
		r.Header.Set("Content-Type", contentType)
		r.Header.Set("Origin", "https://shop.example")
		recorder := httptest.NewRecorder()
		h.ServeHTTP(recorder, r)
		assert.Equal(t, want, recorder.Code, contentType)
	}
}

func TestPipelineErrorStatus(t *testing.T) {
	refused := errors.New("refused")
	for name, tt := range map[string]struct {
		err    error
		want   int
		repeat bool
	}{
		"memory_limiter and a full queue": {refused, 503, true},
		"rate-limited backend":            {consumererror.NewOTLPHTTPError(refused, 429), 429, true},
		"backend is down":                 {consumererror.NewOTLPHTTPError(refused, 502), 503, true},
		"retryable error":                 {consumererror.NewRetryableError(refused), 503, true},
		"permanent error":                 {consumererror.NewPermanent(refused), 400, false},
		"permanent but unavailable":       {consumererror.NewPermanent(status.Error(codes.Unavailable, "refused")), 503, true},
	} {
		t.Run(name, func(t *testing.T) {
			got := ask(t, newHandler(t, nil, consumertest.NewErr(tt.err)), "/v1/events", jsonType, `{"name":"a"}`)
			assert.Equal(t, tt.want, got.status)
			assert.Zero(t, got.Accepted)
			assert.Equal(t, tt.repeat, got.header.Get("Retry-After") != "")
		})
	}
}

func TestPipelineErrorIsReportedUnwrapped(t *testing.T) {
	refused := status.Error(codes.InvalidArgument, "the backend answered 400: no name")
	for name, tt := range map[string]struct {
		err  error
		want string
	}{
		"status wrapped by an exporter's retry": {
			fmt.Errorf("not retryable error: %w", consumererror.NewPermanent(refused)),
			"the pipeline refused the events: the backend answered 400: no name",
		},
		"transient status": {
			fmt.Errorf("no more retries left: %w", status.Error(codes.Unavailable, "the backend answered 503")),
			"the pipeline cannot accept the events now; send them again later: the backend answered 503",
		},
		"status of one of several pipelines": {
			errors.Join(fmt.Errorf("logs/audit: %w", consumererror.NewPermanent(refused)), errors.New("logs/b: full")),
			"the pipeline refused the events: the backend answered 400: no name",
		},
		"status without a message": {
			consumererror.NewPermanent(status.Error(codes.InvalidArgument, "")),
			"the pipeline refused the events: rpc error: code = InvalidArgument desc = ",
		},
		"retry around two permanent errors": {
			fmt.Errorf("not retryable error: %w", consumererror.NewPermanent(fmt.Errorf("logs/a: %w", consumererror.NewPermanent(errors.New("no name"))))),
			"the pipeline refused the events: logs/a: no name",
		},
		"permanent errors of two pipelines": {
			errors.Join(consumererror.NewPermanent(errors.New("no name")), fmt.Errorf("not retryable error: %w", consumererror.NewPermanent(errors.New("no time")))),
			"the pipeline refused the events: no name\nno time",
		},
		"permanent errors combined by the collector": {
			multierr.Combine(consumererror.NewPermanent(errors.New("no name")), consumererror.NewPermanent(errors.New("no time"))),
			"the pipeline refused the events: no name; no time",
		},
		"status of another collector that wraps errors as well": {
			fmt.Errorf("not retryable error: %w", consumererror.NewPermanent(status.Error(codes.InvalidArgument, "not retryable error: Permanent error: no name"))),
			"the pipeline refused the events: no name",
		},
		"status wrapped as text only": {
			fmt.Errorf("not retryable error: %w", consumererror.NewPermanent(errors.New("sending: "+consumererror.NewPermanent(errors.New("no name")).Error()))),
			"the pipeline refused the events: sending: no name",
		},
		"retryable OTLP error": {
			consumererror.NewOTLPHTTPError(consumererror.NewPermanent(errors.New("busy")), 503),
			"the pipeline refused the events: busy",
		},
		"permanent error":        {consumererror.NewPermanent(errors.New("no name")), "the pipeline refused the events: no name"},
		"error without a status": {errors.New("data refused due to high memory usage"), "the pipeline cannot accept the events now; send them again later: data refused due to high memory usage"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tt.want, ask(t, newHandler(t, nil, consumertest.NewErr(tt.err)), "/v1/events", jsonType, `{"name":"a"}`).Error)
		})
	}
}

func TestKeysAndSecretsAreNeverDisclosed(t *testing.T) {
	const key, secret = "a-write-key-of-somebody", "a-webhook-secret-of-somebody"
	tel := componenttest.NewTelemetry()
	t.Cleanup(func() { assert.NoError(t, tel.Shutdown(context.Background())) })
	core, logs := observer.New(zap.DebugLevel)
	set := receivertest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = tel.NewTelemetrySettings()
	set.Logger = zap.New(core)
	cfg := newConfig(t, map[string]any{
		"keys": []any{map[string]any{"key": key}},
		"webhooks": map[string]any{
			"github":   map[string]any{"scheme": "github", "secrets": []any{secret}},
			"whatsapp": map[string]any{"scheme": "github", "secrets": []any{secret}, "verify_token": secret},
			"graph":    map[string]any{"scheme": "microsoft_graph", "secrets": []any{secret}},
			"x":        map[string]any{"scheme": "hmac", "secrets": []any{secret}, "header": "X-Twitter-Webhooks-Signature"},
		},
	})
	h := newHandlerOf(t, set, cfg, consumertest.NewNop())

	disclosed := ""
	for _, query := range []string{"", "?write_key=" + key, "?write_key=" + key + "x"} {
		for _, body := range []string{`{"write_key":"` + key + `","name":"a"}`, `{"write_key":"` + key + `","name":`, `{"name":"a"}`} {
			got := ask(t, h, "/v1/events"+query, jsonType, body)
			disclosed += got.Error
		}
	}
	disclosed += ask(t, h, "/v1/webhooks/github", jsonType, "{}", "X-Hub-Signature-256", "sha256=00").Error
	disclosed += ask(t, h, "/v1/webhooks/graph", jsonType, `{"value":[{"clientState":"`+secret+`x"}]}`).Error
	for _, query := range []string{"whatsapp?hub.mode=subscribe&hub.challenge=1&hub.verify_token=" + secret, "whatsapp?hub.verify_token=" + secret + "x", "x?crc_token=abc"} {
		recorder := httptest.NewRecorder()
		h.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/v1/webhooks/"+query, http.NoBody))
		disclosed += recorder.Body.String()
	}
	for _, entry := range logs.All() {
		text, err := json.Marshal(entry.ContextMap())
		require.NoError(t, err)
		disclosed += entry.Message + string(text)
	}
	for _, span := range tel.SpanRecorder.Ended() {
		for _, attribute := range span.Attributes() {
			disclosed += attribute.Value.String()
		}
	}
	shown, err := json.Marshal(cfg)
	require.NoError(t, err)
	disclosed += string(shown)
	assert.NotContains(t, disclosed, key)
	assert.NotContains(t, disclosed, secret)
	assert.Equal(t, int64(7), total(t, tel, "otelcol_fanout_receiver_unauthorized_total"))
}

func TestRefusedWebhooksAreLoggedOncePerMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.WarnLevel)
		set := receivertest.NewNopSettings(metadata.Type)
		set.Logger = zap.New(core)
		r, err := newReceiver(set, newConfig(t, map[string]any{
			"webhooks": map[string]any{"github": map[string]any{"scheme": "github", "secrets": []any{"s"}}},
		}), consumertest.NewNop())
		require.NoError(t, err)
		require.NoError(t, r.buildServer(t.Context(), componenttest.NewNopHost(), nil))
		for range 30 {
			assert.Equal(t, http.StatusUnauthorized, ask(t, r.server.Handler, "/v1/webhooks/github", jsonType, "{}").status)
			time.Sleep(5 * time.Second)
			synctest.Wait()
		}
		require.Equal(t, 3, logs.Len())
		assert.Equal(t, int64(1), logs.All()[0].ContextMap()["requests"])
		assert.Equal(t, int64(11), logs.All()[1].ContextMap()["requests"])
		assert.Contains(t, logs.All()[0].ContextMap()["error"], "the signature is missing")
		require.NoError(t, r.Shutdown(t.Context()))
		require.Equal(t, 4, logs.Len())
		assert.Equal(t, int64(6), logs.All()[3].ContextMap()["requests"])
	})
}

func TestHandshakesAreLoggedOncePerMinute(t *testing.T) {
	core, logs := observer.New(zap.InfoLevel)
	set := receivertest.NewNopSettings(metadata.Type)
	set.Logger = zap.New(core)
	h := newHandlerOf(t, set, newConfig(t, map[string]any{
		"webhooks": map[string]any{"mail": map[string]any{"scheme": "microsoft_graph", "secrets": []any{"s"}}},
	}), consumertest.NewNop())
	for range 30 {
		recorder := httptest.NewRecorder()
		h.ServeHTTP(recorder, httptest.NewRequest(http.MethodPost, "/v1/webhooks/mail?validationToken=a+challenge", http.NoBody))
		assert.Equal(t, http.StatusOK, recorder.Code)
		assert.Equal(t, "a challenge", recorder.Body.String())
	}
	require.Equal(t, 1, logs.Len())
	assert.Equal(t, map[string]any{"webhook": "mail", "handshake": "microsoft_graph", "requests": int64(1)}, logs.All()[0].ContextMap())
}
