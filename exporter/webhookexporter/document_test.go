// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package webhookexporter

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/eventjson"
)

func TestDocumentShowsTheMessageOfAStructuredBody(t *testing.T) {
	for _, key := range []string{"message", "msg"} {
		t.Run(key, func(t *testing.T) {
			document := documentFor(t, func(record plog.LogRecord) {
				body := record.Body().SetEmptyMap()
				body.PutStr(key, "disk full on /var")
				body.PutStr("host", "db1")
				record.Attributes().PutInt("disk", 2)
			})
			assert.Equal(t, "disk full on /var", document["text"])
			assert.Equal(t, map[string]any{"host": "db1", "disk": int64(2)}, document["fields"])
			assert.Equal(t, map[string]any{"disk": int64(2)}, document["properties"])
		})
	}
}

func TestDocumentShowsTheMessageOfTheException(t *testing.T) {
	document := documentFor(t, func(record plog.LogRecord) {
		record.Body().SetStr("unhandled exception")
		record.Attributes().PutStr(appevent.AttrExceptionType, "PaymentError")
		record.Attributes().PutStr(appevent.AttrExceptionMessage, "the card was declined")
	})
	assert.Equal(t, "the card was declined", document["text"])
	assert.NotContains(t, document, "fields")
}

func documentFor(t *testing.T, set func(plog.LogRecord)) map[string]any {
	t.Helper()
	ld := plog.NewLogs()
	set(ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty())
	for e := range appevent.Logs(ld) {
		var encoder eventjson.Encoder
		document, err := documentOf(encoder.Append(nil, e), e)
		require.NoError(t, err)
		return document
	}
	return nil
}
