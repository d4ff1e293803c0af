// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"slices"
	"strings"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/otelcol-fanout/otelcol-fanout/internal/throttle"
)

// failedExport begins the line that exporterhelper logs for each failed request.
const failedExport = "Exporting failed. "

// Quiet returns a logger for exporterhelper. It omits the line for each failed request, because those
// are counted and logged by package outcome, and logs any other line, such as one about a full disk,
// at most once a minute. Call closeLog at shutdown: it writes what is held back.
//
// It relies on the text of the log lines. An option of exporterhelper for its error log would replace
// it.
func Quiet(logger *zap.Logger) (quiet *zap.Logger, closeLog func()) {
	lines := throttle.NewLogs(writeRepeated)
	return logger.WithOptions(zap.AddStacktrace(zapcore.FatalLevel), zap.WrapCore(func(core zapcore.Core) zapcore.Core {
		return quietCore{Core: core, lines: lines}
	})), lines.Close
}

// quietCore is a core whose lines repeat at most once a minute. exporterhelper's messages are few, and
// have no varying parts.
type quietCore struct {
	zapcore.Core
	lines *throttle.Logs[string, repeated]
}

// repeated is the latest line with some message.
type repeated struct {
	core   zapcore.Core
	entry  zapcore.Entry
	fields []zapcore.Field
}

func writeRepeated(_ string, times throttle.Summary, latest repeated) {
	fields := latest.fields
	if times.Count > 1 {
		fields = append(fields, times.Fields("times")...)
	}
	if checked := latest.core.Check(latest.entry, nil); checked != nil { // the core may leave it out
		checked.Write(fields...)
	}
}

// With implements zapcore.Core.
func (c quietCore) With(fields []zapcore.Field) zapcore.Core {
	return quietCore{c.Core.With(fields), c.lines}
}

// Check implements zapcore.Core.
func (c quietCore) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if !c.Enabled(entry.Level) || strings.HasPrefix(entry.Message, failedExport) {
		return checked
	}
	return checked.AddCore(entry, c)
}

// Write implements zapcore.Core.
func (c quietCore) Write(entry zapcore.Entry, fields []zapcore.Field) error {
	c.lines.Add(entry.Message, 1, func(latest *repeated) { *latest = repeated{c.Core, entry, slices.Clone(fields)} })
	return nil
}
