// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package appevent

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/plog"
)

// eventOf is the event of one record.
func eventOf(set func(plog.LogRecord)) *Event {
	ld := plog.NewLogs()
	set(ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty())
	for e := range Logs(ld) {
		return e
	}
	return nil
}

func TestASeverityIsItsNumberElseItsText(t *testing.T) {
	for name, tt := range map[string]struct {
		number     plog.SeverityNumber
		text       string
		want       plog.SeverityNumber
		issue, log string
	}{
		"nothing":                        {0, "", plog.SeverityNumberUnspecified, "error", "info"},
		"a number":                       {plog.SeverityNumberWarn2, "", plog.SeverityNumberWarn2, "warning", "warn"},
		"a number that the text denies":  {plog.SeverityNumberInfo, "FATAL", plog.SeverityNumberInfo, "info", "info"},
		"a number that does not exist":   {25, "debug", plog.SeverityNumberDebug, "debug", "debug"},
		"a text":                         {0, "Critical", plog.SeverityNumberFatal, "fatal", "fatal"},
		"a text of .NET":                 {0, "Information", plog.SeverityNumberInfo, "info", "info"},
		"a text that is short":           {0, "err", plog.SeverityNumberError, "error", "error"},
		"the lowest, which is a debug":   {plog.SeverityNumberTrace, "", plog.SeverityNumberTrace, "debug", "trace"},
		"a text that nobody understands": {0, "blau", plog.SeverityNumberUnspecified, "error", "info"},
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

func TestAnExceptionIsHandledUnlessSomethingSaysElse(t *testing.T) {
	for name, tt := range map[string]struct {
		severity   plog.SeverityNumber
		attributes map[string]any
		want       bool
	}{
		"nothing is said":                        {0, nil, true},
		"an error":                               {plog.SeverityNumberError, nil, true},
		"the application ended by it":            {plog.SeverityNumberFatal, nil, false},
		"it is told, whatever the severity":      {plog.SeverityNumberFatal, map[string]any{AttrHandled: true}, true},
		"it escaped":                             {plog.SeverityNumberError, map[string]any{AttrExceptionEscaped: true}, false},
		"it escaped, as Python says it":          {0, map[string]any{AttrExceptionEscaped: "True"}, false},
		"it did not escape, as Python says it":   {plog.SeverityNumberFatal, map[string]any{AttrExceptionEscaped: "False"}, true},
		"it is told, whether or not it escaped":  {0, map[string]any{AttrExceptionEscaped: true, AttrHandled: true}, true},
		"it is told in a word, which is no bool": {0, map[string]any{AttrHandled: "false"}, true},
	} {
		e := eventOf(func(r plog.LogRecord) {
			r.SetSeverityNumber(tt.severity)
			assert.NoError(t, r.Attributes().FromRaw(tt.attributes))
		})
		assert.Equal(t, tt.want, e.Handled(), name)
	}
}
