// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"encoding/json"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// redacted replaces the text of prompts and outputs.
const redacted = "[redacted]"

// contentAttributes hold prompts and outputs of language models (semantic conventions v1.44.0,
// gen_ai registry, and the names of several SDKs).
var contentAttributes = map[string]bool{
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

// contentPrefixes are prefixes of the names of attributes that each hold a part of a prompt or
// output.
var contentPrefixes = [...]string{
	"gen_ai.prompt.", "gen_ai.completion.", "llm.prompts.", "llm.completions.", "llm.input_messages.", "llm.output_messages.",
	"llm.prompt_template.", "llm.request.functions.", "llm.tools.", "retrieval.documents.", "reranker.input_documents.",
	"reranker.output_documents.", "embedding.embeddings.",
}

// isContent reports whether an attribute holds a prompt or an output.
func isContent(name string) bool {
	if contentAttributes[name] {
		return true
	}
	for _, prefix := range contentPrefixes {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// isContentEvent reports whether the body of an event holds a prompt or an output.
func isContentEvent(name string) bool { return strings.HasPrefix(name, prefixGenAI) }

// appendContent appends a prompt or an output, redacted. With ContentNone it appends nothing.
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

// isShape reports whether a member of a message describes its structure rather than its text (JSON
// schemas of gen_ai.input.messages and gen_ai.output.messages in
// open-telemetry/semantic-conventions).
func isShape(name string) bool {
	switch name {
	case "role", "type", "finish_reason", "modality", "mime_type":
		return true
	}
	return false
}

// appendRedacted appends messages with their roles and types, but without their text.
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

// redact returns the structure of messages: their lists, maps, roles and types.
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
			shape["other"] = redacted // the name itself may be private text
		}
	}
	return shape
}

// shapeText returns a word such as assistant. It redacts text that is not a single short word.
func shapeText(text string) string {
	if text == "" || len(text) > 64 || strings.ContainsAny(text, " \n") {
		return redacted
	}
	return text
}
