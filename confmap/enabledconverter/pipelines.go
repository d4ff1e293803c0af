// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package enabledconverter

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

const (
	nop = "nop"

	// Two connectors that pass each signal to pipelines of the same signal. fanout tells its pipelines apart by their ids.
	forward = "forward"
	fanout  = "fanout"
)

// pipeline is what a pipeline receives from and exports to: as the user wrote it, and what is left of that.
type pipeline struct {
	id        string
	receivers mentions
	exporters mentions
}

// mentions is a list of component ids. What the user wrote empty is not ours to repair, so both states are kept.
type mentions struct {
	written []any
	left    []any
}

func (m *mentions) drop(dropped func(mention any) bool) {
	m.left = slices.DeleteFunc(slices.Clone(m.left), dropped)
}

func (m *mentions) cut() bool     { return len(m.left) < len(m.written) }
func (m *mentions) emptied() bool { return m.cut() && len(m.left) == 0 }

// removed tells that no receiver is left of those it had: nothing can reach it any more.
func (p *pipeline) removed() bool { return p.receivers.emptied() }

// idle tells that all it would do is discard what fanout connectors send it.
func (p *pipeline) idle() bool {
	isFanout := func(m any) bool { return typeOf(mentionedID(m)) == fanout }
	return p.exporters.emptied() && len(p.receivers.left) > 0 && !slices.ContainsFunc(p.receivers.left, func(m any) bool { return !isFanout(m) })
}

// discards tells that what it receives is dropped, because no exporter but nop is left of those it had.
func (p *pipeline) discards() bool {
	return p.exporters.cut() && !slices.ContainsFunc(p.exporters.left, func(m any) bool { return typeOf(mentionedID(m)) != nop })
}

// readPipelines returns the pipelines in the order of their ids.
func readPipelines(root map[string]any) []*pipeline {
	var pipelines []*pipeline
	for id, config := range sorted(table(table(root["service"])["pipelines"])) {
		from, to := listOf(table(config)[receivers]), listOf(table(config)[exporters])
		pipelines = append(pipelines, &pipeline{
			id:        id,
			receivers: mentions{written: from, left: from},
			exporters: mentions{written: to, left: to},
		})
	}
	return pipelines
}

// prune drops the disabled components from the pipelines, and then every connector which that leaves with one end, until
// nothing changes: a pipeline that goes takes the far end of its connectors along, which may empty the next pipeline.
// The collector refuses to start with a connector that has one end only. Pipelines that are idle go too: a backend that is
// off is to cost nothing.
func prune(pipelines []*pipeline, connectorIDs map[string]bool, off disabled) {
	written := linksOf(pipelines, connectorIDs)

	for _, p := range pipelines {
		p.receivers.drop(func(m any) bool { return off.has(m, receivers, connectors) })
		p.exporters.drop(func(m any) bool { return off.has(m, exporters, connectors) })
	}

	for {
		dropIdle(pipelines, written)
		broken := linksOf(pipelines, connectorIDs)
		maps.DeleteFunc(broken, func(l link, e ends) bool { return e.both() || !written[l].both() })
		if len(broken) == 0 {
			return
		}
		for _, p := range pipelines {
			dropped := func(m any) bool { _, ok := broken[linkOf(m, p)]; return ok }
			p.receivers.drop(dropped)
			p.exporters.drop(dropped)
		}
	}
}

// dropIdle removes idle pipelines, but for those whose connector had one end only, which is the collector's to report.
func dropIdle(pipelines []*pipeline, written map[link]ends) {
	for _, p := range pipelines {
		if p.idle() {
			p.receivers.drop(func(m any) bool { return written[linkOf(m, p)].both() })
		}
	}
}

// link is a connector, or one signal of a connector that keeps signals apart.
type link struct {
	connector string
	signal    string
}

// linkOf returns the link a mention of a connector in the pipeline stands for. The forward and fanout connectors keep
// signals apart. Which signals another connector makes of which is known to its factory alone, so its signals count as
// one.
func linkOf(mention any, p *pipeline) link {
	id := mentionedID(mention)
	if t := typeOf(id); t == forward || t == fanout {
		return link{connector: id, signal: typeOf(p.id)}
	}
	return link{connector: id}
}

