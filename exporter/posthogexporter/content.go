// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"encoding/json"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// redacted stands for what was said.
const redacted = "[redacted]"

// contents are attributes that hold what was said to a language model, or what it said (semantic
// conventions v1.44.0, gen_ai registry, and what SDKs have names of their own for).
var contents = map[string]bool{
	"gen_ai.input.messages": true, "gen_ai.output.messages": true, "gen_ai.system_instructions": true,
	"gen_ai.tool.definitions": true, "gen_ai.tool.call.arguments": true, "gen_ai.tool.call.result": true,
	"gen_ai.prompt": true, "gen_ai.completion": true,
	"gen_ai.event.content": true, "gen_ai.retrieval.documents": true, "gen_ai.retrieval.query.text": true,
	"gen_ai.memory.records": true, "gen_ai.memory.query.text": true,
	"ai.prompt": true, "ai.prompt.messages": true, "ai.prompt.tools": true, "ai.value": true, "ai.values": true,
	"ai.response.text": true, "ai.response.object": true, "ai.response.toolCalls": true, "ai.response.reasoning": true,
	"ai.toolCall.args": true, "ai.toolCall.result": true,
	"traceloop.entity.input": true, "traceloop.entity.output": true,
	"input.value": true, "output.value": true, "tool.parameters": true,
	"$ai_input": true, "$ai_output": true, "$ai_output_choices": true, "$ai_input_state": true, "$ai_output_state": true, "$ai_tools": true,
}

// contentPrefixes begin the names of attributes that hold one part of it each.
var contentPrefixes = [...]string{
	"gen_ai.prompt.", "gen_ai.completion.", "llm.prompts.", "llm.completions.", "llm.input_messages.", "llm.output_messages.",
	"llm.prompt_template.", "llm.request.functions.", "llm.tools.", "retrieval.documents.", "reranker.input_documents.",
	"reranker.output_documents.", "embedding.embeddings.",
}

// isContent reports whether an attribute holds what was said.
func isContent(name string) bool {
	if contents[name] {
		return true
	}
	for _, prefix := range contentPrefixes {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// isContentEvent reports whether the body of an event holds what was said.
func isContentEvent(name string) bool { return strings.HasPrefix(name, prefixGenAI) }

// appendContent appends what was said, as far as the configuration lets it be seen.
func appendContent(dst []byte, props *properties, content Content, name string, v pcommon.Value) []byte {
	if content == ContentNone {
		return dst
	}
	dst, ok := props.Name(dst, name)
	if !ok {
		return dst
	}
	if isShape(name[strings.LastIndexByte(name, '.')+1:]) {
		return jsonappend.String(dst, shapeText(v.AsString()))
	}
	return appendRedacted(dst, v)
}

// isShape reports whether a member of a message tells its shape rather than what is said (JSON
// schemas of gen_ai.input.messages and gen_ai.output.messages in
// open-telemetry/semantic-conventions).
func isShape(name string) bool {
	switch name {
	case "role", "type", "finish_reason", "modality", "mime_type":
		return true
	}
	return false
}

// appendRedacted appends messages with their roles and types, but none of what they say.
func appendRedacted(dst []byte, v pcommon.Value) []byte {
	var raw any
	if v.Type() == pcommon.ValueTypeStr {
		if json.Unmarshal([]byte(v.Str()), &raw) != nil {
			return jsonappend.String(dst, redacted)
		}
	} else {
		raw = v.AsRaw()
	}
	shape, err := json.Marshal(redact(raw))
	if err != nil {
		return jsonappend.String(dst, redacted)
	}
	return append(dst, shape...)
}

// redact is the shape of messages: lists, what they are lists of, and the members that tell the
// shape.
func redact(raw any) any {
	switch raw := raw.(type) {
	case []any:
		items := make([]any, len(raw))
		for i := range raw {
			items[i] = redact(raw[i])
		}
		return items
	case map[string]any:
		return redactMembers(raw)
	default:
		return redacted
	}
}

func redactMembers(members map[string]any) map[string]any {
	shape := make(map[string]any, len(members))
	for name, value := range members {
		if isShape(name) {
			text, _ := value.(string)
			shape[name] = shapeText(text)
			continue
		}
		switch name {
		case "messages", "parts", "content", "choices", "message", "tool_calls":
			shape[name] = redact(value)
		case "id", "index", "name", "arguments", "args", "result", "response", "text", "input", "output", "refusal":
			shape[name] = redacted
		default:
			shape["other"] = redacted // whose name may be something that was said
		}
	}
	return shape
}

// shapeText is a word such as assistant. What is longer than those are is no word.
func shapeText(text string) string {
	if text == "" || len(text) > 64 || strings.ContainsAny(text, " \n") {
		return redacted
	}
	return text
}
