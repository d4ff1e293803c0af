// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryintake

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/otelcol-fanout/otelcol-fanout/test/intake/standin"
)

// checkExceptions checks an event's exceptions. The oldest cause comes first, the thrown exception
// last.
func checkExceptions(event object) {
	exception, ok := event.Nested("exception", RuleException)
	if !ok {
		return
	}
	exception.Only(RuleUnknownField, "values")
	exception.Require("values")
	values, ok := exception.Objects("values", RuleException)
	if ok && len(values) == 0 {
		exception.Breaks(RuleException, "values", "is empty")
	}
	for _, value := range values {
		checkException(value)
	}
	checkGroup(values)
}

func checkException(exception object) {
	exception.Only(RuleUnknownField, "type", "value", "module", "thread_id", "mechanism", "stacktrace")
	exception.Texts("type", "value", "module")
	if kind, ok := exception.Text("type"); !ok || strings.TrimSpace(kind) == "" {
		exception.Violate(RuleException, exception.Where, "has no type")
	}
	checkStacktrace(exception)
	mechanism, ok := exception.Nested("mechanism", RuleMechanism)
	if !ok {
		return
	}
	mechanism.Only(RuleUnknownField, "type", "handled", "description", "help_link", "synthetic", "exception_id", "parent_id",
		"is_exception_group", "source", "meta", "data")
	mechanism.Require("type")
	if kind, ok := mechanism.Text("type"); ok && (kind == "" || kind == "generic") {
		mechanism.Breaks(RuleMechanism, "type", "is %q, which does not name what captured the exception", kind)
	}
	mechanism.Texts("description", "help_link")
	if source, ok := mechanism.Text("source"); ok && (source == "" || strings.ContainsAny(source, " \t\r\n")) {
		mechanism.Breaks(RuleMechanism, "source", "is %q, not a word", source)
	}
	mechanism.Booleans("handled", "synthetic", "is_exception_group")
	mechanism.Nested("meta", RuleMechanism)
	mechanism.Nested("data", RuleMechanism)
	mechanism.Rule = RuleExceptionGroup
	mechanism.Integer("exception_id")
	mechanism.Integer("parent_id")
}

// checkGroup checks the ids of exceptions, if any has one.
func checkGroup(exceptions []object) {
	ids := make([]string, len(exceptions))
	parents := make([]string, len(exceptions))
	grouped := false
	for i, exception := range exceptions {
		mechanism, _ := exception.Members["mechanism"].(map[string]any)
		id, _ := mechanism["exception_id"].(json.Number)
		parent, _ := mechanism["parent_id"].(json.Number)
		ids[i], parents[i] = string(id), string(parent)
		grouped = grouped || id != "" || parent != ""
	}
	if !grouped {
		return
	}
	root := len(exceptions) - 1
	if ids[root] != "0" || parents[root] != "" {
		exceptions[root].Violate(RuleExceptionGroup, exceptions[root].Where, "is the root, because it is the last, but has the exception_id %q and the parent_id %q", ids[root], parents[root])
	}
	for i, exception := range exceptions[:root] {
		switch {
		case ids[i] == "":
			exception.Violate(RuleExceptionGroup, exception.Where, "has no exception_id, but others have one")
		case slices.Index(ids, ids[i]) != i || ids[i] == ids[root]:
			exception.Violate(RuleExceptionGroup, exception.Where, "has the exception_id %s of another exception", ids[i])
		case !leadsToRoot(i, ids, parents):
			exception.Violate(RuleExceptionGroup, exception.Where, "has the parent_id %q, which does not lead to the root", parents[i])
		}
	}
}

// leadsToRoot reports whether the chain of an exception's parents ends at the last exception.
func leadsToRoot(i int, ids, parents []string) bool {
	for range ids {
		if i == len(ids)-1 {
			return true
		}
		if i = slices.Index(ids, parents[i]); i < 0 {
			return false
		}
	}
	return i == len(ids)-1
}

// checkStacktrace checks the stack trace of an exception or thread. The oldest frame comes first, the
// crashed one last.
func checkStacktrace(o object) {
	stacktrace, ok := o.Nested("stacktrace", RuleStacktrace)
	if !ok {
		return
	}
	stacktrace.Only(RuleUnknownField, "frames", "registers", "snapshot", "lang")
	stacktrace.Require("frames")
	frames, ok := stacktrace.Objects("frames", RuleStacktrace)
	if ok && (len(frames) == 0 || len(frames) > maxFrames) {
		stacktrace.Breaks(RuleStacktrace, "frames", "has %d frames, not 1 to %d", len(frames), maxFrames)
	}
	for _, frame := range frames {
		checkFrame(frame)
	}
}

func checkFrame(frame object) {
	frame.Only(RuleUnknownField, "filename", "abs_path", "function", "raw_function", "module", "lineno", "colno", "in_app", "pre_context",
		"context_line", "post_context", "vars", "package", "platform", "stack_start", "instruction_addr", "addr_mode",
		"symbol_addr", "image_addr", "source_link", "symbol", "lock")
	frame.Texts("filename", "abs_path", "function", "raw_function", "module", "context_line", "package", "addr_mode", "source_link")
	filename, _ := frame.Members["filename"].(string)
	function, _ := frame.Members["function"].(string)
	if frame.Members["instruction_addr"] == nil && filename == "" && function == "" {
		frame.Violate(RuleStacktrace, frame.Where, "has no filename, function or instruction_addr")
	}
	for _, name := range []string{"lineno", "colno"} {
		if n, ok := frame.Integer(name); ok && n < 1 {
			frame.Breaks(RuleStacktrace, name, "is %d, but counts from 1", n)
		}
	}
	for _, name := range []string{"instruction_addr", "symbol_addr", "image_addr"} {
		if address, ok := frame.Text(name); ok && !strings.HasPrefix(address, "0x") {
			frame.Breaks(RuleStacktrace, name, "is %q, not hexadecimal with the prefix 0x", address)
		}
	}
	frame.Booleans("in_app", "stack_start")
	if frame.Members["stack_start"] == false {
		frame.Breaks(RuleStacktrace, "stack_start", "is false; leave it out")
	}
	frame.OneOf(RuleStacktrace, "platform", platforms...)
	textList(frame, "pre_context")
	textList(frame, "post_context")
	frame.Nested("vars", RuleStacktrace)
}

func checkThreads(event object) {
	threads, ok := event.Nested("threads", RuleThreads)
	if !ok {
		return
	}
	threads.Only(RuleUnknownField, "values")
	threads.Require("values")
	values, _ := threads.Objects("values", RuleThreads)
	ids := map[any]bool{}
	for _, thread := range values {
		thread.Only(RuleUnknownField, "id", "name", "crashed", "current", "main", "state", "held_locks", "stacktrace")
		thread.Require("id")
		thread.Texts("name", "state")
		thread.Booleans("crashed", "current", "main")
		thread.Nested("held_locks", RuleThreads)
		checkStacktrace(thread)
		switch id := thread.Members["id"].(type) {
		case string, json.Number:
			if ids[id] {
				thread.Breaks(RuleThreads, "id", "is %v, the id of another thread", id)
			}
			ids[id] = true
		case nil:
		default:
			thread.Breaks(RuleThreads, "id", "is %s, neither a number nor a string", standin.TypeOf(id))
		}
	}
}
