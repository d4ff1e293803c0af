// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogintake

import (
	"slices"
	"strings"
)

// checkSpecial checks the events whose properties PostHog specifies.
func checkSpecial(properties object, e *Event, protocol Protocol) {
	properties.Rule = RulePerson
	switch e.Name {
	case "$identify":
		checkMerged(properties, "$anon_distinct_id", e)
		properties.Texts("$anon_distinct_id")
	case "$set":
		_, set := properties.Members["$set"]
		_, once := properties.Members["$set_once"]
		_, unset := properties.Members["$unset"]
		if !set && !once && !unset {
			properties.Breaks(RulePerson, "$set", "is missing, and so are $set_once and $unset")
		}
	case "$create_alias":
		requireText(properties, "alias")
		checkMerged(properties, "alias", e)
	case "$groupidentify":
		checkGroup(properties, e)
	case "$merge_dangerously":
		// only needs a profile
	case "$performance_event":
		properties.Violate(RuleName, properties.Where, "belong to a $performance_event, which PostHog drops")
	case "$screen":
		requireText(properties, "$screen_name")
	case "$exception":
		properties.Rule = RuleException
		checkException(properties)
	default:
		if strings.HasPrefix(e.Name, "$ai_") {
			properties.Rule = RuleAI
			checkAI(properties, e)
		}
		return
	}
	if slices.Contains([]string{"$identify", "$set", "$create_alias", "$groupidentify", "$merge_dangerously"}, e.Name) && !e.hasProfile(protocol) {
		properties.Breaks(RulePerson, "$process_person_profile", "is false, but the event is about a person or a group")
	}
}

// mergedID returns the id of the person that PostHog merges into the distinct_id's person, and the
// property with that id. Both are empty if the event merges nobody (posthog:
// nodejs/src/worker/ingestion/persons/person-merge-service.ts).
func (e *Event) mergedID() (name, id string) {
	switch e.Name {
	case "$create_alias":
		name = "alias"
	case "$identify":
		name = "$anon_distinct_id"
	}
	if id, _ = e.Properties[name].(string); id == "" {
		return "", ""
	}
	return name, id
}

// checkMerged checks an id that is merged into the event's distinct_id.
func checkMerged(properties object, name string, e *Event) {
	id, ok := properties.Members[name].(string)
	switch {
	case !ok:
	case isIllegal(id):
		properties.Breaks(RuleIllegalID, name, "is %q, which many people share", id)
	case id == e.DistinctID:
		properties.Breaks(RulePerson, name, "is the distinct_id")
	case len(id) > maxDistinctID:
		properties.Breaks(RuleDistinctID, name, "has %d bytes; the limit is %d", len(id), maxDistinctID)
	}
}

func checkGroup(properties object, e *Event) {
	requireText(properties, "$group_type", "$group_key")
	properties.Require("$group_set")
	properties.Nested("$group_set", RulePerson)
	kind, _ := properties.Members["$group_type"].(string)
	key, _ := properties.Members["$group_key"].(string)
	if want := "$" + kind + "_" + key; e.DistinctID != want {
		properties.Breaks(RulePerson, "$group_key", "requires the distinct_id %q, but it is %q", want, e.DistinctID)
	}
}

// checkException checks an $exception.
func checkException(properties object) {
	properties.Require("$exception_list", "$exception_level")
	properties.OneOf(RuleException, "$exception_level", "fatal", "error", "warning", "log", "info", "debug")
	properties.Texts("$exception_fingerprint")
	for _, name := range []string{"$set", "$set_once"} {
		if _, ok := properties.Members[name]; ok {
			properties.Breaks(RuleException, name, "is ignored in an $exception")
		}
	}
	exceptions, _ := properties.Objects("$exception_list", RuleException)
	if len(exceptions) == 0 {
		properties.Breaks(RuleException, "$exception_list", "is empty")
	}
	for _, x := range exceptions {
		x.Only(RuleException, "type", "value", "module", "thread_id", "mechanism", "stacktrace")
		requireText(x, "type")
		x.Require("value", "mechanism")
		x.Texts("value", "module")
		if mechanism, ok := x.Nested("mechanism", RuleException); ok {
			mechanism.Only(RuleException, "handled", "type", "source", "synthetic", "exception_id", "parent_id")
			mechanism.Require("handled", "type", "synthetic")
			mechanism.Booleans("handled", "synthetic")
			mechanism.Texts("source")
			mechanism.OneOf(RuleException, "type", "generic", "onunhandledrejection", "onuncaughtexception", "onconsole", "middleware", "chained")
			atLeast(mechanism, 0, "exception_id", "parent_id")
		}
		if stacktrace, ok := x.Nested("stacktrace", RuleException); ok {
			checkStacktrace(stacktrace)
		}
	}
}