// ends tells where a link is used.
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
		for _, m := range p.exporters.left {
			if connectorIDs[mentionedID(m)] {
				links[linkOf(m, p)] = ends{exporter: true, receiver: links[linkOf(m, p)].receiver}
			}
		}
		for _, m := range p.receivers.left {
			if connectorIDs[mentionedID(m)] {
				links[linkOf(m, p)] = ends{exporter: links[linkOf(m, p)].exporter, receiver: true}
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

// checkAnyLeft refuses a configuration in which no pipeline is left, and names the switches that did it. The collector's
// own error would say that there never was one.
func checkAnyLeft(pipelines []*pipeline, off disabled) error {
	var switchedOff []string
	for _, p := range pipelines {
		if !p.removed() {
			return nil
		}
		for _, m := range p.receivers.written {
			for _, section := range []string{receivers, connectors} {
				if off.has(m, section) {
					switchedOff = append(switchedOff, shownPath(section, mentionedID(m)))
				}
			}
		}
	}
	if len(pipelines) == 0 {
		return nil
	}
	slices.Sort(switchedOff)
	return fmt.Errorf("%s: all pipelines were removed because every receiver they use is disabled; enable one of %s",
		shownPath("service", "pipelines"), strings.Join(slices.Compact(switchedOff), ", "))
}

// pipelineEdits writes down what prune left.
func pipelineEdits(root map[string]any, pipelines []*pipeline, off disabled) []edit {
	var edits []edit
	needsNop := false
	for _, p := range pipelines {
		edits = append(edits, p.edits()...)
		needsNop = needsNop || !p.removed() && p.exporters.emptied()
	}
	if needsNop && lacksNop(root, off) {
		edits = append(edits, edit{path: []string{exporters, nop}, value: map[string]any{}})
	}
	return edits
}

// fanoutEdits tell each fanout connector which of its pipelines are gone, where any is. Its routes stay as they are
// written: events of a pipeline that is off go nowhere, and not to the next route.
func fanoutEdits(root map[string]any, pipelines []*pipeline, off disabled) []edit {
	var edits []edit
	for key := range sorted(table(root[connectors])) {
		id := canonicalID(key)
		if typeOf(id) != fanout || off.has(id, connectors) {
			continue
		}
		if left, gone := feeds(pipelines, id); gone {
			edits = append(edits, edit{path: []string{connectors, key, "pipelines_enabled"}, value: left})
		}
	}
	return edits
}

// feeds returns the pipelines that were written with the connector as a receiver, and whether they still have it.
func feeds(pipelines []*pipeline, connector string) (left map[string]any, gone bool) {
	isIt := func(m any) bool { return mentionedID(m) == connector }
	left = map[string]any{}
	for _, p := range pipelines {
		if slices.ContainsFunc(p.receivers.written, isIt) {
			has := slices.ContainsFunc(p.receivers.left, isIt)
			left[p.id] = has
			gone = gone || !has
		}
	}
	return left, gone
}

func (p *pipeline) edits() []edit {
	path := func(key ...string) []string { return append([]string{"service", "pipelines", p.id}, key...) }
	if p.removed() {
		return []edit{{path: path(), remove: true}}
	}

	var edits []edit
	if p.receivers.cut() {
		edits = append(edits, edit{path: path(receivers), value: p.receivers.left})
	}
	switch {
	case p.exporters.emptied():
		edits = append(edits, edit{path: path(exporters), value: []any{nop}})
	case p.exporters.cut():
		edits = append(edits, edit{path: path(exporters), value: p.exporters.left})
	}
	return edits
}

// lacksNop tells that exporters::nop is to be added. Exporters which are no map are the collector's to report, so there
// nothing is added.
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

// typeOf returns the part of a component's or pipeline's id before the name: forward of forward/eu, logs of logs/eu.
func typeOf(id string) string {
	before, _, _ := strings.Cut(id, "/")
	return strings.TrimSpace(before)
}
