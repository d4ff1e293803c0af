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
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/otelcol-fanout/otelcol-fanout/receiver/eventreceiver/internal/metadata"
)

func corsConf() map[string]any {
	return map[string]any{"cors": map[string]any{"allowed_origins": []any{"https://shop.example"}}}
}

func TestBeaconsAreShedRatherThanRefused(t *testing.T) {
	tel := componenttest.NewTelemetry()
	t.Cleanup(func() { assert.NoError(t, tel.Shutdown(context.Background())) })
	set := receivertest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = tel.NewTelemetrySettings()
	full := consumertest.NewErr(errors.New("sending queue is full"))
	h := newHandlerOf(t, set, newConfig(t, corsConf()), full)

	const body = `[{"name":"a"},{"name":"b"},{"nope":1}]`
	beacon := ask(t, h, "/v1/events?ids=1", "text/plain;charset=UTF-8", body, "Origin", "https://shop.example")
	assert.Equal(t, http.StatusOK, beacon.status, "the browser would not send it again")
	assert.Zero(t, beacon.Accepted, "and is not told that it was accepted")
	assert.Equal(t, 2, beacon.Shed)
	assert.Empty(t, beacon.IDs)
	assert.Len(t, beacon.Rejected, 1)

	fetch := ask(t, h, "/v1/events", jsonType, body, "Origin", "https://shop.example")
	assert.Equal(t, http.StatusServiceUnavailable, fetch.status, "whoever can send again is told to")
	assert.NotEmpty(t, fetch.header.Get("Retry-After"))

	assert.Equal(t, map[string]int64{"shed": 2, "rejected": 2}, outcomes(t, tel))
	assert.Equal(t, int64(4), total(t, tel, "otelcol_receiver_refused_log_records")+total(t, tel, "otelcol_receiver_failed_log_records"))
}

// outcomes are the counts of what was not handed to the pipeline.
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

func TestABeaconOutlivesItsPage(t *testing.T) {
	next, err := consumer.NewLogs(func(ctx context.Context, _ plog.Logs) error { return ctx.Err() })
	require.NoError(t, err)
	h := newHandler(t, corsConf(), next)
	for contentType, want := range map[string]int{"text/plain": http.StatusAccepted, jsonType: http.StatusServiceUnavailable} {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/v1/events", strings.NewReader(`{"name":"a"}`))
		r.Header.Set("Content-Type", contentType)
		r.Header.Set("Origin", "https://shop.example")
		answered := httptest.NewRecorder()
		h.ServeHTTP(answered, r)
		assert.Equal(t, want, answered.Code, contentType)
	}
}

func TestTheStatusOfAPipelineThatRefuses(t *testing.T) {
	refused := errors.New("refused")
	for name, tt := range map[string]struct {
		err    error
		want   int
		repeat bool
	}{
		"memory_limiter and a full queue say nothing": {refused, 503, true},
		"a backend that limits the rate":              {consumererror.NewOTLPHTTPError(refused, 429), 429, true},
		"a backend that is down":                      {consumererror.NewOTLPHTTPError(refused, 502), 503, true},
		"whoever says that it is retryable":           {consumererror.NewRetryableError(refused), 503, true},
		"what is permanent":                           {consumererror.NewPermanent(refused), 400, false},
		"what an operator has to mend first":          {consumererror.NewPermanent(status.Error(codes.Unavailable, "refused")), 503, true},
	} {
		t.Run(name, func(t *testing.T) {
			got := ask(t, newHandler(t, nil, consumertest.NewErr(tt.err)), "/v1/events", jsonType, `{"name":"a"}`)
			assert.Equal(t, tt.want, got.status)
			assert.Zero(t, got.Accepted)
			assert.Equal(t, tt.repeat, got.header.Get("Retry-After") != "")
		})
	}
}

