// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package appevent

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/plog"
)

// SeverityLevel is the severity by its number, else by its text.
func (e *Event) SeverityLevel() plog.SeverityNumber {
	if n := e.SeverityNumber; n > 0 && n <= plog.SeverityNumberFatal4 {
		return n
	}
	if e.SeverityText == "" {
		return plog.SeverityNumberUnspecified
	}
	switch strings.ToLower(e.SeverityText) {
	case "trace":
		return plog.SeverityNumberTrace
	case "debug":
		return plog.SeverityNumberDebug
	case "info", "information", "notice":
		return plog.SeverityNumberInfo
	case "warn", "warning":
		return plog.SeverityNumberWarn
	case "error", "err", "severe":
		return plog.SeverityNumberError
	case "fatal", "critical", "alert", "emergency", "panic":
		return plog.SeverityNumberFatal
	}
	return plog.SeverityNumberUnspecified
}

// IssueLevel is the severity in the words of error trackers, for which what tells none is an error.
func IssueLevel(n plog.SeverityNumber) string {
	switch {
	case n == plog.SeverityNumberUnspecified:
		return "error"
	case n < plog.SeverityNumberInfo:
		return "debug"
	case n >= plog.SeverityNumberWarn && n < plog.SeverityNumberError:
		return "warning"
	default:
		return LogLevel(n)
	}
}

// LogLevel is the severity in the words of logs; one that tells none is info.
func LogLevel(n plog.SeverityNumber) string {
	switch {
	case n == plog.SeverityNumberUnspecified:
		return "info"
	case n < plog.SeverityNumberDebug:
		return "trace"
	case n < plog.SeverityNumberInfo:
		return "debug"
	case n < plog.SeverityNumberWarn:
		return "info"
	case n < plog.SeverityNumberError:
		return "warn"
	case n < plog.SeverityNumberFatal:
		return "error"
	}
	return "fatal"
}

// Handled tells whether the application caught the exception. Where nothing says so, it did unless it ended by it.
func (e *Event) Handled() bool {
	if e.Exception.HandledKnown {
		return e.Exception.Handled
	}
	if escaped, ok := e.Attribute(AttrExceptionEscaped); ok {
		return !strings.EqualFold(escaped.AsString(), "true") // which Python writes as True
	}
	return e.SeverityLevel() < plog.SeverityNumberFatal
}
