// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
)

// severityOf is the severity of an event, by its text where it has no number.
func severityOf(e *appevent.Event) plog.SeverityNumber {
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

// logLevel is Sentry's word for the severity of a log (Sentry's SDK documentation, "Logs", "Log Severity Level").
func logLevel(n plog.SeverityNumber) string {
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

// eventLevel is Sentry's word for the severity of an event, whose own default is error (Sentry's SDK documentation, "Event
// Payloads", "level").
func eventLevel(n plog.SeverityNumber) string {
	switch {
	case n == plog.SeverityNumberUnspecified:
		return "error"
	case n < plog.SeverityNumberInfo:
		return "debug"
	case n < plog.SeverityNumberWarn:
		return "info"
	case n < plog.SeverityNumberError:
		return "warning"
	case n < plog.SeverityNumberFatal:
		return "error"
	}
	return "fatal"
}
