// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package enabledconverter drops the components whose `enabled` is false before the collector unmarshals and
// validates the configuration, so that one file serves every choice of destinations and a component that is off needs
// no credentials.
package enabledconverter

import (
	"go.opentelemetry.io/collector/confmap"
	"go.uber.org/zap"
)

// NewFactory returns the factory of the converter. It has no settings: a configuration without `enabled` keys passes
// through it untouched.
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
