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

// nameVariables makes errors about an environment variable with an unsupported value name the
// variable.
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
		return nil, fmt.Errorf(`${env:%s}: YAML does not read the environment variable %[1]s as text; put quotes inside it: %[1]s='"..."'`, variable)
	}
	return retrieved, err
}
