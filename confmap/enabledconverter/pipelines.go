// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package enabledconverter

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/otelcol-fanout/otelcol-fanout/internal/confedit"
)

const (
	nop = "nop"

	// Two connectors that do not convert signals. fanout routes to its pipelines by their IDs.
	forward = "forward"
	fanout  = "fanout"
)

// pipeline is a pipeline with its receivers and exporters.
type pipeline struct {
	id        string
	receivers references
	exporters references
}

// references is a list of component IDs as the user wrote it, and the IDs that are left. A list that
// was empty from the start is not repaired.
type references struct {
	written []any
	left    []any
}

func (r *references) drop(dropped func(reference any) bool) {
	r.left = slices.DeleteFunc(slices.Clone(r.left), dropped)
}

func (r *references) shortened() bool { return len(r.left) < len(r.written) }
func (r *references) emptied() bool   { return r.shortened() && len(r.left) == 0 }

// removed reports whether the pipeline has lost its last receiver.
func (p *pipeline) removed() bool { return p.receivers.emptied() }

// idle reports whether the pipeline would only discard events of fanout connectors.
func (p *pipeline) idle() bool {
	isOther := func(r any) bool { return typeOf(referencedID(r)) != fanout }
	return p.exporters.emptied() && len(p.receivers.left) > 0 && !slices.ContainsFunc(p.receivers.left, isOther)
}

// discards reports whether the pipeline has no exporter left except nop.
func (p *pipeline) discards() bool {
	isOther := func(r any) bool { return typeOf(referencedID(r)) != nop }
	return p.exporters.shortened() && !slices.ContainsFunc(p.exporters.left, isOther)
}

// readPipelines returns the pipelines, sorted by ID.
func readPipelines(root map[string]any) []*pipeline {
	var pipelines []*pipeline
	for id, config := range sorted(table(table(root["service"])["pipelines"])) {
		from, to := listOf(table(config)[receivers]), listOf(table(config)[exporters])
		pipelines = append(pipelines, &pipeline{
			id:        id,
			receivers: references{written: from, left: from},
			exporters: references{written: to, left: to},
		})
	}
	return pipelines
}

// prune drops references to disabled components. It then drops idle pipelines and connectors that
// are left with one end, which the collector would refuse, until nothing changes: each of them may
// empty another pipeline.
func prune(pipelines []*pipeline, connectorIDs map[string]bool, off disabled) {
	written := linksOf(pipelines, connectorIDs)

	for _, p := range pipelines {
		p.receivers.drop(func(r any) bool { return off.has(r, receivers, connectors) })
		p.exporters.drop(func(r any) bool { return off.has(r, exporters, connectors) })
	}

	for {
		dropIdle(pipelines, written)
		broken := linksOf(pipelines, connectorIDs)
		maps.DeleteFunc(broken, func(l link, e ends) bool { return e.both() || !written[l].both() })
		if len(broken) == 0 {
			return
		}
		for _, p := range pipelines {
			dropped := func(r any) bool { _, ok := broken[linkOf(r, p)]; return ok }
			p.receivers.drop(dropped)
			p.exporters.drop(dropped)
		}
	}
}

// dropIdle removes idle pipelines, except those whose connector had only one end from the start,
// which the collector reports.
func dropIdle(pipelines []*pipeline, written map[link]ends) {
	for _, p := range pipelines {
		if p.idle() {
			p.receivers.drop(func(r any) bool { return written[linkOf(r, p)].both() })
		}
	}
}

// link is a connector, or one signal of a connector that does not convert signals.
type link struct {
	connector string
	signal    string
}

// linkOf returns the link for a reference to a connector in the pipeline. Signals are distinguished
// only for forward and fanout: only the factory of a connector knows which signals it converts.
func linkOf(reference any, p *pipeline) link {
	id := referencedID(reference)
	if t := typeOf(id); t == forward || t == fanout {
		return link{connector: id, signal: typeOf(p.id)}
	}
	return link{connector: id}
}

// ends says whether pipelines use a link as an exporter, as a receiver, or as both.
type ends struct {
	exporter bool
	receiver bool
}

func (e ends) both() bool { return e.exporter && e.receiver }

// linksOf returns the links of the pipelines that are not removed.
func linksOf(pipelines []*pipeline, connectorIDs map[string]bool) map[link]ends {
	links := map[link]ends{}
	for _, p := range pipelines {
		if p.removed() {
			continue
		}
		for _, r := range p.exporters.left {
			if connectorIDs[referencedID(r)] {
				links[linkOf(r, p)] = ends{exporter: true, receiver: links[linkOf(r, p)].receiver}
			}
		}
		for _, r := range p.receivers.left {
			if connectorIDs[referencedID(r)] {
				links[linkOf(r, p)] = ends{exporter: links[linkOf(r, p)].exporter, receiver: true}
			}
		}
	}
	return links
}

