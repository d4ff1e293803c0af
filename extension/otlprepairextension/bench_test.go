// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package otlprepairextension

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

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

// timed returns how long a handler takes for a request.
func timed(b *testing.B, handler http.Handler, body []byte) time.Duration {
	request := httptest.NewRequest(http.MethodPost, "/v1/logs", bytes.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	recorder := httptest.NewRecorder()
	began := time.Now()
	handler.ServeHTTP(recorder, request)
	took := time.Since(began)
	if recorder.Code != http.StatusOK {
		b.Fatal(recorder.Code)
	}
	return took
}

// BenchmarkRequest compares the receiver alone with the receiver behind the middleware, for a body that
// needs no repair and for one in which a value of each record does. The two take turns, so that other
// load on the machine affects both, and their 10th percentiles are compared.
func BenchmarkRequest(b *testing.B) {
	repairing := start(b).handler(b, decodingLogs)
	good, bad := benchmarkBody(`{"doubleValue":1.5}`), benchmarkBody(`{"doubleValue":NaN}`)
	for _, bench := range []struct {
		name string
		body []byte
	}{{"accepted", good}, {"repaired", bad}} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			var alone, behind []time.Duration
			for b.Loop() {
				alone = append(alone, timed(b, decodingLogs, good))
				behind = append(behind, timed(b, repairing, bench.body))
			}
			slices.Sort(alone)
			slices.Sort(behind)
			at := len(alone) / 10
			b.ReportMetric(float64(alone[at]), "ns/receiver")
			b.ReportMetric(float64(behind[at]), "ns/behind")
			b.ReportMetric(100*(float64(behind[at])/float64(alone[at])-1), "%more")
		})
	}
}
