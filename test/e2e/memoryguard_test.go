// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
)

// guarded returns a configuration with memory_guard on both protocols of OTLP.
func guarded(settings, exporter string) string {
	name, _, _ := strings.Cut(exporter, ":")
	return fmt.Sprintf(`extensions:
  memory_guard: {%s}
receivers:
  otlp:
    protocols:
      grpc: {endpoint: "127.0.0.1:0", middlewares: [{id: memory_guard}]}
      http: {endpoint: "127.0.0.1:0", middlewares: [{id: memory_guard}]}
exporters: {%s}
service:
  extensions: [memory_guard]
  telemetry: {metrics: {level: none}}
  pipelines:
    logs: {receivers: [otlp], exporters: [%s]}
`, settings, exporter, name)
}

func TestSDKsSendRefusedRequestsAgain(t *testing.T) {
	t.Parallel()
	const applications, each = 6, 100
	// The SDK's own wait of five seconds leaves time for few attempts.
	retries := otlploghttp.RetryConfig{
		Enabled: true, InitialInterval: 100 * time.Millisecond, MaxInterval: 500 * time.Millisecond, MaxElapsedTime: waitTimeout,
	}
	for _, tt := range []struct {
		name     string
		exporter func(context.Context, *collector) (sdklog.Exporter, error)
	}{
		{"http", func(ctx context.Context, c *collector) (sdklog.Exporter, error) {
			return otlploghttp.New(ctx, otlploghttp.WithEndpoint(c.otlpHTTP()), otlploghttp.WithInsecure(),
				otlploghttp.WithTimeout(waitTimeout), otlploghttp.WithRetry(retries))
		}},
		{"grpc", func(ctx context.Context, c *collector) (sdklog.Exporter, error) {
			return otlploggrpc.New(ctx, otlploggrpc.WithEndpoint(c.otlpGRPC()), otlploggrpc.WithInsecure(),
				otlploggrpc.WithTimeout(waitTimeout), otlploggrpc.WithRetry(otlploggrpc.RetryConfig(retries)))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			// The caller waits for the slow backend, so that requests stay in flight for a while.
			b := newBackend(t, func(w http.ResponseWriter, r *http.Request, events []event, body []byte) bool {
				time.Sleep(200 * time.Millisecond)
				return accepting(w, r, events, body)
			})
			c := start(t, guarded("max_inflight_bytes: 2500kB", fmt.Sprintf("webhook: {endpoint: %q, batching: array, dispatch: sync}", b.URL)))
			inParallel(applications, func(i int) bool {
				exporter, err := tt.exporter(t.Context(), c)
				require.NoError(t, err)
				provider := sdklog.NewLoggerProvider(sdklog.WithProcessor(sdklog.NewBatchProcessor(exporter, sdklog.WithExportTimeout(waitTimeout))))
				logger := provider.Logger("shop")
				for n := range each {
					var record log.Record
					record.SetEventName("order_placed")
					record.SetTimestamp(time.Now())
					record.SetBody(attribute.StringValue(strings.Repeat("x", 10_000)))
					record.AddAttributes(attribute.String("log.record.uid", eventID(i*each+n)))
					logger.Emit(t.Context(), record)
				}
				assert.NoError(t, provider.ForceFlush(t.Context()))
				return assert.NoError(t, provider.Shutdown(t.Context()))
			})
			assert.Empty(t, b.missing(applications*each))
			assert.Contains(t, c.stderr.String(), "Requests are refused to save memory", "some requests were refused")
			c.stop()
		})
	}
}
