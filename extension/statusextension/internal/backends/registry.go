// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"time"

	"go.uber.org/zap"

	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

// Settings configure a [Registry].
type Settings struct {
	// RecentEvents is how many events are remembered for each backend.
	RecentEvents int
	// Payloads says whose payloads are remembered.
	Payloads Payloads
	// Directory is where the choice to pause is kept; empty if it is forgotten at the end.
	Directory string
	Logger    *zap.Logger
	// Now is time.Now, or a fake clock.
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

// Registry remembers what exporters and fanout connectors report. Its methods are safe for concurrent
// use.
type Registry struct{}

// New returns a registry without backends.
func New(Settings) *Registry { return &Registry{} }

// Start reads which exporters are paused. Its error names the file, and what to do.
func (*Registry) Start() error { return nil }

// AddExporter implements [statusfeed.Registry].
func (*Registry) AddExporter(*statusfeed.Exporter) statusfeed.Feed { return nil }

// AddRouter implements [statusfeed.Registry].
func (*Registry) AddRouter(*statusfeed.Router) (remove func()) { return nil }

// Snapshot returns all backends, sorted by id.
func (*Registry) Snapshot() []Backend { return nil }

// Backend returns one backend.
func (*Registry) Backend(string) (b Backend, found bool) { return b, false }

// Find returns the events that the filter selects, the one that changed last first, and the number of
// all events that are remembered.
func (*Registry) Find(Filter) (events []Event, kept int) { return nil, 0 }

// Event returns an event at each backend that remembers it. An event may be there more than once.
func (*Registry) Event(string) []Event { return nil }

// Routers returns the routing tables, sorted by the connector's id and the signal.
func (*Registry) Routers() []*statusfeed.Router { return nil }

// SetPaused pauses or resumes an exporter, which may already be as wanted. Its error wraps [ErrUnknown],
// [ErrCannotPause] or [ErrNotKept].
func (*Registry) SetPaused(string, bool) error { return nil }

// EachPaused calls visit for each backend, with whether it is paused.
func (*Registry) EachPaused(func(id string, paused bool)) {}

// Left is the number of events of a backend that wait or are being sent.
type Left struct {
	Backend string
	Events  int64
	// Paused is true if the backend sends nothing.
	Paused bool
}

// Waiting returns the backends with events that wait or are being sent; of all backends if no id is
// given. changed is closed when one of the backends may have become empty; since that may be missed after a
// restart, ask again at least once a second.
func (*Registry) Waiting(...string) (left []Left, changed <-chan struct{}) { return nil, nil }

// Subscribe returns the changes from now on of the events that the filter selects. Its limit is that of
// each Read.
func (*Registry) Subscribe(Filter) *Subscription { return nil }