func TestACallerIsToldTheCauseWithoutItsWrapping(t *testing.T) {
	refused := status.Error(codes.InvalidArgument, "the backend answered 400: no name")
	for name, tt := range map[string]struct {
		err  error
		want string
	}{
		"a status in what an exporter's retry says": {
			fmt.Errorf("not retryable error: %w", consumererror.NewPermanent(refused)),
			"the pipeline refused the events: the backend answered 400: no name",
		},
		"a status that may pass": {
			fmt.Errorf("no more retries left: %w", status.Error(codes.Unavailable, "the backend answered 503")),
			"the pipeline cannot take the events now, send them again later: the backend answered 503",
		},
		"a status of several pipelines": {
			errors.Join(fmt.Errorf("logs/audit: %w", consumererror.NewPermanent(refused)), errors.New("logs/b: full")),
			"the pipeline refused the events: the backend answered 400: no name",
		},
		"a status without words": {
			consumererror.NewPermanent(status.Error(codes.InvalidArgument, "")),
			"the pipeline refused the events: rpc error: code = InvalidArgument desc = ",
		},
		"what is permanent":                             {consumererror.NewPermanent(errors.New("no name")), "the pipeline refused the events: no name"},
		"memory_limiter and others that have no status": {errors.New("data refused due to high memory usage"), "the pipeline cannot take the events now, send them again later: data refused due to high memory usage"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, tt.want, ask(t, newHandler(t, nil, consumertest.NewErr(tt.err)), "/v1/events", jsonType, `{"name":"a"}`).Error)
		})
	}
}

func TestNobodyLearnsAKeyOrASecret(t *testing.T) {
	const key, secret = "a-write-key-of-somebody", "a-webhook-secret-of-somebody"
	tel := componenttest.NewTelemetry()
	t.Cleanup(func() { assert.NoError(t, tel.Shutdown(context.Background())) })
	core, logs := observer.New(zap.DebugLevel)
	set := receivertest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = tel.NewTelemetrySettings()
	set.Logger = zap.New(core)
	cfg := newConfig(t, map[string]any{
		"keys":     []any{map[string]any{"key": key}},
		"webhooks": map[string]any{"github": map[string]any{"scheme": "github", "secrets": []any{secret}}},
	})
	h := newHandlerOf(t, set, cfg, consumertest.NewNop())

	said := ""
	for _, query := range []string{"", "?write_key=" + key, "?write_key=" + key + "x"} {
		for _, body := range []string{`{"write_key":"` + key + `","name":"a"}`, `{"write_key":"` + key + `","name":`, `{"name":"a"}`} {
			got := ask(t, h, "/v1/events"+query, jsonType, body)
			said += got.Error
		}
	}
	said += ask(t, h, "/v1/webhooks/github", jsonType, "{}", "X-Hub-Signature-256", "sha256=00").Error
	for _, entry := range logs.All() {
		text, err := json.Marshal(entry.ContextMap())
		require.NoError(t, err)
		said += entry.Message + string(text)
	}
	for _, span := range tel.SpanRecorder.Ended() {
		for _, attribute := range span.Attributes() {
			said += attribute.Value.String()
		}
	}
	shown, err := json.Marshal(cfg)
	require.NoError(t, err)
	said += string(shown)
	assert.NotContains(t, said, key)
	assert.NotContains(t, said, secret)
	assert.Equal(t, int64(5), total(t, tel, "otelcol_fanout_receiver_unauthorized_total"))
}

func TestWebhooksThatAreRefusedAreLoggedOnceAMinute(t *testing.T) {
	core, logs := observer.New(zap.WarnLevel)
	set := receivertest.NewNopSettings(metadata.Type)
	set.Logger = zap.New(core)
	r, err := newReceiver(set, newConfig(t, map[string]any{
		"webhooks": map[string]any{"github": map[string]any{"scheme": "github", "secrets": []any{"s"}}},
	}), consumertest.NewNop())
	require.NoError(t, err)
	at := now
	r.intake.now = func() time.Time { return at }
	require.NoError(t, r.makeServer(t.Context(), componenttest.NewNopHost()))
	for range 30 {
		assert.Equal(t, http.StatusUnauthorized, ask(t, r.server.Handler, "/v1/webhooks/github", jsonType, "{}").status)
		at = at.Add(5 * time.Second)
	}
	require.Equal(t, 3, logs.Len())
	assert.Equal(t, int64(1), logs.All()[0].ContextMap()["since_the_last_time"])
	assert.Equal(t, int64(12), logs.All()[1].ContextMap()["since_the_last_time"])
	assert.Contains(t, logs.All()[0].ContextMap()["error"], "the signature is missing")
	require.NoError(t, r.Shutdown(t.Context()))
	require.Equal(t, 4, logs.Len())
	assert.Equal(t, int64(5), logs.All()[3].ContextMap()["since_the_last_time"])
}
