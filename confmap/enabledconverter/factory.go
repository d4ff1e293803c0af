// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package enabledconverter removes components with `enabled: false` before the collector validates
// the configuration. One file then serves every choice of backends, and a disabled component needs
// no credentials.
package enabledconverter

import (
	"go.opentelemetry.io/collector/confmap"
	"go.uber.org/zap"
)

// NewFactory returns the factory of the converter, which has no settings. It does not change a
// configuration in which no component has the key `enabled` or `enabled_if_set`.
func NewFactory() confmap.ConverterFactory {
	return confmap.NewConverterFactory(newConverter)
}

func newConverter(set confmap.ConverterSettings) confmap.Converter {
	logger := set.Logger
	if logger == nil {
		logger = zap.NewNop()
	}
	return &converter{logger: logger}
}
