// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package fanoutconnector

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pipeline"
)

// maxPipelines is how many pipelines of a signal one connector feeds: a set of them is one word.
const maxPipelines = 64

// set is a set of pipelines, by their places in the table.
type set uint64

func (s set) has(i int) bool { return s&(1<<i) != 0 }

// table says which pipelines of one signal a name goes to. It does not change once it is made.
type table struct {
	// pipelines are those that the connector feeds. Those whose errors the caller gets come last.
	pipelines []pipeline.ID
	firstSync int

	// routes has the default pipelines as its last.
	routes []route
	// tree finds them.
	tree *tree

	destinations destinations
}

// route is where some events go.
type route struct {
	// label is its first name or pattern, which no other route of the signal has.
	label string
	to    set
	// disabled is whether it has pipelines, all of which are switched off.
	disabled bool
}

// defaultLabel is the label of the last route.
const defaultLabel = "default_pipelines"

// newTable compiles the routes of the signal. fed are the pipelines that have the connector as a receiver.
func newTable(cfg *Config, signal pipeline.Signal, fed []pipeline.ID) (*table, error) {
	if err := checkPipelines(cfg, signal, slices.Concat(fed, cfg.switchedOff(signal))); err != nil {
		return nil, err
	}
	if len(fed) > maxPipelines {
		return nil, fmt.Errorf("there are %d pipelines of %s; one connector feeds up to %d", len(fed), signal, maxPipelines)
	}
	t := &table{}
	t.orderPipelines(cfg, fed)
	events := builder{}
	for i := range cfg.Routes {
		if cfg.Routes[i].isOf(signal) {
			t.addRoute(&cfg.Routes[i], signal, events)
		}
	}
	t.routes = append(t.routes, t.newRoute(defaultLabel, ofSignal(cfg.DefaultPipelines, signal)))
	t.tree = events.tree()
	t.destinations = newDestinations(t.pipelines)
	return t, nil
}

// checkPipelines holds the pipelines of the configuration against those that have the connector as a receiver.
func checkPipelines(cfg *Config, signal pipeline.Signal, fed []pipeline.ID) error {
	fed = slices.SortedFunc(slices.Values(fed), compareIDs)
	mentioned := cfg.mentioned(signal)
	var errs []error
	for _, id := range mentioned {
		if !slices.Contains(fed, id) {
			errs = append(errs, fmt.Errorf("%s: %s is no pipeline with this connector among its receivers; there are: %s", cfg.where(id), id, list(fed)))
		}
	}
	for _, id := range fed {
		if !slices.Contains(mentioned, id) {
			errs = append(errs, fmt.Errorf("pipeline %s has this connector as a receiver, but is in no route and not in default_pipelines; route events to it, or remove it", id))
		}
	}
	return errors.Join(errs...)
}

// where is the key that has the pipeline.
func (cfg *Config) where(id pipeline.ID) string {
	for i := range cfg.Routes {
		if slices.Contains(cfg.Routes[i].Pipelines, id) {
			return fmt.Sprintf("routes::%d::pipelines", i)
		}
	}
	return "default_pipelines"
}

func list(ids []pipeline.ID) string {
	if len(ids) == 0 {
		return "none"
	}
	words := make([]string, 0, len(ids))
	for _, id := range ids {
		words = append(words, id.String())
	}
	return strings.Join(words, ", ")
}

func (t *table) orderPipelines(cfg *Config, fed []pipeline.ID) {
	sorted := slices.SortedFunc(slices.Values(fed), compareIDs)
	isSync := func(id pipeline.ID) bool { return slices.Contains(cfg.Sync, id) }
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
	t.routes = append(t.routes, t.newRoute(cfg.Events[0], ofSignal(cfg.Pipelines, signal)))
	for _, event := range cfg.Events {
		events.add(event, at)
	}
}

func (t *table) newRoute(label string, pipelines []pipeline.ID) route {
	to := t.setOf(pipelines)
	return route{label: label, to: to, disabled: to == 0 && len(pipelines) > 0}
}

// find is the place of the route that the name takes.
func (t *table) find(name string) int { return min(t.tree.find(name), len(t.routes)-1) }
