// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"maps"
	"net/http"
	"slices"

	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

// routingJSON is the response of GET /v1/routes.
type routingJSON struct {
	Receivers  []receiverJSON  `json:"receivers"`
	Connectors []connectorJSON `json:"connectors"`
	Pipelines  []pipelineJSON  `json:"pipelines"`
}

type receiverJSON struct {
	ID        string   `json:"id"`
	Pipelines []string `json:"pipelines"`
	Endpoints []string `json:"endpoints"`
	Accepted  *int64   `json:"accepted,omitempty"`
}

type connectorJSON struct {
	ID       string           `json:"id"`
	Signal   string           `json:"signal"`
	Routes   []routeJSON      `json:"routes"`
	Unrouted map[string]int64 `json:"unrouted"`
}

type routeJSON struct {
	Index     int                   `json:"index"`
	Events    []string              `json:"events"`
	Count     int64                 `json:"events_count"`
	Pipelines []pipelineOfRouteJSON `json:"pipelines"`
}

type pipelineOfRouteJSON struct {
	ID       string   `json:"id"`
	Disabled bool     `json:"disabled"`
	Sync     bool     `json:"sync"`
	Events   int64    `json:"events"`
	Backends []string `json:"backends"`
}

type pipelineJSON struct {
	ID         string   `json:"id"`
	Receivers  []string `json:"receivers"`
	Processors []string `json:"processors"`
	Exporters  []string `json:"exporters"`
}

// showRoutes responds with the routing table, from the receivers to the backends.
func (a *api) showRoutes(w http.ResponseWriter, r *http.Request, _ arguments) error {
	if _, err := query(r); err != nil {
		return err
	}
	conf := a.configuration()
	scrape := a.metrics.read(r.Context())
	shown := routingJSON{Receivers: []receiverJSON{}, Connectors: []connectorJSON{}, Pipelines: []pipelineJSON{}}
	for _, c := range conf.receivers {
		shown.Receivers = append(shown.Receivers, receiverJSON{c.id, c.pipelines, filled(c.endpoints), scrape.accepted(c.id)})
	}
	off := a.cfg.backendsOff()
	for _, router := range a.registry.Routers() {
		shown.Connectors = append(shown.Connectors, describeRouter(router, conf, off))
	}
	for _, p := range conf.pipelines {
		shown.Pipelines = append(shown.Pipelines, pipelineJSON{p.id, p.receivers, p.processors, p.exporters})
	}
	writeJSON(w, http.StatusOK, shown)
	return nil
}

// describeRouter returns a connector. off has the backends of pipelines that were removed.
func describeRouter(router *statusfeed.Router, conf *configuration, off map[string][]string) connectorJSON {
	shown := connectorJSON{ID: router.ID.String(), Signal: router.Signal, Routes: []routeJSON{}, Unrouted: router.Unrouted()}
	if shown.Unrouted == nil {
		shown.Unrouted = map[string]int64{}
	}
	for index, route := range router.Routes() {
		described := routeJSON{Index: index, Events: filled(route.Events), Count: route.Count, Pipelines: []pipelineOfRouteJSON{}}
		for _, p := range route.Pipelines {
			described.Pipelines = append(described.Pipelines, pipelineOfRouteJSON{
				ID: p.ID, Disabled: p.Disabled, Sync: p.Sync, Events: p.Count, Backends: conf.backendsOf(p.ID, off),
			})
		}
		shown.Routes = append(shown.Routes, described)
	}
	return shown
}

// backendsOf returns the exporters of a pipeline, which may have been removed.
func (c *configuration) backendsOf(pipeline string, off map[string][]string) []string {
	ids := slices.Clone(off[pipeline])
	for i := range c.pipelines {
		if c.pipelines[i].id == pipeline {
			ids = append(ids, c.pipelines[i].exporters...)
		}
	}
	slices.Sort(ids)
	return filled(slices.Compact(ids))
}

// backendsOff returns the exporters that are switched off, by pipeline.
func (cfg *Config) backendsOff() map[string][]string {
	off := map[string][]string{}
	exporters := cfg.exportersOff()
	for _, id := range slices.Sorted(maps.Keys(exporters)) {
		for _, pipeline := range exporters[id].Pipelines {
			off[pipeline] = append(off[pipeline], id)
		}
	}
	return off
}
