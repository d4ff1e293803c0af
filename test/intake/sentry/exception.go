// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryintake

import (
	"encoding/json"
	"slices"
	"strings"
)

// checkExceptions looks at the exceptions of an event: the oldest cause first, the one that was thrown last.
func checkExceptions(event object) {
	exception, ok := event.object("exception", RuleException)
	if !ok {
		return
	}
	exception.only("values")
	exception.require("values")
	values, ok := exception.objects("values", RuleException)
	if ok && len(values) == 0 {
		exception.breaks(RuleException, "values", "is empty")
	}
	for _, value := range values {
		checkException(value)
	}
	checkGroup(values)
}

func checkException(exception object) {
	exception.only("type", "value", "module", "thread_id", "mechanism", "stacktrace")
	exception.texts("type", "value", "module")
	if exception.members["type"] == nil && exception.members["value"] == nil {
		exception.violate(RuleException, exception.where, "has neither a type nor a value")
	}
	checkStacktrace(exception)
	mechanism, ok := exception.object("mechanism", RuleMechanism)
	if !ok {
		return
	}
	mechanism.only("type", "handled", "description", "help_link", "synthetic", "exception_id", "parent_id",
		"is_exception_group", "source", "meta", "data")
	mechanism.require("type")
	if kind, ok := mechanism.text("type"); ok && (kind == "" || kind == "generic") {
		mechanism.breaks(RuleMechanism, "type", "is %q, which does not tell what captured the exception", kind)
	}
	mechanism.texts("description", "help_link", "source")
	mechanism.booleans("handled", "synthetic", "is_exception_group")
	mechanism.object("meta", RuleMechanism)
	mechanism.object("data", RuleMechanism)
	mechanism.rule = RuleExceptionGroup
	mechanism.integer("exception_id")
	mechanism.integer("parent_id")
}

// checkGroup looks at the ids of exceptions, if any has one.
func checkGroup(exceptions []object) {
	ids := make([]string, len(exceptions))
	parents := make([]string, len(exceptions))
	grouped := false
	for i, exception := range exceptions {
		mechanism, _ := exception.members["mechanism"].(map[string]any)
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
		exceptions[root].violate(RuleExceptionGroup, exceptions[root].where, "is the last, and so the root, but has the exception_id %q and the parent_id %q", ids[root], parents[root])
	}
	for i, exception := range exceptions[:root] {
		switch {
		case ids[i] == "":
			exception.violate(RuleExceptionGroup, exception.where, "has no exception_id, though others have one")
		case slices.Index(ids, ids[i]) != i || ids[i] == ids[root]:
			exception.violate(RuleExceptionGroup, exception.where, "has the exception_id %s, which another has", ids[i])
		case !leadsToRoot(i, ids, parents):
			exception.violate(RuleExceptionGroup, exception.where, "has the parent_id %q, which does not lead to the root", parents[i])
		}
	}
}

// leadsToRoot reports that an exception's parents end at the last exception.
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

// checkStacktrace looks at the stack trace of an exception or a thread: the oldest frame first, the one that crashed last.
func checkStacktrace(o object) {
	stacktrace, ok := o.object("stacktrace", RuleStacktrace)
	if !ok {
		return
	}
	stacktrace.only("frames", "registers", "snapshot", "lang")
	stacktrace.require("frames")
	frames, ok := stacktrace.objects("frames", RuleStacktrace)
	if ok && (len(frames) == 0 || len(frames) > maxFrames) {
		stacktrace.breaks(RuleStacktrace, "frames", "has %d frames; it may have 1 to %d", len(frames), maxFrames)
	}
	for _, frame := range frames {
		checkFrame(frame)
	}
}

func checkFrame(frame object) {
	frame.only("filename", "abs_path", "function", "raw_function", "module", "lineno", "colno", "in_app", "pre_context",
		"context_line", "post_context", "vars", "package", "platform", "stack_start", "instruction_addr", "addr_mode",
		"symbol_addr", "image_addr", "source_link", "symbol", "lock")
	frame.texts("filename", "abs_path", "function", "raw_function", "module", "context_line", "package", "addr_mode", "source_link")
	filename, _ := frame.members["filename"].(string)
	function, _ := frame.members["function"].(string)
	if frame.members["instruction_addr"] == nil && filename == "" && function == "" {
		frame.violate(RuleStacktrace, frame.where, "has neither a filename nor a function nor an instruction_addr")
	}
	for _, name := range []string{"lineno", "colno"} {
		if n, ok := frame.integer(name); ok && n < 1 {
			frame.breaks(RuleStacktrace, name, "is %d, but the first is 1", n)
		}
	}
	for _, name := range []string{"instruction_addr", "symbol_addr", "image_addr"} {
		if address, ok := frame.text(name); ok && !strings.HasPrefix(address, "0x") {
			frame.breaks(RuleStacktrace, name, "is %q, not hexadecimal with 0x before it", address)
		}
	}
	frame.booleans("in_app", "stack_start")
	if frame.members["stack_start"] == false {
		frame.breaks(RuleStacktrace, "stack_start", "is false; it is left out then")
	}
	frame.oneOf(RuleStacktrace, "platform", platforms...)
	frame.strings("pre_context")
	frame.strings("post_context")
	frame.object("vars", RuleStacktrace)
}

func checkThreads(event object) {
	threads, ok := event.object("threads", RuleThreads)
	if !ok {
		return
	}
	threads.only("values")
	threads.require("values")
	values, _ := threads.objects("values", RuleThreads)
	ids := map[any]bool{}
	for _, thread := range values {
		thread.only("id", "name", "crashed", "current", "main", "state", "held_locks", "stacktrace")
		thread.require("id")
		thread.texts("name", "state")
		thread.booleans("crashed", "current", "main")
		thread.object("held_locks", RuleThreads)
		checkStacktrace(thread)
		switch id := thread.members["id"].(type) {
		case string, json.Number:
			if ids[id] {
				thread.breaks(RuleThreads, "id", "is %v, which another thread has", id)
			}
			ids[id] = true
		case nil:
		default:
			thread.breaks(RuleThreads, "id", "is %s, neither a number nor a string", typeOf(id))
		}
	}
}
