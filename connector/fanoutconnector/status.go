// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package fanoutconnector

import (
	"slices"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pipeline"

	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

// status shows the routing table of one signal to the status extension.
type status struct {
	// recent is nil if there is no status extension.
	recent *recentRoutes
	remove func()
}

// register registers the routing table with the status extension of the host, if it has one.
func (s *status) register(host component.Host, id component.ID, signal pipeline.Signal, c *counts) {
	registry := statusfeed.Find(host)
	if registry == nil {
		return
	}
	s.recent = newRecentRoutes()
	s.remove = registry.AddRouter(&statusfeed.Router{
		ID: id, Signal: signal.String(), Routes: c.statusRoutes, Unrouted: c.statusUnrouted, RouteOf: s.recent.find,
	})
}

func (s *status) close() {
	if s.remove != nil {
		s.remove()
	}
}

// statusRoutes returns the routes with their counts.
func (c *counts) statusRoutes() []statusfeed.Route {
	routes := make([]statusfeed.Route, len(c.table.routes))
	for at := range routes {
		r := &c.table.routes[at]
		routes[at] = statusfeed.Route{Events: r.events, Count: c.taken[at].Load()}
		for i, id := range r.pipelines {
			if slices.Contains(r.pipelines[:i], id) {
				continue
			}
			p := statusfeed.Pipeline{ID: id.String(), Sync: slices.Contains(c.table.sync, id)}
			if fed := slices.Index(c.table.pipelines, id); fed >= 0 {
				p.Count = c.routed[at][fed].Load()
			} else {
				p.Disabled = true
			}
			routes[at].Pipelines = append(routes[at].Pipelines, p)
		}
	}
	return routes
}

// statusUnrouted returns the records that went to no pipeline, by reason.
func (c *counts) statusUnrouted() map[string]int64 {
	reasons := map[string]int64{}
	for reason, count := range c.unrouted() {
		reasons[reason] = count.Load()
	}
	return reasons
}
