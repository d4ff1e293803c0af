// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

// Settings configure a [Registry].
type Settings struct {
	// RecentEvents is how many of the last events are remembered for each backend; undelivered and skipped
	// ones have further places.
	RecentEvents int
	// Payloads says whose payloads are remembered; empty means none.
	Payloads Payloads
	// Directory is where the choice to pause is kept; empty if it is forgotten at the end.
	Directory string
	// Logger may be nil.
	Logger *zap.Logger
	// Now is a fake clock, or nil for time.Now.
	Now func() time.Time
}

// Payloads says whose payloads are remembered.
type Payloads string

// The choices of payloads. Failures are the events that were not delivered, or not yet.
const (
	PayloadsNone     Payloads = "none"
	PayloadsFailures Payloads = "failures"
	PayloadsAll      Payloads = "all"
)

// Registry remembers what exporters and fanout connectors report. Its methods are safe for
// concurrent use.
type Registry struct {
	set     Settings
	emptied bell
	pauses  pauses

	mu       sync.RWMutex
	backends map[string]*backend
	routers  []*statusfeed.Router
}

// New returns a registry without backends.
func New(set Settings) *Registry {
	if set.Logger == nil {
		set.Logger = zap.NewNop()
	}
	if set.Now == nil {
		set.Now = time.Now
	}
	return &Registry{set: set, pauses: pauses{directory: set.Directory, since: map[string]time.Time{}}, backends: map[string]*backend{}}
}

// AddExporter implements [statusfeed.Registry].
func (r *Registry) AddExporter(e *statusfeed.Exporter) statusfeed.Feed {
	r.pauses.mu.Lock()
	defer r.pauses.mu.Unlock()
	b := r.backendOf(e)
	f := b.add(e, r.set.Now)
	if since, paused := r.pauses.since[b.name]; paused && e.SetPaused != nil {
		r.set.Logger.Warn("The exporter was paused before it started; it sends nothing until it is resumed",
			zap.String("exporter", b.name), zap.String("signal", e.Signal), zap.Time("since", since))
		b.setPaused(since)
	}
	return f
}

// backendOf returns the backend of an exporter, which may be new.
func (r *Registry) backendOf(e *statusfeed.Exporter) *backend {
	r.mu.Lock()
	defer r.mu.Unlock()
	name := e.ID.String()
	b := r.backends[name]
	if b == nil {
		b = newBackend(e.ID, &r.set, &r.emptied)
		r.backends[name] = b
	}
	return b
}

// backend returns the backend with an id, or nil.
func (r *Registry) backend(id string) *backend {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.backends[id]
}

// sorted returns the backends, sorted by id.
func (r *Registry) sorted() []*backend {
	r.mu.RLock()
	defer r.mu.RUnlock()
	all := make([]*backend, 0, len(r.backends))
	for _, b := range r.backends {
		all = append(all, b)
	}
	slices.SortFunc(all, func(a, b *backend) int { return strings.Compare(a.name, b.name) })
	return all
}

// AddRouter implements [statusfeed.Registry].
func (r *Registry) AddRouter(router *statusfeed.Router) (remove func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.routers = append(r.routers, router)
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.routers = slices.DeleteFunc(r.routers, func(other *statusfeed.Router) bool { return other == router })
	}
}

// Routers returns the routing tables, sorted by the connector's id and the signal.
func (r *Registry) Routers() []*statusfeed.Router {
	r.mu.RLock()
	defer r.mu.RUnlock()
	routers := slices.Clone(r.routers)
	slices.SortFunc(routers, func(a, b *statusfeed.Router) int {
		return cmp.Or(strings.Compare(a.ID.String(), b.ID.String()), strings.Compare(a.Signal, b.Signal))
	})
	return routers
}
