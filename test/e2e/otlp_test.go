// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
)

// records returns events from first on, as an application's SDK sends them.
func records(first, count int) plog.Logs {
	logs := recordsWithoutID(first, count)
	of := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	for i := range count {
		of.At(i).Attributes().PutStr("log.record.uid", eventID(first+i))
	}
	return logs
}

// recordsWithoutID returns records without ids, which the collector adds.
func recordsWithoutID(first, count int) plog.Logs {
	logs := plog.NewLogs()
	resource := logs.ResourceLogs().AppendEmpty()
	resource.Resource().Attributes().PutStr("service.name", "shop")
	of := resource.ScopeLogs().AppendEmpty().LogRecords()
	for i := first; i < first+count; i++ {
		record := of.AppendEmpty()
		record.SetEventName("order_placed")
		record.SetTimestamp(pcommon.NewTimestampFromTime(time.Unix(1_800_000_000, int64(i))))
		record.Attributes().PutInt("n", int64(i))
	}
	return logs
}

// sdk posts OTLP over HTTP, and retries like the exporters of the OpenTelemetry SDKs.
type sdk struct {
	http *http.Client
	url  string
}

func newSDK(p *instrumentedCollector) *sdk {
	return &sdk{http: p.client, url: "http://" + p.otlpHTTP() + "/v1/logs"}
}

// post makes one request.
func (s *sdk) post(logs plog.Logs) (status int, said string, err error) {
	body, err := plogotlp.NewExportRequestFromLogs(logs).MarshalProto()
	if err != nil {
		return 0, "", err
	}
	response, err := s.http.Post(s.url, "application/x-protobuf", bytes.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		return response.StatusCode, string(content), err
	}
	result := plogotlp.NewExportResponse()
	if err := result.UnmarshalProto(content); err != nil {
		return 0, "", err
	}
	if rejected := result.PartialSuccess().RejectedLogRecords(); rejected != 0 {
		return 0, "", fmt.Errorf("%d records were rejected", rejected)
	}
	return response.StatusCode, "", nil
}

// export posts until the request is accepted, at most six times. The error has the other responses.
func (s *sdk) export(logs plog.Logs) error {
	var seen error
	wait := 50 * time.Millisecond
	for range 6 {
		status, said, err := s.post(logs)
		switch {
		case err != nil:
			seen = errors.Join(seen, err)
		case status/100 == 2:
			return seen
		default:
			seen = errors.Join(seen, fmt.Errorf("the client got %d: %s", status, said))
		}
		switch status {
		case 0, http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		default:
			return seen
		}
		time.Sleep(wait)
		wait *= 2
	}
	return seen
}

// mustExport posts once, and the request must be accepted.
func (s *sdk) mustExport(t *testing.T, logs plog.Logs) {
	t.Helper()
	status, said, err := s.post(logs)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status, said)
}
