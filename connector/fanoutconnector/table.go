// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package fanoutconnector

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pipeline"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
)

// maxPipelines limits the pipelines of one signal, because a set of them is one 64-bit word.
const maxPipelines = 64

// set is a set of pipelines. Bit i stands for pipelines[i] of the table.
type set uint64

func (s set) has(i int) bool { return s&(1<<i) != 0 }

// table is the routing table of one signal. It is immutable.
type table struct {
	// pipelines lists the pipelines that the connector feeds. Sync pipelines come last, from index
	// firstSync on.
	pipelines []pipeline.ID
	firstSync int
	// sync lists the sync pipelines, including disabled ones.
	sync []pipeline.ID

	// routes lists the routes that apply to the signal; the last one is the default pipelines.
	routes []route
	// tree finds the route of a name.
	tree *tree

	destinations destinations
}

// route is a route of the configuration.
type route struct {
	// label is the first name or pattern of the route. No other route of the signal has the same one.
	label string
	// events and pipelines are those of the configuration; pipelines that are disabled are among them.
	events    []string
	pipelines []pipeline.ID
	to        set
	// disabled says that the route has pipelines, and that all of them are disabled.
	disabled bool
}

// defaultLabel is the label of the default pipelines.
const defaultLabel = "default_pipelines"

// newTable compiles the routes of a signal. fed lists the pipelines that have the connector as a
// receiver.
func newTable(cfg *Config, signal pipeline.Signal, fed []pipeline.ID) (*table, error) {
	if err := checkPipelines(cfg, signal, slices.Concat(fed, cfg.disabled(signal))); err != nil {
		return nil, err
	}
	if len(fed) > maxPipelines {
		return nil, fmt.Errorf("%d pipelines of %s have this connector as a receiver, but it feeds at most %d", len(fed), signal, maxPipelines)
	}
	t := &table{sync: cfg.Sync}
	t.orderPipelines(fed)
	events := builder{}
	for i := range cfg.Routes {
		if cfg.Routes[i].appliesTo(signal) {
			t.addRoute(&cfg.Routes[i], signal, events)
		}
	}
	t.routes = append(t.routes, t.newRoute(defaultLabel, nil, ofSignal(cfg.DefaultPipelines, signal)))
	t.tree = events.tree()
	t.destinations = newDestinations(t.pipelines)
	return t, nil
}

// checkPipelines compares the pipelines in the configuration with those that have the connector as
// a receiver.
func checkPipelines(cfg *Config, signal pipeline.Signal, fed []pipeline.ID) error {
	fed = slices.SortedFunc(slices.Values(fed), compareIDs)
	referenced := cfg.referenced(signal)
	var errs []error
	for _, id := range referenced {
		if !slices.Contains(fed, id) {
			errs = append(errs, fmt.Errorf("%s: no pipeline %s has this connector as a receiver; these do: %s", cfg.keyOf(id), id, joinIDs(fed)))
		}
	}
	for _, id := range fed {
		if !slices.Contains(referenced, id) {
			errs = append(errs, fmt.Errorf("pipeline %s has this connector as a receiver, but is in no route and not in default_pipelines; route events to it, or remove it", id))
		}
	}
	return errors.Join(errs...)
}

// keyOf returns the first key that refers to the pipeline.
func (cfg *Config) keyOf(id pipeline.ID) string {
	for i := range cfg.Routes {
		if slices.Contains(cfg.Routes[i].Pipelines, id) {
			return fmt.Sprintf("routes::%d::pipelines", i)
		}
	}
	return "default_pipelines"
}

func joinIDs(ids []pipeline.ID) string {
	if len(ids) == 0 {
		return "none"
	}
	texts := make([]string, 0, len(ids))
	for _, id := range ids {
		texts = append(texts, id.String())
	}
	return strings.Join(texts, ", ")
}

func (t *table) orderPipelines(fed []pipeline.ID) {
	sorted := slices.SortedFunc(slices.Values(fed), compareIDs)
	isSync := func(id pipeline.ID) bool { return slices.Contains(t.sync, id) }
	for _, id := range sorted {
		if !isSync(id) {
			t.pipelines = append(t.pipelines, id)
		}
	}
	t.firstSync = len(t.pipelines)
	for _, id := range sorted {
		if isSync(id) {
			t.pipelines = append(t.pipelines, id)
		}
	}
}

func (t *table) setOf(ids []pipeline.ID) set {
	var s set
	for i, id := range t.pipelines {
		if slices.Contains(ids, id) {
			s |= 1 << i
		}
	}
	return s
}

func (t *table) addRoute(cfg *RouteConfig, signal pipeline.Signal, events builder) {
	at := len(t.routes)
	t.routes = append(t.routes, t.newRoute(cfg.Events[0], cfg.Events, ofSignal(cfg.Pipelines, signal)))
	for _, event := range cfg.Events {
		events.add(event, at)
	}
}

func (t *table) newRoute(label string, events []string, pipelines []pipeline.ID) route {
	to := t.setOf(pipelines)
	return route{label: label, events: events, pipelines: pipelines, to: to, disabled: to == 0 && len(pipelines) > 0}
}

// routeOf returns the index of the route for an event. An event of a kind other than track is routed
// by two names, such as Pricing and page: the first route that matches either wins.
func (t *table) routeOf(name string, kind appevent.Kind) int {
	at := t.find(name)
	if kind != appevent.KindTrack {
		at = min(at, t.find(kind.String()))
	}
	return at
}

// find returns the index of the route for a name.
func (t *table) find(name string) int { return min(t.tree.find(name), len(t.routes)-1) }
