// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/otelcol"

	"github.com/otelcol-fanout/otelcol-fanout/internal/strictconf"
)

// sectionKinds are the sections of components, with a word for one of them.
var sectionKinds = []struct{ section, kind string }{
	{"receivers", "a receiver"}, {"processors", "a processor"}, {"exporters", "an exporter"}, {"connectors", "a connector"}, {"extensions", "an extension"},
}

// sectionMistakes returns the unknown keys at the top, in service and in pipelines.
func sectionMistakes(root map[string]any, factories otelcol.Factories) []mistake {
	service, types := mapOf(root["service"]), sectionTypes(factories)
	top := []string{"connectors", "exporters", "extensions", "processors", "receivers", "service"}
	inService := []string{"extensions", "pipelines", "telemetry"}
	found := slices.Concat(
		unknownKeys(nil, root, top, func(key string) string { return placeOfTopKey(key, inService, types) }),
		unknownKeys([]string{"service"}, service, inService, nil))
	pipelines := mapOf(service["pipelines"])
	for _, name := range slices.Sorted(maps.Keys(pipelines)) {
		found = append(found, unknownKeys([]string{"service", "pipelines", name}, mapOf(pipelines[name]), []string{"exporters", "processors", "receivers"}, nil)...)
	}
	return found
}

// placeOfTopKey says where a key at the top belongs; it is empty if that is not known.
func placeOfTopKey(key string, inService []string, types map[string][]string) string {
	if slices.Contains(inService, key) {
		return "write service::" + key
	}
	typ, _, _ := strings.Cut(key, "/")
	for _, s := range sectionKinds {
		if slices.Contains(types[s.section], typ) {
			return fmt.Sprintf("it is %s; indent it below %s", s.kind, s.section)
		}
	}
	return ""
}

// unknownKeys returns a mistake for each key of a block that is not one of the sorted keys. placeOf, if
// it is not nil, says where another key belongs.
func unknownKeys(path []string, block map[string]any, keys []string, placeOf func(key string) string) []mistake {
	var found []mistake
	for _, key := range slices.Sorted(maps.Keys(block)) {
		if slices.Contains(keys, key) {
			continue
		}
		place := ""
		if placeOf != nil {
			place = placeOf(key)
		}
		near := strictconf.Nearest(key, keys)
		switch {
		case place != "":
			found = append(found, at(path, "unknown key %q; %s", key, place))
		case near != "":
			found = append(found, at(path, "unknown key %q; did you mean %q?", key, near))
		default:
			found = append(found, at(path, "unknown key %q; valid keys are %s", key, strings.Join(keys, ", ")))
		}
	}
	return found
}

// typeMistakes returns the components of types that this binary does not have.
func typeMistakes(root map[string]any, factories otelcol.Factories) []mistake {
	types := sectionTypes(factories)
	var found []mistake
	for _, s := range sectionKinds {
		for name := range sortedIDs(root[s.section]) {
			if typ, _, _ := strings.Cut(name, "/"); !slices.Contains(types[s.section], typ) {
				found = append(found, at([]string{s.section, name}, "%s", unknownType(typ, s.section, types)))
			}
		}
	}
	return found
}

// sectionTypes returns the types of components by section.
func sectionTypes(factories otelcol.Factories) map[string][]string {
	return map[string][]string{
		"receivers": typesOf(factories.Receivers), "processors": typesOf(factories.Processors), "exporters": typesOf(factories.Exporters),
		"connectors": typesOf(factories.Connectors), "extensions": typesOf(factories.Extensions),
	}
}

// unknownType says what to write for a type that the section does not have.
func unknownType(typ, section string, types map[string][]string) string {
	for _, other := range sectionKinds {
		if slices.Contains(types[other.section], typ) {
			return fmt.Sprintf("%s is %s; write it below %s", typ, other.kind, other.section)
		}
	}
	text := fmt.Sprintf("this binary has no component of type %q", typ)
	if near := strictconf.Nearest(typ, types[section]); near != "" {
		return text + fmt.Sprintf("; did you mean %q?", near)
	}
	return text + fmt.Sprintf(" (valid values: %v)", types[section])
}

func typesOf[F any](factories map[component.Type]F) []string {
	types := make([]string, 0, len(factories))
	for t := range factories {
		types = append(types, t.String())
	}
	slices.Sort(types)
	return types
}

