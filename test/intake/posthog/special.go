// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogintake

import (
	"slices"
	"strings"
)

// checkSpecial looks at the events that PostHog has a shape for.
func checkSpecial(properties object, e *Event, protocol Protocol) {
	properties.rule = RulePerson
	switch e.Name {
	case "$identify":
		checkMerged(properties, "$anon_distinct_id", e)
		properties.texts("$anon_distinct_id")
	case "$set":
		_, set := properties.members["$set"]
		_, once := properties.members["$set_once"]
		_, unset := properties.members["$unset"]
		if !set && !once && !unset {
			properties.breaks(RulePerson, "$set", "is missing, and so are $set_once and $unset")
		}
	case "$create_alias":
		properties.filled("alias")
		checkMerged(properties, "alias", e)
	case "$groupidentify":
		checkGroup(properties, e)
	case "$screen":
		properties.filled("$screen_name")
	case "$exception":
		properties.rule = RuleException
		checkException(properties)
	default:
		if strings.HasPrefix(e.Name, "$ai_") {
			properties.rule = RuleAI
			checkAI(properties, e)
		}
		return
	}
	if slices.Contains([]string{"$identify", "$set", "$create_alias", "$groupidentify"}, e.Name) && !e.hasProfile(protocol) {
		properties.breaks(RulePerson, "$process_person_profile", "is false, but the event is about a person or a group")
	}
}

// checkMerged looks at an id that is merged with the event's.
func checkMerged(properties object, name string, e *Event) {
	id, ok := properties.members[name].(string)
	switch {
	case !ok:
	case isIllegal(id):
		properties.breaks(RuleIllegalID, name, "is %q, which many people share", id)
	case id == e.DistinctID:
		properties.breaks(RulePerson, name, "is the distinct_id")
	case len(id) > maxDistinctID:
		properties.breaks(RuleDistinctID, name, "has %d bytes; it may have %d", len(id), maxDistinctID)
	}
}

func checkGroup(properties object, e *Event) {
	properties.filled("$group_type", "$group_key")
	properties.require("$group_set")
	properties.object("$group_set", RulePerson)
	kind, _ := properties.members["$group_type"].(string)
	key, _ := properties.members["$group_key"].(string)
	if want := "$" + kind + "_" + key; e.DistinctID != want {
		properties.breaks(RulePerson, "$group_key", "makes %q of the group, but the distinct_id is %q", want, e.DistinctID)
	}
}

// checkException looks at an $exception.
func checkException(properties object) {
	properties.require("$exception_list", "$exception_level")
	properties.oneOf("$exception_level", "fatal", "error", "warning", "log", "info", "debug")
	properties.texts("$exception_fingerprint")
	for _, name := range []string{"$set", "$set_once"} {
		if _, ok := properties.members[name]; ok {
			properties.breaks(RuleException, name, "is ignored in an $exception")
		}
	}
	exceptions := properties.objects("$exception_list")
	if len(exceptions) == 0 {
		properties.breaks(RuleException, "$exception_list", "is empty")
	}
	for _, x := range exceptions {
		x.only(RuleException, "type", "value", "module", "thread_id", "mechanism", "stacktrace")
		x.filled("type")
		x.require("value", "mechanism")
		x.texts("value", "module")
		if mechanism, ok := x.object("mechanism", RuleException); ok {
			mechanism.only(RuleException, "handled", "type", "source", "synthetic")
			mechanism.require("handled", "type", "synthetic")
			mechanism.bools("handled", "synthetic")
			mechanism.texts("source")
			mechanism.oneOf("type", "generic", "onunhandledrejection", "onuncaughtexception", "onconsole", "middleware")
		}
		if stacktrace, ok := x.object("stacktrace", RuleException); ok {
			checkStacktrace(stacktrace)
		}
	}
}

func checkStacktrace(stacktrace object) {
	stacktrace.only(RuleException, "type", "frames")
	stacktrace.require("type", "frames")
	stacktrace.oneOf("type", "raw", "resolved")
	frames := stacktrace.objects("frames")
	if len(frames) == 0 {
		stacktrace.breaks(RuleException, "frames", "is empty")
	}
	for _, f := range frames {
		f.require("in_app")
		f.bools("in_app", "resolved")
		if stacktrace.members["type"] == "resolved" {
			// line, column and source are those of the frames that PostHog itself makes when it resolves.
			f.only(RuleException, "raw_id", "mangled_name", "resolved_name", "in_app", "lang", "resolved", "line", "column", "source")
			f.require("raw_id", "mangled_name", "resolved_name", "lang", "resolved")
			f.texts("raw_id", "mangled_name", "resolved_name", "source")
			f.filled("lang")
			f.integer("line", 1)
			f.integer("column", 1)
			continue
		}
		f.only(RuleException, "platform", "filename", "abs_path", "function", "module", "lineno", "colno", "in_app", "context_line",
			"pre_context", "post_context", "vars", "chunk_id", "instruction_addr", "addr_mode")
		f.require("platform", "function")
		f.oneOf("platform", "node:javascript", "web:javascript", "hermes", "go", "native", "python")
		f.texts("filename", "abs_path", "function", "module", "context_line")
		f.integer("lineno", 1)
		f.integer("colno", 1)
	}
}

// checkAI looks at an event of a language model.
func checkAI(properties object, e *Event) {
	names := []string{"$ai_generation", "$ai_span", "$ai_trace", "$ai_embedding", "$ai_metric", "$ai_feedback"}
	if !slices.Contains(names, e.Name) {
		properties.violate(RuleAI, properties.where, "belongs to %q, which is not one of %q", e.Name, names)
	}
	properties.filled("$ai_trace_id")
	if e.Name == "$ai_generation" || e.Name == "$ai_embedding" {
		properties.filled("$ai_model")
	}
	if e.Name == "$ai_trace" && properties.members["$ai_parent_id"] != nil {
		properties.breaks(RuleAI, "$ai_parent_id", "is there, but a trace has no parent")
	}
	properties.texts("$ai_span_id", "$ai_parent_id", "$ai_span_name", "$ai_provider", "$ai_base_url", "$ai_lib", "$ai_lib_version")
	properties.integer("$ai_input_tokens", 0)
	properties.integer("$ai_output_tokens", 0)
	properties.integer("$ai_http_status", 100)
	properties.number("$ai_latency", 0)
	properties.bools("$ai_is_error")
}
