// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"strings"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// failedExport begins the line that exporterhelper logs for each failed request.
const failedExport = "Exporting failed. "

// Quiet returns a logger for exporterhelper. It omits the line for each failed request, because those
// are counted and logged by package outcome, and logs any other line at most once an interval, such
// as one about a full disk.
//
// It relies on the text of the log lines. An option of exporterhelper for its error log would replace
// it.
func Quiet(logger *zap.Logger, interval time.Duration) *zap.Logger {
	return logger.WithOptions(zap.AddStacktrace(zapcore.FatalLevel), zap.WrapCore(func(core zapcore.Core) zapcore.Core {
		return quietCore{zapcore.NewSamplerWithOptions(core, interval, 1, 0)}
	}))
}

type quietCore struct{ zapcore.Core }

// With implements zapcore.Core.
func (c quietCore) With(fields []zapcore.Field) zapcore.Core { return quietCore{c.Core.With(fields)} }

// Check implements zapcore.Core.
func (c quietCore) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if strings.HasPrefix(entry.Message, failedExport) {
		return checked
	}
	return c.Core.Check(entry, checked)
}
