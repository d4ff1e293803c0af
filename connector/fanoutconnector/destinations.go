// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package fanoutconnector

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pipeline"
)

// destinations are the words by which fanout.destinations knows the pipelines, in lower case. logs/webhook/audit is known by
// its name, webhook/audit, and by the backend before the slash, webhook.
type destinations struct {
	byName, byBackend map[string]set
}

// allDestinations is the word for those that are not named (Segment's integrations have it too).
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

// narrow is what one event's switches leave of the pipelines of its route. They take away, and never add. The more exact word
// wins: a name over a backend, a backend over all. Words that no pipeline is known by and values that are not bool are ignored.
func (d *destinations) narrow(to set, switches pcommon.Map) set {
	var all, backends, names choice
	for word, v := range switches.All() {
		if v.Type() != pcommon.ValueTypeBool {
			continue
		}
		if s, ok := find(d.byName, word); ok {
			names.put(s, v.Bool())
		}
		if s, ok := find(d.byBackend, word); ok {
			backends.put(s, v.Bool())
		}
		if strings.EqualFold(word, allDestinations) {
			all.put(^set(0), v.Bool())
		}
	}
	return names.on(backends.on(all.on(to, to), to), to)
}

// choice is what is switched on and off by words of one exactness.
type choice struct{ yes, no set }

func (c *choice) put(s set, on bool) {
	if on {
		c.yes |= s
	} else {
		c.no |= s
	}
}

// on is what is left of s, and what of the whole comes back. What is switched both on and off is off.
func (c *choice) on(s, whole set) set { return (s | c.yes&whole) &^ c.no }

func find(words map[string]set, word string) (set, bool) {
	s, ok := words[word]
	if !ok {
		s, ok = words[strings.ToLower(word)]
	}
	return s, ok
}
