// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package outcome

import (
	"go.uber.org/zap"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/throttle"
)

// malformedField is the name of an attribute, and what its value must be.
type malformedField struct{ name, wanted string }

// malformedLog logs attributes of the wrong type, at most once a minute each. It never repeats a
// value.
type malformedLog = throttle.Logs[malformedField, struct{}]

func newMalformedLog(logger *zap.Logger) *malformedLog {
	return throttle.NewLogs(func(field malformedField, events throttle.Summary, _ struct{}) {
		logger.Warn("A field of events cannot be read, because its attribute has the wrong type",
			append([]zap.Field{
				zap.String("field", field.name), zap.String("what_to_do", "send "+field.wanted+
					"; if a processor turned it into text, such as redaction with redact_all_types, use the privacy processor instead"),
			}, events.Fields("events")...)...)
	})
}

// Malformed counts and logs attributes of an event that have the wrong type.
func (r *Recorder) Malformed(attributes appevent.Malformed) {
	for name, wanted := range attributes.All() {
		r.metrics.malformedField(name)
		r.malformed.Add(malformedField{name, wanted}, 1, nil)
	}
}