// pipelineMistakes returns the pipelines whose name does not begin with a signal, and the references to
// components that are not configured.
func pipelineMistakes(root map[string]any, factories otelcol.Factories) []mistake {
	pipelines := mapOf(mapOf(root["service"])["pipelines"])
	connectors := typesOf(factories.Connectors)
	var found []mistake
	for _, name := range slices.Sorted(maps.Keys(pipelines)) {
		path := []string{"service", "pipelines", name}
		found = append(found, nameMistake(path, name)...)
		for _, list := range []string{"receivers", "processors", "exporters"} {
			references, _ := mapOf(pipelines[name])[list].([]any)
			for i, reference := range references {
				if id, isText := reference.(string); isText {
					found = append(found, referenceMistake(root, append(slices.Clone(path), list, strconv.Itoa(i)), list, id, connectors)...)
				}
			}
		}
	}
	return found
}

// nameMistake checks that the name of a pipeline begins with a signal.
func nameMistake(path []string, name string) []mistake {
	signals := []string{"logs", "metrics", "profiles", "traces"}
	signal, suffix, hasSuffix := strings.Cut(name, "/")
	near := strictconf.Nearest(signal, signals)
	switch {
	case slices.Contains(signals, signal):
		return nil
	case near != "" && hasSuffix:
		return []mistake{at(path, "%q is not a signal; did you mean %q?", signal, near+"/"+suffix)}
	case near != "":
		return []mistake{at(path, "%q is not a signal; did you mean %q?", signal, near)}
	}
	return []mistake{at(path, "the name of a pipeline begins with its signal; write logs/%s or traces/%[1]s", strings.ReplaceAll(name, "/", "_"))}
}

// referenceMistake checks that a component in the list of a pipeline is configured. connectors are the types
// of connectors, which are listed among the receivers and exporters.
func referenceMistake(root map[string]any, path []string, list, reference string, connectors []string) []mistake {
	id := canonicalID(reference)
	known := slices.Sorted(sortedIDs(root[list]))
	if list != "processors" {
		known = slices.Concat(known, slices.Sorted(sortedIDs(root["connectors"])))
	}
	slices.Sort(known)
	if slices.Contains(known, id) {
		return nil
	}
	for _, s := range sectionKinds {
		if _, isThere := mapOf(root[s.section])[id]; isThere {
			return []mistake{at(path, "%q is %s%s", id, s.kind, remedyForKind(s.section))}
		}
	}
	if near := strictconf.Nearest(id, known); near != "" {
		return []mistake{at(path, "%q is not configured; did you mean %q?", id, near)}
	}
	section := list
	if typ, _, _ := strings.Cut(id, "/"); slices.Contains(connectors, typ) {
		section = "connectors"
	}
	remedy := "add it below " + section
	if len(known) > 0 {
		remedy += ", or write one of " + strings.Join(known, ", ")
	}
	return []mistake{at(path, "%q is not configured; %s", id, remedy)}
}

// remedyForKind says where a reference to a component of a section belongs.
func remedyForKind(section string) string {
	if section == "extensions" {
		return "; list it in service::extensions"
	}
	return "; list it under " + section
}

// unusedComponents returns a mistake for each component that no pipeline uses, which the collector
// ignores. What is off is not in root. A component counts as used if a pipeline that is off uses it.
func unusedComponents(root, written map[string]any) []mistake {
	uses := newService(written).uses
	var found []mistake
	for _, s := range sectionKinds {
		for name := range sortedIDs(written[s.section]) {
			var id component.ID
			_, isOn := mapOf(root[s.section])[name]
			if id.UnmarshalText([]byte(name)) != nil || !isOn || uses[s.section][id] {
				continue
			}
			path := []string{s.section, name}
			switch s.section {
			case "extensions":
				found = append(found, at(path, "is not started; add it to service::extensions, or remove it"))
			case "connectors":
				found = append(found, at(path, "is in no pipeline and does nothing; list it under exporters of one pipeline and receivers of another, or remove it"))
			default:
				found = append(found, at(path, "is in no pipeline and does nothing; list it under %s of a pipeline, or remove it", s.section))
			}
		}
	}
	return found
}

// sortedIDs ranges over the names in a section that are IDs of components, in order. The collector
// reports the others.
func sortedIDs(section any) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		components := mapOf(section)
		for _, name := range slices.Sorted(maps.Keys(components)) {
			var id component.ID
			if id.UnmarshalText([]byte(name)) == nil && !yield(id.String()) {
				return
			}
		}
	}
}

// canonicalID returns an ID as the collector reads it: "webhook / audit" is "webhook/audit".
func canonicalID(text string) string {
	var id component.ID
	if id.UnmarshalText([]byte(text)) != nil {
		return text
	}
	return id.String()
}

func mapOf(value any) map[string]any {
	m, _ := value.(map[string]any)
	return m
}
