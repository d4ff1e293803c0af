// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/confmap"

	"github.com/otelcol-fanout/otelcol-fanout/internal/confedit"
	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

// wholeVariable matches a value that is one variable, whose default may be another one.
var wholeVariable = regexp.MustCompile(`^\$\{(?:env:)?([A-Za-z_]\w*)(?::-(?:[^{}]|\$\{[^{}]*\})*)?\}$`)

// nameSwitches adds, to what the enabled converter says about components that are off, the environment
// variables that switch them on. The converter itself does not see them: variables are replaced before
// it runs.
type nameSwitches struct{ *checks }

// Convert implements confmap.Converter.
func (n nameSwitches) Convert(_ context.Context, conf *confmap.Conf) error {
	extensions := mapOf(conf.ToStringMap()["extensions"])
	for _, name := range slices.Sorted(maps.Keys(extensions)) {
		listed := mapOf(mapOf(extensions[name])[statusfeed.SwitchedOffKey])
		if len(listed) == 0 {
			continue
		}
		for _, entry := range listed {
			n.addVariables(mapOf(entry))
		}
		edit := confedit.Edit{Path: []string{"extensions", name, statusfeed.SwitchedOffKey}, Value: listed}
		if err := edit.Apply(conf); err != nil {
			return fmt.Errorf("extensions::%s: cannot change the configuration: %w", name, err)
		}
	}
	return nil
}

// addVariables adds the variable that a component's switch reads, and those without a value that its
// other keys read.
func (n nameSwitches) addVariables(entry map[string]any) {
	text, _ := entry["switch"].(string)
	key := strings.Split(text, confmap.KeyDelimiter)
	if len(key) != 3 { // section, ID and the key itself
		return
	}
	if name := n.variableAt(key); name != "" {
		entry["variable"] = name
	}
	if needs := n.emptyVariables(key); len(needs) > 0 {
		entry["needs"] = needs
	}
}

// emptyVariables returns the variables that the keys beside a switch read and that have no value, or 0,
// which is no value for numbers such as that of a data center.
func (n nameSwitches) emptyVariables(key []string) []any {
	component := key[:2]
	config := mapOf(mapOf(n.written[key[0]])[key[1]])
	found := map[string]bool{n.variableAt(key): true}
	var empty []any
	walk(component, config, func(path []string, value any) {
		name := n.variableAt(path)
		if isEmpty := value == nil || value == "" || value == 0; isEmpty && name != "" && !found[name] {
			found[name] = true
			empty = append(empty, name)
		}
	})
	return empty
}

// variableAt returns the environment variable that a key reads; empty if there is not exactly one.
func (n nameSwitches) variableAt(path []string) string {
	match := wholeVariable.FindStringSubmatch(strings.TrimSpace(n.sources.find(path).text(path)))
	if match == nil {
		return ""
	}
	return match[1]
}
