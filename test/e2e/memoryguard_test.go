// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
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

// largeLogs returns about 3 MB of small records.
func largeLogs() plog.Logs {
	logs := records(0, 30_000)
	of := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	for i := range of.Len() {
		of.At(i).Body().SetStr(strings.Repeat("x", 30))
	}
	return logs
}

func TestMemoryStaysBoundedUnderManyLargeRequests(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc")
	}
	const requests, together, bound = 120, 60, 700 // MiB
	c := start(t, guarded("max_inflight_bytes: 12MB", "nop: {}"))
	idle := c.peakMemory()
	request := plogotlp.NewExportRequestFromLogs(largeLogs())
	body, err := request.MarshalProto()
	require.NoError(t, err)
	connection, err := grpc.NewClient(c.otlpGRPC(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer connection.Close()
	overHTTP := &http.Client{Transport: &http.Transport{}, Timeout: 4 * waitTimeout}
	defer overHTTP.CloseIdleConnections()

	for name, send := range map[string]func() (refused bool){
		"http": func() bool { return sendLargeHTTP(t, overHTTP, "http://"+c.otlpHTTP()+"/v1/logs", body) },
		"grpc": func() bool { return sendLargeGRPC(t, plogotlp.NewGRPCClient(connection), request) },
	} {
		var next, accepted, refused atomic.Int64
		var wg sync.WaitGroup
		for range together {
			wg.Go(func() {
				for next.Add(1) <= requests {
					if send() {
						refused.Add(1)
					} else {
						accepted.Add(1)
					}
				}
			})
		}
		wg.Wait()
		t.Logf("%s: of %d requests of %d bytes, %d at once, %d were accepted and %d refused; peak memory %d MiB, %d when idle",
			name, requests, len(body), together, accepted.Load(), refused.Load(), c.peakMemory()>>20, idle>>20)
		assert.Positive(t, accepted.Load(), name)
		assert.Positive(t, refused.Load(), name)
	}
	assert.Less(t, c.peakMemory()>>20, bound)
}

func sendLargeHTTP(t *testing.T, client *http.Client, url string, body []byte) (refused bool) {
	t.Helper()
	response, err := client.Post(url, "application/x-protobuf", bytes.NewReader(body))
	if err != nil {
		return true // the connection was closed while the request was being sent
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	if response.StatusCode == http.StatusOK {
		return false
	}
	assert.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
	wait, err := strconv.Atoi(response.Header.Get("Retry-After"))
	assert.NoError(t, err)
	assert.Positive(t, wait)
	return true
}

func sendLargeGRPC(t *testing.T, client plogotlp.GRPCClient, request plogotlp.ExportRequest) (refused bool) {
	t.Helper()
	_, err := client.Export(t.Context(), request)
	if err == nil {
		return false
	}
	refusal := status.Convert(err)
	assert.Equal(t, codes.Unavailable, refusal.Code(), "%v", err)
	if assert.Len(t, refusal.Details(), 1, "%v", err) {
		retry, ok := refusal.Details()[0].(*errdetails.RetryInfo)
		assert.True(t, ok)
		assert.Positive(t, retry.GetRetryDelay().AsDuration())
	}
	return true
}

func TestSDKsSendRefusedRequestsAgain(t *testing.T) {
	t.Parallel()
	const applications, each = 6, 100
	for _, tt := range []struct {
		name     string
		exporter func(context.Context, *collector) (sdklog.Exporter, error)
	}{
		{"http", func(ctx context.Context, c *collector) (sdklog.Exporter, error) {
			return otlploghttp.New(ctx, otlploghttp.WithEndpoint(c.otlpHTTP()), otlploghttp.WithInsecure())
		}},
		{"grpc", func(ctx context.Context, c *collector) (sdklog.Exporter, error) {
			return otlploggrpc.New(ctx, otlploggrpc.WithEndpoint(c.otlpGRPC()), otlploggrpc.WithInsecure())
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
				provider := sdklog.NewLoggerProvider(sdklog.WithProcessor(sdklog.NewBatchProcessor(exporter)))
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
