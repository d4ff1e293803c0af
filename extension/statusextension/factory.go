// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"

	"github.com/otelcol-fanout/otelcol-fanout/extension/statusextension/internal/metadata"
	"github.com/otelcol-fanout/otelcol-fanout/internal/explain/inuse"
)

// factory creates extensions that explain events with the configuration in use.
type factory struct {
	extension.Factory
	explain func() inuse.Explain
}

var _ inuse.Factory = (*factory)(nil)

// NewFactory returns the factory of the status extension.
func NewFactory() extension.Factory {
	f := &factory{explain: func() inuse.Explain { return nil }}
	f.Factory = extension.NewFactory(metadata.Type, createDefaultConfig, f.create, metadata.ExtensionStability)
	return f
}

// UseExplain implements inuse.Factory.
func (f *factory) UseExplain(of func() inuse.Explain) { f.explain = of }

func (f *factory) create(_ context.Context, set extension.Settings, cfg component.Config) (extension.Extension, error) {
	return newExtension(set, cfg.(*Config), f.explain())
}
