// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package fanoutconnector

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pipeline"
)

// destinations finds pipelines by the keys of fanout.destinations, in lower case. The key of
// logs/webhook/audit is its name, webhook/audit, or its backend, webhook.
type destinations struct {
	byName, byBackend map[string]set
}

// allDestinations is the key for all pipelines without a key of their own, as in Segment's
// integrations.
const allDestinations = "all"

func newDestinations(pipelines []pipeline.ID) destinations {
	d := destinations{byName: map[string]set{}, byBackend: map[string]set{}}
	for i, id := range pipelines {
		name := strings.ToLower(id.Name())
		backend, _, _ := strings.Cut(name, "/")
		d.byName[name] |= 1 << i
		d.byBackend[backend] |= 1 << i
	}
	return d
}

// narrow returns the pipelines of a route that an event's switches leave on. The more specific key
// wins: a name over a backend, a backend over all. Switches never add a pipeline to the route.
// Unknown keys and values other than bools are ignored.
func (d *destinations) narrow(to set, switches pcommon.Map) set {
	var all, backends, names choice
	for key, v := range switches.All() {
		if v.Type() != pcommon.ValueTypeBool {
			continue
		}
		if s, ok := find(d.byName, key); ok {
			names.add(s, v.Bool())
		}
		if s, ok := find(d.byBackend, key); ok {
			backends.add(s, v.Bool())
		}
		if strings.EqualFold(key, allDestinations) {
			all.add(^set(0), v.Bool())
		}
	}
	return names.apply(backends.apply(all.apply(to, to), to), to)
}

// choice holds the pipelines that keys of one kind switch on and off.
type choice struct{ on, off set }

func (c *choice) add(s set, on bool) {
	if on {
		c.on |= s
	} else {
		c.off |= s
	}
}

// apply switches pipelines of the route on and off in s. If a pipeline is switched both on and off,
// it is off.
func (c *choice) apply(s, route set) set { return (s | c.on&route) &^ c.off }

func find(keys map[string]set, key string) (set, bool) {
	s, ok := keys[key]
	if !ok {
		s, ok = keys[strings.ToLower(key)]
	}
	return s, ok
}
