// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package otlprepairextension

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
)

// benchmarkBody returns a request with 100 records of ten attributes.
func benchmarkBody(value string) []byte {
	attribute := `{"key":"http.request.header.accept","value":{"stringValue":"application/json"}},`
	record := `{"timeUnixNano":"1700000000000000000","severityNumber":9,"severityText":"INFO","body":{"stringValue":"order placed"},"attributes":[` +
		strings.Repeat(attribute, 8) + `{"key":"count","value":{"intValue":"17"}},{"key":"price","value":` + value + `}],"eventName":"order_placed"}`
	return []byte(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[` + strings.Repeat(record+",", 99) + record + `]}]}]}`)
}

// decodingLogs reads and decodes a body as the OTLP receiver does.
var decodingLogs = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = plogotlp.NewExportRequest().UnmarshalJSON(body)
	}
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusOK)
})

// BenchmarkRequest compares the receiver alone with the receiver behind the middleware: for a body that
// needs no repair, and for one in which a value of each record does.
func BenchmarkRequest(b *testing.B) {
	wrap, err := start(b).GetHTTPHandler(b.Context())
	require.NoError(b, err)
	repairing, err := wrap(b.Context(), decodingLogs)
	require.NoError(b, err)
	good, bad := benchmarkBody(`{"doubleValue":1.5}`), benchmarkBody(`{"doubleValue":NaN}`)
	for _, bench := range []struct {
		name    string
		handler http.Handler
		body    []byte
		status  int
	}{
		{"receiver", decodingLogs, good, http.StatusOK},
		{"receiver_behind_middleware", repairing, good, http.StatusOK},
		{"receiver_refuses", decodingLogs, bad, http.StatusBadRequest},
		{"repaired", repairing, bad, http.StatusOK},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.SetBytes(int64(len(bench.body)))
			b.ReportAllocs()
			for b.Loop() {
				request := httptest.NewRequest(http.MethodPost, "/v1/logs", bytes.NewReader(bench.body))
				request.Header.Set("Content-Type", "application/json")
				recorder := httptest.NewRecorder()
				bench.handler.ServeHTTP(recorder, request)
				if recorder.Code != bench.status {
					b.Fatal(recorder.Code)
				}
			}
		})
	}
}
