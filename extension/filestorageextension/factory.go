// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package filestorageextension

import (
	"context"
	"fmt"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/otelcol-fanout/otelcol-fanout/extension/filestorageextension/internal/metadata"
)

// NewFactory returns the factory of the file_storage extension.
func NewFactory() extension.Factory {
	return extension.NewFactory(metadata.Type, createDefaultConfig, create, metadata.ExtensionStability)
}

func create(ctx context.Context, set extension.Settings, cfg component.Config) (extension.Extension, error) {
	inner, err := filestorage.NewFactory().Create(ctx, set, cfg)
	if err != nil {
		return nil, err
	}
	files, ok := inner.(storage.Extension)
	if !ok {
		return nil, fmt.Errorf("the file_storage of contrib is a %T, which stores nothing", inner)
	}
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	return newExtension(set, cfg.(*Config), files, telemetry), nil
}
