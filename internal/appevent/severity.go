// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package appevent

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/plog"
)

// SeverityLevel returns the severity by its number, else by its text, else Unspecified.
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

// IssueLevel returns the severity as a level of error trackers: debug, info, warning, error or
// fatal. Unspecified is error.
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

// LogLevel returns the severity as a log level: trace, debug, info, warn, error or fatal.
// Unspecified is info.
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

// Handled reports whether the application caught the exception. If no attribute says so, it did
// unless the severity is fatal.
func (e *Event) Handled() bool {
	if e.Exception.HandledKnown {
		return e.Exception.Handled
	}
	if escaped, ok := e.Attribute(AttrExceptionEscaped); ok {
		return !strings.EqualFold(escaped.AsString(), "true") // Python writes True
	}
	return e.SeverityLevel() < plog.SeverityNumberFatal
}
