// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package enabledconverter

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/xconfmap"
	"go.uber.org/zap"
)

const (
	receivers  = "receivers"
	processors = "processors"
	exporters  = "exporters"
	connectors = "connectors"
	extensions = "extensions"

	enabledKey      = "enabled"
	enabledIfSetKey = "enabled_if_set"
)

type converter struct {
	logger *zap.Logger
}

// Convert drops what is switched off. It plans every change on a read-only view first, so that an error leaves conf as
// it was.
func (c *converter) Convert(_ context.Context, conf *confmap.Conf) error {
	// The raw view, because ToStringMap forgets the text an environment variable had (0123 becomes 83).
	root := xconfmap.ToStringMapRaw(conf)

	switches, err := readSwitches(root)
	if err != nil || len(switches) == 0 {
		return err
	}
	off := disabledOf(switches)

	pipelines := readPipelines(root)
	prune(pipelines, connectorIDs(root), off)
	if err := checkAnyLeft(pipelines, off); err != nil {
		return err
	}

	edits := slices.Concat(
		switchEdits(switches), mentionEdits(root, off), pipelineEdits(root, pipelines, off), fanoutEdits(root, pipelines, off))
	for _, e := range edits {
		if err := e.apply(conf); err != nil {
			return fmt.Errorf("%s: cannot change the configuration: %w", shownPath(e.path...), err)
		}
	}
	c.report(switches, pipelines)
	return nil
}

// switched is a component which has a switch: the key `enabled` or `enabled_if_set`.
type switched struct {
	section string
	id      string
	key     string
	on      bool
}

// readSwitches returns the components that have a switch, in the order of their section and id, or all the values which
// are no switch in one error. Processors have none: dropping one would pass on events it was meant to redact or filter.
func readSwitches(root map[string]any) ([]switched, error) {
	var found []switched
	var refused []string
	for _, section := range []string{connectors, exporters, extensions, receivers} {
		for id, config := range sorted(table(root[section])) {
			key, on, err := readSwitch(table(config))
			switch {
			case err != nil:
				refused = append(refused, shownPath(section, id, key)+": "+err.Error())
			case key != "":
				found = append(found, switched{section: section, id: id, key: key, on: on})
			}
		}
	}
	if len(refused) > 0 {
		return nil, errors.New(strings.Join(refused, "; "))
	}
	return found, nil
}

// switchEdits removes the switch of what is on, which its own configuration does not know, and all of what is off.
func switchEdits(switches []switched) []edit {
	edits := make([]edit, 0, len(switches))
	for _, s := range switches {
		path := []string{s.section, s.id}
		if s.on {
			path = append(path, s.key)
		}
		edits = append(edits, edit{path: path, remove: true})
	}
	return edits
}

// report logs what is off, and which events that leaves nobody to send to. Where in this program it does so tells an operator nothing.
func (c *converter) report(switches []switched, pipelines []*pipeline) {
	var components, removed, discarding []string
	for _, s := range switches {
		if !s.on {
			components = append(components, shownPath(s.section, s.id))
		}
	}
	for _, p := range pipelines {
		switch {
		case p.removed():
			removed = append(removed, p.id)
		case p.discards():
			discarding = append(discarding, p.id)
		}
	}
	logger := c.logger.WithOptions(zap.WithCaller(false))
	if len(components) > 0 {
		logger.Info("Some components are off, and so are the pipelines that need them", zap.Strings("components", components), zap.Strings("pipelines", removed))
	}
	if len(discarding) > 0 {
		logger.Info("Some pipelines have only the nop exporter left, so their events are discarded", zap.Strings("pipelines", discarding))
	}
}

// disabled tells which components are off.
type disabled map[componentRef]bool

type componentRef struct {
	section string
	id      string
}

func disabledOf(switches []switched) disabled {
	off := disabled{}
	for _, s := range switches {
		if !s.on {
			off[componentRef{s.section, canonicalID(s.id)}] = true
		}
	}
	return off
}

// has tells whether a mention is of a component that is off in one of the sections. A mention that is empty or not text is
// the collector's to refuse.
func (d disabled) has(mention any, sections ...string) bool {
	id := mentionedID(mention)
	return id != "" && slices.ContainsFunc(sections, func(section string) bool { return d[componentRef{section, id}] })
}

// mentionedID returns the id a list element or a key's value stands for, or "" when it is not text.
func mentionedID(mention any) string {
	text, _ := plain(mention).(string)
	return canonicalID(text)
}

// canonicalID writes an id as the collector does, which takes "webhook / audit" for "webhook/audit".
func canonicalID(text string) string {
	var id component.ID
	if err := id.UnmarshalText([]byte(text)); err != nil {
		return text
	}
	return id.String()
}

// plain returns what a value from a provider, such as ${env:X}, stands for.
func plain(value any) any {
	for {
		expanded, ok := value.(xconfmap.ExpandedValue)
		if !ok {
			return value
		}
		value = expanded.Value
	}
}

// table returns value as a map, or nil when it is something else.
func table(value any) map[string]any {
	m, _ := plain(value).(map[string]any)
	return m
}

// sorted ranges over a map in the order of its keys, so that errors, logs and edits always come in the same order.
func sorted(m map[string]any) func(yield func(string, any) bool) {
	return func(yield func(string, any) bool) {
		for _, key := range slices.Sorted(maps.Keys(m)) {
			if !yield(key, m[key]) {
				return
			}
		}
	}
}

// shownPath writes a path for an error. A key with a line break in it is quoted, so that the error stays one line.
func shownPath(path ...string) string {
	shown := make([]string, len(path))
	for i, key := range path {
		shown[i] = key
		if strings.ContainsFunc(key, func(r rune) bool { return !strconv.IsPrint(r) }) {
			shown[i] = strconv.Quote(key)
		}
	}
	return strings.Join(shown, confmap.KeyDelimiter)
}
