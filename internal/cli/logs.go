// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"slices"
	"sync"

	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/otelcol"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// addLogDefaults adds a converter that sets service::telemetry::logs to what an operator wants to
// read, unless the configuration says otherwise: no lines of code, no stack traces, and no resource
// that repeats the name of this program in each line.
func addLogDefaults(set *otelcol.CollectorSettings) {
	resolver := &set.ConfigProviderSettings.ResolverSettings
	resolver.ConverterFactories = append(slices.Clone(resolver.ConverterFactories),
		confmap.NewConverterFactory(func(confmap.ConverterSettings) confmap.Converter { return logDefaults{} }))
}

type logDefaults struct{}

// Convert implements confmap.Converter.
func (logDefaults) Convert(_ context.Context, conf *confmap.Conf) error {
	section := conf.ToStringMap()
	for _, key := range []string{"service", "telemetry", "logs"} {
		below, isMap := section[key].(map[string]any)
		if !isMap && (section[key] != nil || key == "service") {
			return nil // the collector reports it
		}
		section = below
	}
	defaults := map[string]any{}
	for _, key := range []string{"disable_caller", "disable_stacktrace", "disable_zap_resource"} {
		if _, isSet := section[key]; !isSet {
			defaults[key] = true
		}
	}
	return conf.Merge(confmap.NewFromStringMap(map[string]any{"service": map[string]any{"telemetry": map[string]any{"logs": defaults}}}))
}

// startLog writes what is logged while the configuration is read before anything else. The collector
// would write it after the first lines of the service.
type startLog struct {
	mu       sync.Mutex
	wrapped  bool
	released bool
	held     []heldLine
}

type heldLine struct {
	zapcore.Entry
	fields []zapcore.Field
}

// newLogOption returns the option for all logs of one collector.
func newLogOption() zap.Option { return zap.WrapCore((&startLog{}).wrap) }

// wrap wraps two cores: that of the logger for reading the configuration, when the collector is
// created, and then that of the service, whose settings are in the configuration.
func (s *startLog) wrap(core zapcore.Core) zapcore.Core {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.wrapped {
		s.wrapped = true
		return earlyCore{Core: core, log: s}
	}
	core = readableCore{Core: core}
	for i := range s.held {
		line := &s.held[i]
		if checked := core.Check(line.Entry, nil); checked != nil {
			checked.Write(line.fields...)
		}
	}
	s.released, s.held = true, nil
	return core
}

// hold keeps a line until the service has its log. It returns false if it has one.
func (s *startLog) hold(entry zapcore.Entry, fields []zapcore.Field) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.released {
		s.held = append(s.held, heldLine{entry, fields})
	}
	return !s.released
}

// earlyCore holds lines while the configuration is read. Its Core passes later ones to the service.
type earlyCore struct {
	zapcore.Core
	log     *startLog
	context []zapcore.Field
}

// With implements zapcore.Core.
func (c earlyCore) With(fields []zapcore.Field) zapcore.Core {
	return earlyCore{c.Core.With(fields), c.log, slices.Concat(c.context, fields)}
}

// Check implements zapcore.Core.
func (c earlyCore) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if !c.Enabled(entry.Level) {
		return checked
	}
	return checked.AddCore(entry, c)
}

// Write implements zapcore.Core.
func (c earlyCore) Write(entry zapcore.Entry, fields []zapcore.Field) error {
	if c.log.hold(entry, slices.Concat(c.context, fields)) {
		return nil
	}
	return c.Core.Write(entry, fields)
}

// readableCore begins a line's fields with its own ones, such as the reason, and ends them with those
// of the component. It leaves out what says nothing to an operator.
type readableCore struct {
	zapcore.Core
	context []zapcore.Field
}

// ofNewQueue are lines of exporterhelper about each new queue on disk. A format before the first
// version of this program is none of its users' concern.
var ofNewQueue = []string{
	"New queue metadata key not found, attempting to load legacy format.",
	"Initializing new persistent queue",
	"Successfully migrated to consolidated metadata format",
}

// With implements zapcore.Core.
func (c readableCore) With(fields []zapcore.Field) zapcore.Core {
	return readableCore{c.Core, slices.Concat(c.context, fields)}
}

// Check implements zapcore.Core.
func (c readableCore) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if !c.Enabled(entry.Level) || entry.Level == zapcore.InfoLevel && slices.Contains(ofNewQueue, entry.Message) {
		return checked
	}
	return checked.AddCore(entry, c)
}

// Write implements zapcore.Core.
func (c readableCore) Write(entry zapcore.Entry, fields []zapcore.Field) error {
	fields = slices.DeleteFunc(slices.Clone(fields), isConfiguration)
	if slices.ContainsFunc(slices.Concat(c.context, fields), opensNamespace) {
		return c.Core.Write(entry, slices.Concat(c.context, fields)) // their order has a meaning
	}
	return c.Core.Write(entry, slices.Concat(fields, c.context))
}

// isConfiguration reports whether a field is the whole configuration of a component, as health_check
// logs it. The command print-config shows it, too.
func isConfiguration(field zapcore.Field) bool {
	return field.Key == "config" && field.Type == zapcore.ReflectType
}

func opensNamespace(field zapcore.Field) bool { return field.Type == zapcore.NamespaceType }
