// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"sync"

	"go.opentelemetry.io/collector/confmap"
	"go.uber.org/zap"
)

// snapshot holds what a configuration was read from: the content of its files and variables. It
// reads each of them once, so a configuration that was checked is the one that is run.
type snapshot struct {
	mu   sync.Mutex
	read map[string]source // by URI
	// logger logs to the service that runs with the snapshot, once it has started.
	logger *zap.Logger
}

// source is a file or variable: what was read from it, and what reads it.
type source struct {
	*confmap.Retrieved
	provider confmap.Provider
}

func newSnapshot() *snapshot {
	return &snapshot{read: map[string]source{}, logger: zap.NewNop()}
}

// isOutdated reports whether a source has changed since it was read.
func (s *snapshot) isOutdated(ctx context.Context) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for uri, old := range s.read {
		now, err := old.provider.Retrieve(ctx, uri, nil)
		if err != nil {
			return true
		}
		textNow, err := now.AsString()
		if text, _ := old.AsString(); err == nil && text != textNow {
			return true
		}
	}
	return false
}

// providers returns factories of providers that read through the snapshot.
func (s *snapshot) providers(factories []confmap.ProviderFactory) []confmap.ProviderFactory {
	through := make([]confmap.ProviderFactory, 0, len(factories))
	for _, factory := range factories {
		through = append(through, confmap.NewProviderFactory(func(settings confmap.ProviderSettings) confmap.Provider {
			s.logger = settings.Logger.WithOptions(zap.WithCaller(false)) // the line of code means nothing to an operator
			return snapshotProvider{Provider: factory.Create(settings), snapshot: s}
		}))
	}
	return through
}

type snapshotProvider struct {
	confmap.Provider
	snapshot *snapshot
}

// Retrieve implements confmap.Provider. A change is read on SIGHUP only, so nothing is watched.
func (p snapshotProvider) Retrieve(ctx context.Context, uri string, _ confmap.WatcherFunc) (*confmap.Retrieved, error) {
	p.snapshot.mu.Lock()
	defer p.snapshot.mu.Unlock()
	read, ok := p.snapshot.read[uri]
	if !ok {
		retrieved, err := p.Provider.Retrieve(ctx, uri, nil)
		if err != nil {
			return nil, err
		}
		read = source{Retrieved: retrieved, provider: p.Provider}
		p.snapshot.read[uri] = read
	}
	// The collector may change the maps that it is given, so it gets new ones.
	if text, err := read.AsString(); err == nil {
		return confmap.NewRetrievedFromYAML([]byte(text))
	}
	return read.Retrieved, nil
}
