// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package fanoutconnector

import (
	"context"
	"errors"
	"sync/atomic"

	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/pipeline"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/otelcol-fanout/otelcol-fanout/connector/fanoutconnector/internal/metadata"
)

// counts holds the metrics. Counting costs one addition; OpenTelemetry reads the counts only when it
// collects metrics.
type counts struct {
	table     *table
	telemetry *metadata.TelemetryBuilder

	taken    []atomic.Int64   // by route
	routed   [][]atomic.Int64 // by route, and pipeline
	withheld []atomic.Int64   // by pipeline
	// hidden counts refused records whose caller gets no error, by pipeline.
	hidden []atomic.Int64

	// Records that went to no pipeline, by reason.
	noRoute, noPipelines, disabled, destinations atomic.Int64
}

// series is a count with its attributes.
type series struct {
	count      *atomic.Int64
	attributes metric.ObserveOption
}

func newCounts(set connector.Settings, signal pipeline.Signal, t *table) (*counts, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	c := &counts{
		table: t, telemetry: telemetry, taken: make([]atomic.Int64, len(t.routes)), routed: make([][]atomic.Int64, len(t.routes)),
		withheld: make([]atomic.Int64, len(t.pipelines)), hidden: make([]atomic.Int64, len(t.pipelines)),
	}
	for i := range c.routed {
		c.routed[i] = make([]atomic.Int64, len(t.pipelines))
	}
	err = c.register(attribute.String("connector", set.ID.String()), attribute.String("signal", signal.String()))
	return c, err
}

func (c *counts) register(connector, signal attribute.KeyValue) error {
	var routed, hidden []series
	withheld := make([]series, 0, len(c.table.pipelines))
	for i, id := range c.table.pipelines {
		to := attribute.String("pipeline", id.String())
		withheld = append(withheld, newSeries(&c.withheld[i], connector, to))
		if i < c.table.firstSync {
			hidden = append(hidden, newSeries(&c.hidden[i], connector, to))
		}
		for j := range c.table.routes {
			if c.table.routes[j].to.has(i) {
				routed = append(routed, newSeries(&c.routed[j][i], connector, attribute.String("route", c.table.routes[j].label), to))
			}
		}
	}
	unrouted := make([]series, 0, 4) // there are four reasons
	for reason, count := range c.unrouted() {
		unrouted = append(unrouted, newSeries(count, connector, signal, attribute.String("reason", reason)))
	}
	return errors.Join(
		c.telemetry.RegisterFanoutRoutedEventsTotalCallback(observe(routed)),
		c.telemetry.RegisterFanoutWithheldEventsTotalCallback(observe(withheld)),
		c.telemetry.RegisterFanoutKeptRefusalsTotalCallback(observe(hidden)),
		c.telemetry.RegisterFanoutUnroutedEventsTotalCallback(observe(unrouted)))
}

// unrouted returns the counts of records that went to no pipeline, by reason.
func (c *counts) unrouted() map[string]*atomic.Int64 {
	return map[string]*atomic.Int64{
		"no_route": &c.noRoute, "no_pipelines": &c.noPipelines, "disabled": &c.disabled, "destinations": &c.destinations,
	}
}

func newSeries(count *atomic.Int64, attributes ...attribute.KeyValue) series {
	return series{count: count, attributes: metric.WithAttributeSet(attribute.NewSet(attributes...))}
}

func observe(all []series) metric.Int64Callback {
	return func(_ context.Context, observer metric.Int64Observer) error {
		for i := range all {
			observer.Observe(all[i].count.Load(), all[i].attributes)
		}
		return nil
	}
}

func (c *counts) stop() { c.telemetry.Shutdown() }

// add counts the records without destinations of their own; addNarrowed counts the others.
func (c *counts) add(a *assignment) {
	for at, n := range a.routed {
		if n > 0 {
			c.addRoute(at, c.table.routes[at].to, n)
		}
	}
}

func (c *counts) addRoute(at int, to set, n int64) {
	c.taken[at].Add(n)
	for i := range c.table.pipelines {
		if to.has(i) {
			c.routed[at][i].Add(n)
		}
	}
	switch {
	case to != 0:
	case c.table.routes[at].to != 0:
		c.destinations.Add(n)
	case c.table.routes[at].disabled:
		c.disabled.Add(n)
	case at == len(c.table.routes)-1:
		c.noRoute.Add(n)
	default:
		c.noPipelines.Add(n)
	}
}

// addNarrowed counts a record with destinations of its own, which leave only these pipelines of its
// route.
func (c *counts) addNarrowed(at int, to set) {
	c.addRoute(at, to, 1)
	for i := range c.table.pipelines {
		if (c.table.routes[at].to &^ to).has(i) {
			c.withheld[i].Add(1)
		}
	}
}
