// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventjson

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/plog"
)

// severityNumber returns the number of a level as logging libraries and syslog name it
// (OpenTelemetry logs data model, appendix B).
func severityNumber(text string) (plog.SeverityNumber, bool) {
	n, ok := severityNumbers[strings.ToLower(text)]
	return n, ok
}

var severityNumbers = map[string]plog.SeverityNumber{
	"trace": plog.SeverityNumberTrace, "trace2": plog.SeverityNumberTrace2,
	"trace3": plog.SeverityNumberTrace3, "trace4": plog.SeverityNumberTrace4,
	"verbose": plog.SeverityNumberTrace,

	"debug": plog.SeverityNumberDebug, "debug2": plog.SeverityNumberDebug2,
	"debug3": plog.SeverityNumberDebug3, "debug4": plog.SeverityNumberDebug4,

	"info": plog.SeverityNumberInfo, "info2": plog.SeverityNumberInfo2,
	"info3": plog.SeverityNumberInfo3, "info4": plog.SeverityNumberInfo4,
	"information": plog.SeverityNumberInfo, "informational": plog.SeverityNumberInfo,
	"log": plog.SeverityNumberInfo, "notice": plog.SeverityNumberInfo2,

	"warn": plog.SeverityNumberWarn, "warn2": plog.SeverityNumberWarn2,
	"warn3": plog.SeverityNumberWarn3, "warn4": plog.SeverityNumberWarn4,
	"warning": plog.SeverityNumberWarn,

	"error": plog.SeverityNumberError, "error2": plog.SeverityNumberError2,
	"error3": plog.SeverityNumberError3, "error4": plog.SeverityNumberError4,
	"err": plog.SeverityNumberError, "critical": plog.SeverityNumberError2, "crit": plog.SeverityNumberError2,
	"alert": plog.SeverityNumberError3,

	"fatal": plog.SeverityNumberFatal, "fatal2": plog.SeverityNumberFatal2,
	"fatal3": plog.SeverityNumberFatal3, "fatal4": plog.SeverityNumberFatal4,
	"emergency": plog.SeverityNumberFatal, "emerg": plog.SeverityNumberFatal, "panic": plog.SeverityNumberFatal,
}
