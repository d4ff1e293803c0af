// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

func TestLogDefaultsLeaveOwnSettings(t *testing.T) {
	for _, tt := range []struct{ name, service, want string }{
		{"no telemetry", `{}`, `{telemetry: {logs: {disable_caller: true, disable_stacktrace: true, disable_zap_resource: true}}}`},
		{"empty telemetry", `{telemetry: }`, `{telemetry: {logs: {disable_caller: true, disable_stacktrace: true, disable_zap_resource: true}}}`},
		{
			"other settings", `{telemetry: {metrics: {level: none}, logs: {level: debug}}}`,
			`{telemetry: {metrics: {level: none}, logs: {level: debug, disable_caller: true, disable_stacktrace: true, disable_zap_resource: true}}}`,
		},
		{
			"the same settings", `{telemetry: {logs: {disable_caller: false, disable_stacktrace: false, disable_zap_resource: false}}}`,
			`{telemetry: {logs: {disable_caller: false, disable_stacktrace: false, disable_zap_resource: false}}}`,
		},
		{"a mistake", `{telemetry: {logs: 5}}`, `{telemetry: {logs: 5}}`},
		{"another mistake", `5`, `5`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			conf, want := readConf(t, "service: "+tt.service), readConf(t, "service: "+tt.want)
			require.NoError(t, logDefaults{}.Convert(context.Background(), conf))
			assert.Equal(t, want.ToStringMap(), conf.ToStringMap())
		})
	}
}

func readConf(t *testing.T, yaml string) *confmap.Conf {
	t.Helper()
	retrieved, err := confmap.NewRetrievedFromYAML([]byte(yaml))
	require.NoError(t, err)
	conf, err := retrieved.AsConf()
	require.NoError(t, err)
	return conf
}

func TestLinesOfReadingTheConfigurationComeFirst(t *testing.T) {
	early, _ := observer.New(zap.DebugLevel)
	core, lines := observer.New(zap.InfoLevel)
	option := newLogOption()

	reading := zap.New(early, option).With(zap.String("from", "file"))
	reading.Info("first", zap.Int("n", 1))
	reading.Debug("the service logs from info on")
	service := zap.New(core, option)
	service.Info("second")

	require.Equal(t, 2, lines.Len())
	assert.Equal(t, "first", lines.All()[0].Message)
	assert.Equal(t, map[string]any{"from": "file", "n": int64(1)}, lines.All()[0].ContextMap())
	assert.Equal(t, "second", lines.All()[1].Message)
}

func TestLaterLinesOfTheConfigurationPass(t *testing.T) {
	early, passed := observer.New(zap.InfoLevel)
	core, _ := observer.New(zap.InfoLevel)
	option := newLogOption()
	reading := zap.New(early, option).With(zap.String("from", "file"))
	zap.New(core, option)
	reading.Info("reloaded")
	reading.Debug("details")
	require.Equal(t, 1, passed.Len())
	assert.Equal(t, map[string]any{"from": "file"}, passed.All()[0].ContextMap())
}

func TestFieldsOfTheLineComeBeforeThoseOfTheComponent(t *testing.T) {
	line := func(write func(*zap.Logger)) string {
		var written bytes.Buffer
		encoder := zapcore.NewJSONEncoder(zapcore.EncoderConfig{MessageKey: "msg", SkipLineEnding: true})
		core := zapcore.NewCore(encoder, zapcore.AddSync(&written), zap.InfoLevel)
		write(zap.New(readableCore{Core: core}).With(zap.String("id", "webhook")).With(zap.String("signal", "logs")))
		return written.String()
	}
	assert.Equal(t, `{"msg":"m","reason":"r","id":"webhook","signal":"logs"}`, line(func(l *zap.Logger) { l.Info("m", zap.String("reason", "r")) }))
	assert.Equal(t, `{"msg":"m","id":"webhook","signal":"logs","in":{"reason":"r"}}`,
		line(func(l *zap.Logger) { l.Info("m", zap.Namespace("in"), zap.String("reason", "r")) }), "a namespace holds what follows it")
	assert.Equal(t, `{"msg":"m","n":1,"id":"webhook","signal":"logs"}`,
		line(func(l *zap.Logger) { l.Info("m", zap.Any("config", struct{ A int }{1}), zap.Int("n", 1)) }), "no whole configuration")
	assert.Equal(t, `{"msg":"m","config":"a.yaml","id":"webhook","signal":"logs"}`, line(func(l *zap.Logger) { l.Info("m", zap.String("config", "a.yaml")) }))
	for _, message := range ofNewQueue {
		assert.Empty(t, line(func(l *zap.Logger) { l.Info(message) }))
	}
	assert.Empty(t, line(func(l *zap.Logger) { l.Debug("m") }))
}
