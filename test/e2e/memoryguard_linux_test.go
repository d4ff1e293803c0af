// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

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