func checkStacktrace(stacktrace object) {
	stacktrace.Only(RuleException, "type", "frames")
	stacktrace.Require("type", "frames")
	stacktrace.OneOf(RuleException, "type", "raw", "resolved")
	frames, _ := stacktrace.Objects("frames", RuleException)
	if len(frames) == 0 {
		stacktrace.Breaks(RuleException, "frames", "is empty")
	}
	for _, f := range frames {
		f.Require("in_app")
		f.Booleans("in_app", "resolved")
		if stacktrace.Members["type"] == "resolved" {
			// PostHog itself adds line, column and source when it resolves frames.
			f.Only(RuleException, "raw_id", "mangled_name", "resolved_name", "in_app", "lang", "resolved", "line", "column", "source")
			f.Require("raw_id", "mangled_name", "resolved_name", "lang", "resolved")
			f.Texts("raw_id", "mangled_name", "resolved_name", "source")
			requireText(f, "lang")
			atLeast(f, 1, "line", "column")
			continue
		}
		f.Only(RuleException, "platform", "filename", "abs_path", "function", "module", "lineno", "colno", "in_app", "context_line",
			"pre_context", "post_context", "vars", "chunk_id", "instruction_addr", "addr_mode")
		f.Require("platform", "function")
		f.OneOf(RuleException, "platform", "node:javascript", "web:javascript", "hermes", "go", "native", "python")
		f.Texts("filename", "abs_path", "function", "module", "context_line")
		atLeast(f, 1, "lineno", "colno")
	}
}

// checkAI checks an event about a language model.
func checkAI(properties object, e *Event) {
	names := []string{"$ai_generation", "$ai_span", "$ai_trace", "$ai_embedding", "$ai_metric", "$ai_feedback"}
	if !slices.Contains(names, e.Name) {
		properties.Violate(RuleAI, properties.Where, "belongs to %q, which is not one of %q", e.Name, names)
	}
	requireText(properties, "$ai_trace_id")
	if e.Name == "$ai_generation" || e.Name == "$ai_embedding" {
		requireText(properties, "$ai_model")
	}
	if e.Name == "$ai_trace" && properties.Members["$ai_parent_id"] != nil {
		properties.Breaks(RuleAI, "$ai_parent_id", "is set, but a trace has no parent")
	}
	properties.Texts("$ai_span_id", "$ai_parent_id", "$ai_session_id", "$ai_span_name", "$ai_provider", "$ai_base_url", "$ai_stop_reason",
		"$ai_lib", "$ai_lib_version")
	atLeast(properties, 0, "$ai_input_tokens", "$ai_output_tokens", "$ai_cache_read_input_tokens", "$ai_cache_creation_input_tokens",
		"$ai_reasoning_tokens")
	atLeast(properties, 100, "$ai_http_status")
	for _, name := range []string{"$ai_latency", "$ai_time_to_first_token"} {
		if seconds, ok := properties.Number(name); ok && seconds < 0 {
			properties.Breaks(RuleAI, name, "is negative")
		}
	}
	properties.Booleans("$ai_is_error", "$ai_cache_reporting_exclusive")
	if parameters, ok := properties.Nested("$ai_model_parameters", RuleAI); ok && len(parameters.Members) == 0 {
		properties.Breaks(RuleAI, "$ai_model_parameters", "is empty")
	}
}