func connectorIDs(root map[string]any) map[string]bool {
	ids := map[string]bool{}
	for id := range table(root[connectors]) {
		ids[canonicalID(id)] = true
	}
	return ids
}

// checkAnyLeft refuses a configuration without any pipeline left, and lists the disabled receivers.
// The collector's own error would only say that there are no pipelines.
func checkAnyLeft(pipelines []*pipeline, off disabled) error {
	var causes []string
	for _, p := range pipelines {
		if !p.removed() {
			return nil
		}
		for _, r := range p.receivers.written {
			for _, section := range []string{receivers, connectors} {
				if off.has(r, section) {
					causes = append(causes, shownPath(section, referencedID(r)))
				}
			}
		}
	}
	if len(pipelines) == 0 {
		return nil
	}
	slices.Sort(causes)
	return fmt.Errorf("%s: all pipelines were removed because every receiver they use is disabled; enable one of %s",
		shownPath("service", "pipelines"), strings.Join(slices.Compact(causes), ", "))
}

// pipelineEdits writes the pipelines as prune left them.
func pipelineEdits(root map[string]any, pipelines []*pipeline, off disabled) []confedit.Edit {
	var edits []confedit.Edit
	needsNop := false
	for _, p := range pipelines {
		edits = append(edits, p.edits()...)
		needsNop = needsNop || !p.removed() && p.exporters.emptied()
	}
	if needsNop && lacksNop(root, off) {
		edits = append(edits, confedit.Edit{Path: []string{exporters, nop}, Value: map[string]any{}})
	}
	return edits
}

// fanoutEdits sets pipelines_enabled of each fanout connector that has lost a pipeline. The routes
// stay as they are, so that events of a removed pipeline do not go to the next route.
func fanoutEdits(root map[string]any, pipelines []*pipeline, off disabled) []confedit.Edit {
	var edits []confedit.Edit
	for key := range sorted(table(root[connectors])) {
		id := canonicalID(key)
		if typeOf(id) != fanout || off.has(id, connectors) {
			continue
		}
		if enabled, lost := pipelinesOf(pipelines, id); lost {
			edits = append(edits, confedit.Edit{Path: []string{connectors, key, "pipelines_enabled"}, Value: enabled})
		}
	}
	return edits
}

// pipelinesOf returns, for each pipeline configured with the connector as a receiver, whether it
// still has it. lost reports whether any no longer does.
func pipelinesOf(pipelines []*pipeline, connector string) (enabled map[string]any, lost bool) {
	isConnector := func(r any) bool { return referencedID(r) == connector }
	enabled = map[string]any{}
	for _, p := range pipelines {
		if slices.ContainsFunc(p.receivers.written, isConnector) {
			has := slices.ContainsFunc(p.receivers.left, isConnector)
			enabled[p.id] = has
			lost = lost || !has
		}
	}
	return enabled, lost
}

func (p *pipeline) edits() []confedit.Edit {
	path := func(key ...string) []string { return append([]string{"service", "pipelines", p.id}, key...) }
	if p.removed() {
		return []confedit.Edit{{Path: path(), Remove: true}}
	}

	var edits []confedit.Edit
	if p.receivers.shortened() {
		edits = append(edits, confedit.Edit{Path: path(receivers), Value: p.receivers.left})
	}
	switch {
	case p.exporters.emptied():
		edits = append(edits, confedit.Edit{Path: path(exporters), Value: []any{nop}})
	case p.exporters.shortened():
		edits = append(edits, confedit.Edit{Path: path(exporters), Value: p.exporters.left})
	}
	return edits
}

// lacksNop reports whether to add exporters::nop. If exporters is not a map, the collector reports
// that, so nothing is added.
func lacksNop(root map[string]any, off disabled) bool {
	if section := plain(root[exporters]); section != nil && table(section) == nil {
		return false
	}
	for id := range table(root[exporters]) {
		if canonicalID(id) == nop {
			return off.has(nop, exporters)
		}
	}
	return true
}

// typeOf returns the type in the ID of a component or pipeline: forward for forward/eu, logs for
// logs/eu.
func typeOf(id string) string {
	before, _, _ := strings.Cut(id, "/")
	return strings.TrimSpace(before)
}
