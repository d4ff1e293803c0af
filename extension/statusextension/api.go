// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/otelcol-fanout/otelcol-fanout/extension/statusextension/internal/backends"
	"github.com/otelcol-fanout/otelcol-fanout/internal/explain/inuse"
)

// api is the HTTP API.
type api struct {
	cfg      *Config
	logger   *zap.Logger
	version  string
	started  time.Time
	now      func() time.Time
	registry *backends.Registry
	letters  letters
	// explain is nil in a collector that does not give its configuration to the extension.
	explain inuse.Explain
	// conf is set as soon as the collector has told its configuration.
	conf      atomic.Pointer[configuration]
	pipelines *readiness
	metrics   *collectorMetrics
	// closing ends when the extension stops, and with it everything that waits.
	closing context.Context

	resources                 []resource
	readers, waiters, editors slots
	explaining                slots
	snapshots                 snapshots
	pace                      pace
}

// pace has the intervals and timeouts of streams, waits and explaining. Tests shorten them.
type pace struct {
	// events, backends and heartbeat are how often a stream sends each of them at most.
	events, backends, heartbeat time.Duration
	// write is how long a reader may take to accept what is sent.
	write time.Duration
	// look is how often a wait looks again.
	look time.Duration
	// explain is how long explaining an event may take.
	explain time.Duration
}

func usualPace() pace {
	return pace{
		events: 250 * time.Millisecond, backends: time.Second, heartbeat: 15 * time.Second,
		write: 10 * time.Second, look: time.Second, explain: 5 * time.Second,
	}
}

const (
	// maxHeld is how many streams, and how many waiting requests, are held open at a time.
	maxHeld = 16
	// maxEditors is how many edited dead letters are in memory at a time.
	maxEditors = 2
)

func newAPI(closing context.Context, cfg *Config, registry *backends.Registry) *api {
	a := &api{
		cfg: cfg, started: time.Now(), now: time.Now, registry: registry, pipelines: &readiness{}, metrics: &collectorMetrics{}, closing: closing,
		readers: make(slots, maxHeld), waiters: make(slots, maxHeld), editors: make(slots, maxEditors),
		explaining: make(slots, 1), pace: usualPace(),
	}
	a.setResources()
	return a
}

// setResources sets the resources of the API. The OpenAPI file has the same ones.
func (a *api) setResources() {
	get := func(h handler) map[string]handler { return map[string]handler{http.MethodGet: h} }
	post := func(h handler) map[string]handler { return map[string]handler{http.MethodPost: h} }
	a.resources = []resource{
		{"/", get(a.showPaths)},
		{"/v1/backends", get(a.showBackends)},
		{"/v1/backends/{id}/pause", post(a.pause)},
		{"/v1/backends/{id}/resume", post(a.resume)},
		{"/v1/events", get(a.showEvents)},
		{"/v1/events/{id}", get(a.showEvent)},
		{"/v1/stream", get(a.stream)},
		{"/v1/routes", get(a.showRoutes)},
		{"/v1/dead_letters", get(a.showStores)},
		{"/v1/dead_letters/{exporter}", map[string]handler{http.MethodGet: a.showLetters, http.MethodDelete: a.deleteLetters}},
		{"/v1/dead_letters/{exporter}/replay", map[string]handler{
			http.MethodGet: a.showReplay, http.MethodPost: a.startReplay, http.MethodDelete: a.stopReplay,
		}},
		{"/v1/dead_letters/{exporter}/{key}", map[string]handler{http.MethodGet: a.showLetter, http.MethodDelete: a.deleteLetter}},
		{"/v1/dead_letters/{exporter}/{key}/replay", post(a.replayLetter)},
		{explainPath, post(a.showExplained)},
		{"/v1/drained", get(a.drained)},
		{"/v1/ready", get(a.ready)},
		{"/v1/openapi.yaml", get(a.showOpenAPI)},
	}
}

// ServeHTTP implements http.Handler.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := a.dispatch(w, withoutParameters(r, a.cfg.credentialParameters())); err != nil {
		respond(w, err)
	}
}

// configuration returns the collector's configuration, which is empty until it is known.
func (a *api) configuration() *configuration {
	if c := a.conf.Load(); c != nil {
		return c
	}
	return &configuration{}
}

// showPaths lists the paths.
func (a *api) showPaths(w http.ResponseWriter, r *http.Request, _ arguments) error {
	if _, err := query(r); err != nil {
		return err
	}
	var text strings.Builder
	text.WriteString("otelcol-fanout " + a.version + ": what became of every event\n\n")
	for i := range a.resources {
		text.WriteString(a.resources[i].allow() + " " + a.resources[i].path + "\n")
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte(text.String()))
	return nil
}

// logChange logs a change with who made it.
func (a *api) logChange(r *http.Request, what string, fields ...zap.Field) {
	a.logger.Info(what, slices.Concat(fields, []zap.Field{zap.String("peer", r.RemoteAddr)})...)
}

// slots bound how many requests of a kind there are at a time.
type slots chan struct{}

// take reports whether there was a free slot; release frees it.
func (s slots) take() (release func(), ok bool) {
	select {
	case s <- struct{}{}:
		return func() { <-s }, true
	default:
		return nil, false
	}
}

// hold lifts the timeouts of the server for a request that takes longer, until the next deadline.
func hold(w http.ResponseWriter) *http.ResponseController {
	control := http.NewResponseController(w)
	// The read deadline would end the request's context, and the other one a stream of HTTP/2.
	_ = control.SetReadDeadline(time.Time{})
	_ = control.SetWriteDeadline(time.Time{})
	return control
}
