// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"net/http"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

func TestSyncCallerGetsBackendError(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		failure behavior
		status  int
		code    codes.Code
	}{
		{"a backend that is busy", refusing(http.StatusServiceUnavailable, "busy"), http.StatusServiceUnavailable, codes.Unavailable},
		{"a backend that resets connections", resetting, http.StatusServiceUnavailable, codes.Unavailable},
		{"a backend that refuses", refusing(http.StatusBadRequest, "the order has no total"), http.StatusBadRequest, codes.InvalidArgument},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBackend(t, tt.failure)
			p := startInstrumented(t, newDataFolders(t), webhook{"b", b.URL, "batching: array, dispatch: sync, retry_on_failure: {enabled: false}"})
			app, client := newSDK(p), newClient(t)

			got, said, err := app.post(records(0, 3))
			require.NoError(t, err)
			assert.Equal(t, tt.status, got, "over OTLP/HTTP: %s", said)
			assert.NotContains(t, said, b.URL)

			err = exportOverGRPC(t, p.collector, 0, 3)
			assert.Equal(t, tt.code, status.Code(err), "over OTLP/gRPC: %v", err)

			r, err := client.post(p.eventURL(), linesType, lines(0, 3))
			require.NoError(t, err)
			assert.Equal(t, tt.status, r.status, "over the event receiver: %+v", r.body)
			assert.Zero(t, r.body.Accepted)
			wait, err := strconv.Atoi(r.header.Get("Retry-After"))
			if tt.status == http.StatusServiceUnavailable {
				require.NoError(t, err)
				assert.Positive(t, wait)
			} else {
				assert.Error(t, err, "Retry-After, though it is of no use")
			}
			assert.Equal(t, map[string]int{"returned": 9}, p.settled("webhook/b", 9).outcomes)
			assert.Empty(t, p.deadLetterSummaries(), "dead letters of events returned to the caller")

			b.setBehavior(accepting)
			app.mustExport(t, records(0, 3))
			assert.Empty(t, b.missing(3), "delivered before the response")
			require.NoError(t, exportOverGRPC(t, p.collector, 3, 3))
			assert.Empty(t, b.missing(6))
			client.mustAccept(t, p.eventURL(), linesType, lines(6, 3), 3)
			assert.Empty(t, b.missing(9))
			assert.Equal(t, map[string]int{"returned": 9, "delivered": 9}, p.settled("webhook/b", 18).outcomes)
		})
	}
}

func exportOverGRPC(t *testing.T, c *collector, first, count int) error {
	t.Helper()
	connection, err := grpc.NewClient(c.otlpGRPC(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer func() { _ = connection.Close() }()
	_, err = plogotlp.NewGRPCClient(connection).Export(t.Context(), plogotlp.NewExportRequestFromLogs(records(first, count)))
	return err
}

func TestAutoDispatchWaitsUnlessQueueIsDurable(t *testing.T) {
	t.Parallel()
	b, c := newBackend(t, refusing(http.StatusBadRequest, "no")), newBackend(t, refusing(http.StatusBadRequest, "no"))
	p := startInstrumented(t, newDataFolders(t), webhook{"b", b.URL, "dispatch: auto"})
	got, _, err := newSDK(p).post(records(0, 1))
	require.NoError(t, err)
	assert.Equal(t, http.StatusBadRequest, got)
	assert.Equal(t, map[string]int{"returned": 1}, p.settled("webhook/b", 1).outcomes)

	p = startInstrumented(t, newDataFolders(t), webhook{"c", c.URL, "dispatch: auto, sending_queue: {storage: file_storage}"})
	newSDK(p).mustExport(t, records(0, 1))
	assert.Equal(t, map[string]int{"dead_lettered/refused": 1}, p.settled("webhook/c", 1).reasons)
}
