// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/otelcol"
)

// nameVariables has the error about a value that no configuration takes name the environment variable that it is of.
func nameVariables(set *otelcol.CollectorSettings) {
	resolver := &set.ConfigProviderSettings.ResolverSettings
	resolver.ProviderFactories = slices.Clone(resolver.ProviderFactories)
	for i, factory := range resolver.ProviderFactories {
		resolver.ProviderFactories[i] = confmap.NewProviderFactory(func(settings confmap.ProviderSettings) confmap.Provider {
			return variableNamer{factory.Create(settings)}
		})
	}
}

type variableNamer struct{ confmap.Provider }

// Retrieve implements confmap.Provider.
func (n variableNamer) Retrieve(ctx context.Context, uri string, watcher confmap.WatcherFunc) (*confmap.Retrieved, error) {
	retrieved, err := n.Provider.Retrieve(ctx, uri, watcher)
	variable, ok := strings.CutPrefix(uri, "env:")
	if ok && err != nil && strings.Contains(err.Error(), "unsupported type=") { // such as a number of twenty digits
		variable, _, _ = strings.Cut(variable, ":-")
		return nil, fmt.Errorf(`the environment variable %s: is not text to YAML; write quotes into it: %[1]s='"..."'`, variable)
	}
	return retrieved, err
}
