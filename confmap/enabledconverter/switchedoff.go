// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package enabledconverter

import (
	"slices"
	"strings"

	"go.opentelemetry.io/collector/confmap"

	"github.com/otelcol-fanout/otelcol-fanout/internal/confedit"
	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

// status is the type of the extension that shows what is off.
const status = "status"

// statusEdits sets switched_off of each status extension, which lists the exporters and receivers
// that are off.
func statusEdits(root map[string]any, switches []switchable, pipelines []*pipeline, off disabled) []confedit.Edit {
	listed := switchedOff(switches, pipelines)
	if len(listed) == 0 {
		return nil
	}
	var edits []confedit.Edit
	for key, config := range sorted(table(root[extensions])) {
		isMap := plain(config) == nil || table(config) != nil // the collector reports others
		if id := canonicalID(key); typeOf(id) == status && isMap && !off.has(id, extensions) {
			edits = append(edits, confedit.Edit{Path: []string{extensions, key, statusfeed.SwitchedOffKey}, Value: listed})
		}
	}
	return edits
}

// switchedOff returns the exporters and receivers that are off, as statusfeed.SwitchedOff describes.
// It leaves out nop, which the converter may add again.
func switchedOff(switches []switchable, pipelines []*pipeline) map[string]any {
	listed := map[string]any{}
	for _, s := range switches {
		id := canonicalID(s.id)
		if s.on || s.section != exporters && s.section != receivers || id == nop {
			continue
		}
		listed[s.section+"/"+id] = map[string]any{
			"switch":    strings.Join([]string{s.section, s.id, s.key}, confmap.KeyDelimiter),
			"pipelines": usersOf(pipelines, s.section, id),
		}
	}
	return listed
}

// usersOf returns the pipelines that are configured with a component.
func usersOf(pipelines []*pipeline, section, id string) []any {
	users := []any{}
	for _, p := range pipelines {
		written := p.exporters.written
		if section == receivers {
			written = p.receivers.written
		}
		if slices.ContainsFunc(written, func(r any) bool { return referencedID(r) == id }) {
			users = append(users, p.id)
		}
	}
	return users
}
