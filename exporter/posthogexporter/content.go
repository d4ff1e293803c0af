// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"encoding/json"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// redacted replaces the text of prompts and outputs.
const redacted = "[redacted]"

// contentAttributes and contentPrefixes are the names of attributes with prompts and outputs of
// language models, and prefixes of such names: those of aiTargets, and others of the same conventions.
//
//nolint:gochecknoglobals // constants
var contentAttributes, contentPrefixes = indexContent(
	"gen_ai.event.content", "gen_ai.memory.records", "gen_ai.memory.query.text", "ai.embedding.*", "llm.prompt_template.*",
	"reranker.input_documents.*", "llm.function_call", "input.value", "output.value", "tool.json_schema", "pydantic_ai.all_messages",
	"$ai_input", "$ai_output", "$ai_output_choices", "$ai_input_state", "$ai_output_state", "$ai_tools",
)

func indexContent(more ...string) (attributes map[string]bool, prefixes []string) {
	names := more
	for f := range aiTargets {
		for i := range aiTargets[f].sources {
			if aiTargets[f].content {
				names = append(names, aiTargets[f].sources[i].names...)
			}
		}
	}
	attributes = map[string]bool{}
	for _, name := range names {
		if prefix, ok := strings.CutSuffix(name, "*"); ok {
			prefixes = append(prefixes, prefix)
		} else {
			attributes[name] = true
		}
	}
	return attributes, prefixes
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

// isSpanContent reports whether an attribute of a language model's span may hold a prompt or an
// output, in any instrumentation: it is one of isContent, or it is not a number and its name says so.
func isSpanContent(name string, v pcommon.Value) bool {
	switch v.Type() {
	case pcommon.ValueTypeInt, pcommon.ValueTypeDouble, pcommon.ValueTypeBool, pcommon.ValueTypeEmpty:
		return false
	}
	switch {
	case isContent(name), strings.HasPrefix(name, "input."), strings.HasPrefix(name, "output."), name == "ai.response.providerMetadata":
		return true
	case strings.HasPrefix(name, "error."), strings.HasPrefix(name, "exception."), strings.HasPrefix(name, "otel."):
		return false
	}
	return contentWords[lastWord(name)]
}

// contentWords are the last words of names of attributes that hold prompts, outputs, tools and their
// calls, as in gcp.vertex.agent.llm_request, ai.result.toolCalls and crewai.task.description.
//
//nolint:gochecknoglobals // constant
var contentWords = wordsOf(`answer answers argument arguments args backstory body call calls choices chunk completion completions
	content contents context data description document documents embedding embeddings events explanation file files goal history
	input inputs instruction instructions memory message messages object output outputs parameters prompt prompts query question
	reasoning request response responses result results schema state summary template text texts thinking tools transcript value
	values variable variables vector`)

func wordsOf(text string) map[string]bool {
	words := map[string]bool{}
	for word := range strings.FieldsSeq(text) {
		words[word] = true
	}
	return words
}

// lastWord returns the last word of a name in lower case, whether periods, underscores, hyphens or
// capital letters separate its words.
func lastWord(name string) string {
	start := strings.LastIndexAny(name, "._-") + 1
	for i := len(name) - 1; i > start; i-- {
		if isUpper(name[i]) && !isUpper(name[i-1]) {
			start = i
			break
		}
	}
	return strings.ToLower(name[start:])
}

func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }

// isSetting reports whether a request parameter is a number, a boolean or a word, and no text for the
// model.
func isSetting(name string, value jsontext.Value) bool {
	switch value.Kind() {
	case '{', '[':
		return false
	case '"':
		text := ""
		_ = json.Unmarshal(value, &text) // it is a string
		return shapeText(text) == text && name != roleSystem && name != "stop" && !contentWords[lastWord(name)]
	}
	return true
}

// isContentEvent reports whether the body of an event holds a prompt or an output.
func isContentEvent(name string) bool { return strings.HasPrefix(name, prefixGenAI) }

// appendHiddenContent appends a prompt or an output, redacted, or nothing with ContentNone.
func appendHiddenContent(dst []byte, props *properties, content Content, name string, v pcommon.Value) []byte {
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
	if v.Type() == pcommon.ValueTypeStr {
		return appendRedactedJSON(dst, []byte(v.Str()))
	}
	return appendShape(dst, v.AsRaw())
}

// appendRedactedJSON is appendRedacted for JSON.
func appendRedactedJSON(dst, text []byte) []byte {
	var raw any
	if json.Unmarshal(text, &raw) != nil {
		return jsonappend.String(dst, redacted)
	}
	return appendShape(dst, raw)
}

func appendShape(dst []byte, raw any) []byte {
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
		case "messages", "parts", "content", "choices", "message", "tool_calls", "function":
			shape[name] = redact(value)
		case "id", "index", "name", "arguments", "args", "result", "response", "text", "input", "output", "refusal", "tool_call_id", "reasoning":
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
