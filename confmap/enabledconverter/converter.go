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

	"github.com/otelcol-fanout/otelcol-fanout/internal/confedit"
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

// Convert removes disabled components and all references to them. It computes every change before
// it applies the first one, so that an invalid configuration stays unchanged.
func (c *converter) Convert(_ context.Context, conf *confmap.Conf) error {
	// ToStringMap would lose the text of environment variables: 0123 would become 83.
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
		switchEdits(switches), referenceEdits(root, off), pipelineEdits(root, pipelines, off), fanoutEdits(root, pipelines, off),
		statusEdits(root, switches, pipelines, off))
	for _, e := range edits {
		if err := e.Apply(conf); err != nil {
			return fmt.Errorf("%s: cannot change the configuration: %w", shownPath(e.Path...), err)
		}
	}
	c.report(switches, pipelines)
	return nil
}

// switchable is a component with a switch: the key enabled or enabled_if_set.
type switchable struct {
	section string
	id      string
	key     string
	on      bool
}

// readSwitches returns the components with a switch, sorted by section and ID, or one error that
// lists all invalid switches. Processors have no switch: if a processor were removed, events it
// should redact or filter would pass through.
func readSwitches(root map[string]any) ([]switchable, error) {
	var found []switchable
	var refused []string
	for _, section := range []string{connectors, exporters, extensions, receivers} {
		for id, config := range sorted(table(root[section])) {
			key, on, err := readSwitch(table(config))
			switch {
			case err != nil:
				refused = append(refused, shownPath(section, id, key)+": "+err.Error())
			case key != "":
				found = append(found, switchable{section: section, id: id, key: key, on: on})
			}
		}
	}
	if len(refused) > 0 {
		return nil, errors.New(strings.Join(refused, "; "))
	}
	return found, nil
}

// switchEdits removes disabled components, and removes the switch from enabled ones, whose own
// configuration does not know that key.
func switchEdits(switches []switchable) []confedit.Edit {
	edits := make([]confedit.Edit, 0, len(switches))
	for _, s := range switches {
		path := []string{s.section, s.id}
		if s.on {
			path = append(path, s.key)
		}
		edits = append(edits, confedit.Edit{Path: path, Remove: true})
	}
	return edits
}

// report logs which components and pipelines were removed, and which pipelines discard their
// events.
func (c *converter) report(switches []switchable, pipelines []*pipeline) {
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
	logger := c.logger.WithOptions(zap.WithCaller(false)) // the line of code means nothing to an operator
	if len(components) > 0 {
		logger.Info("Disabled components were removed, and the pipelines that need them", zap.Strings("components", components), zap.Strings("pipelines", removed))
	}
	if len(discarding) > 0 {
		logger.Info("Pipelines without an enabled exporter discard their events", zap.Strings("pipelines", discarding))
	}
}

// disabled is the set of disabled components.
type disabled map[componentRef]bool

type componentRef struct {
	section string
	id      string
}

func disabledOf(switches []switchable) disabled {
	off := disabled{}
	for _, s := range switches {
		if !s.on {
			off[componentRef{s.section, canonicalID(s.id)}] = true
		}
	}
	return off
}

// has reports whether a value refers to a disabled component in one of the sections. It is false
// for values that are empty or not text, which the collector refuses.
func (d disabled) has(reference any, sections ...string) bool {
	id := referencedID(reference)
	return id != "" && slices.ContainsFunc(sections, func(section string) bool { return d[componentRef{section, id}] })
}

// referencedID returns the ID that a value refers to, or "" if the value is not text.
func referencedID(reference any) string {
	text, _ := plain(reference).(string)
	return canonicalID(text)
}

// canonicalID returns an ID as the collector reads it: "webhook / audit" is "webhook/audit".
func canonicalID(text string) string {
	var id component.ID
	if err := id.UnmarshalText([]byte(text)); err != nil {
		return text
	}
	return id.String()
}

// plain returns the parsed value of a reference to a provider, such as ${env:X}.
func plain(value any) any {
	for {
		expanded, ok := value.(xconfmap.ExpandedValue)
		if !ok {
			return value
		}
		value = expanded.Value
	}
}

// table returns value as a map, or nil if it is not one.
func table(value any) map[string]any {
	m, _ := plain(value).(map[string]any)
	return m
}

// sorted ranges over a map in the order of its keys, so that errors, logs and edits have a fixed
// order.
func sorted(m map[string]any) func(yield func(string, any) bool) {
	return func(yield func(string, any) bool) {
		for _, key := range slices.Sorted(maps.Keys(m)) {
			if !yield(key, m[key]) {
				return
			}
		}
	}
}

// shownPath returns a path for an error. It quotes keys with line breaks, so that the error stays
// on one line.
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
