// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package appevent

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/plog"
)

// eventOf returns the event of one record.
func eventOf(set func(plog.LogRecord)) *Event {
	ld := plog.NewLogs()
	set(ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty())
	for e := range Logs(ld) {
		return e
	}
	return nil
}

func TestSeverityLevelPrefersTheNumber(t *testing.T) {
	for name, tt := range map[string]struct {
		number     plog.SeverityNumber
		text       string
		want       plog.SeverityNumber
		issue, log string
	}{
		"nothing":                      {0, "", plog.SeverityNumberUnspecified, "error", "info"},
		"a number":                     {plog.SeverityNumberWarn2, "", plog.SeverityNumberWarn2, "warning", "warn"},
		"a number and another text":    {plog.SeverityNumberInfo, "FATAL", plog.SeverityNumberInfo, "info", "info"},
		"an invalid number and a text": {25, "debug", plog.SeverityNumberDebug, "debug", "debug"},
		"a text":                       {0, "Critical", plog.SeverityNumberFatal, "fatal", "fatal"},
		"a text of .NET":               {0, "Information", plog.SeverityNumberInfo, "info", "info"},
		"a short text":                 {0, "err", plog.SeverityNumberError, "error", "error"},
		"the lowest number":            {plog.SeverityNumberTrace, "", plog.SeverityNumberTrace, "debug", "trace"},
		"an unknown text":              {0, "blau", plog.SeverityNumberUnspecified, "error", "info"},
	} {
		e := eventOf(func(r plog.LogRecord) {
			r.SetSeverityNumber(tt.number)
			r.SetSeverityText(tt.text)
		})
		assert.Equal(t, tt.want, e.SeverityLevel(), name)
		assert.Equal(t, tt.issue, IssueLevel(e.SeverityLevel()), name)
		assert.Equal(t, tt.log, LogLevel(e.SeverityLevel()), name)
	}
}

func TestExceptionIsHandledByDefault(t *testing.T) {
	for name, tt := range map[string]struct {
		severity   plog.SeverityNumber
		attributes map[string]any
		want       bool
	}{
		"nothing set":                   {0, nil, true},
		"error severity":                {plog.SeverityNumberError, nil, true},
		"fatal severity":                {plog.SeverityNumberFatal, nil, false},
		"handled, despite the severity": {plog.SeverityNumberFatal, map[string]any{AttrHandled: true}, true},
		"escaped":                       {plog.SeverityNumberError, map[string]any{AttrExceptionEscaped: true}, false},
		"escaped, as Python writes it":  {0, map[string]any{AttrExceptionEscaped: "True"}, false},
		"not escaped, in Python":        {plog.SeverityNumberFatal, map[string]any{AttrExceptionEscaped: "False"}, true},
		"handled wins over escaped":     {0, map[string]any{AttrExceptionEscaped: true, AttrHandled: true}, true},
		"handled of the wrong type":     {0, map[string]any{AttrHandled: "false"}, true},
	} {
		e := eventOf(func(r plog.LogRecord) {
			r.SetSeverityNumber(tt.severity)
			assert.NoError(t, r.Attributes().FromRaw(tt.attributes))
		})
		assert.Equal(t, tt.want, e.Handled(), name)
	}
}
