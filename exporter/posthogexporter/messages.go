// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// Roles of messages.
const (
	roleSystem    = "system"
	roleUser      = "user"
	roleAssistant = "assistant"
)

// appendContent appends a prompt or an output.
func (g *generation) appendContent(dst []byte, props *properties, f aiField, content Content) []byte {
	if content == ContentNone {
		return dst
	}
	value := g.contentOf(f, props.values)
	if f == aiInput {
		value = g.withSystem(value, props.values)
	}
	if value == nil {
		return dst
	}
	dst, ok := props.Name(dst, aiTargets[f].property)
	if !ok {
		return dst
	}
	if content == ContentRedacted {
		return appendRedactedJSON(dst, value)
	}
	return append(dst, value...)
}

// contentOf returns a prompt or an output as JSON, or nil if the span has none.
func (g *generation) contentOf(f aiField, values *jsonappend.Writer) jsontext.Value {
	at := &g.found[f]
	if at.rank == 0 {
		return nil
	}
	switch aiTargets[f].sources[at.rank-1].read {
	case readText:
		return jsonappend.String(nil, textOf(at.value))
	case readRequest:
		return g.payloadOf(at.value, values, roleUser, "messages", "contents")
	case readResponse:
		return g.payloadOf(at.value, values, roleAssistant, "choices", "message", "content")
	case readPrompt:
		return promptOf(jsonOf(at.value, values))
	case readAnswer:
		return answerOf(at.parts, values)
	case readEach:
		return eachOf(at.value, values)
	case readInput:
		return encode(shapeMessages(assemble(at.parts, values), roleUser))
	case readOutput:
		return encode(shapeMessages(assemble(at.parts, values), roleAssistant))
	case readTexts:
		return encode(pick(assemble(at.parts, values), "text"))
	case readTools:
		return encode(pick(assemble(at.parts, values), "json_schema"))
	case readItems:
		return encode(assemble(at.parts, values))
	case readEvents:
		return encode(eventMessages(at.parts, values))
	case readEventList:
		return listedMessages(at.value, f)
	}
	return jsonOf(at.value, values)
}

// jsonOf returns a value as JSON. Text that is valid JSON is that JSON.
func jsonOf(v pcommon.Value, values *jsonappend.Writer) jsontext.Value {
	if v.Type() != pcommon.ValueTypeStr {
		return values.Value(nil, v)
	}
	return appendParsed(nil, v.Str())
}

// appendParsed appends text that is valid JSON unquoted, and other text as a string.
func appendParsed(dst []byte, text string) []byte {
	value := jsontext.Value(text)
	if !value.IsValid() || value.Compact() != nil {
		return jsonappend.String(dst, text)
	}
	return append(dst, value...)
}

// encode returns a Go value as JSON. The result is valid UTF-8, because all strings in it are.
func encode(value any) jsontext.Value {
	text, err := json.Marshal(value, json.Deterministic(true))
	if err != nil {
		return nil
	}
	return text
}

// message returns a list with one message.
func message(role string, content any) jsontext.Value {
	return encode([]any{map[string]any{"role": role, "content": content}})
}

// payloadOf returns the messages of a whole request or response: a list is a list of messages, and an
// object has the list, or the only message, as one of the given members. Any other value is the content
// of one message, or an embedding's text.
func (g *generation) payloadOf(v pcommon.Value, values *jsonappend.Writer, role string, names ...string) jsontext.Value {
	payload := jsonOf(v, values)
	switch payload.Kind() {
	case '[':
		return payload
	case '{':
		if messages := payloadMessages(payload, names); messages != nil {
			return messages
		}
	}
	if g.event == eventEmbedding {
		return payload
	}
	return message(role, appevent.ValidText(v.AsString()))
}

// payloadMessages returns the messages of a request or response, or nil. The instructions of Gemini's
// requests become the first message.
func payloadMessages(payload jsontext.Value, names []string) jsontext.Value {
	var members map[string]jsontext.Value
	if json.Unmarshal(payload, &members) != nil {
		return nil
	}
	for _, name := range names {
		switch list := members[name]; list.Kind() {
		case '{':
			return encode([]any{list})
		case '[':
			return messagesOf(withInstructions(list, members["config"]))
		}
	}
	return nil
}

func withInstructions(list, config jsontext.Value) jsontext.Value {
	var members struct {
		Instruction string `json:"system_instruction"`
	}
	var messages []any
	if config.Kind() != '{' || json.Unmarshal(config, &members) != nil || members.Instruction == "" || json.Unmarshal(list, &messages) != nil {
		return list
	}
	return encode(append([]any{map[string]any{"role": roleSystem, "content": members.Instruction}}, messages...))
}

// messagesOf returns the messages of a list. An item of choices has its message in a member.
func messagesOf(list jsontext.Value) jsontext.Value {
	var items []map[string]jsontext.Value
	if json.Unmarshal(list, &items) != nil {
		return list
	}
	for _, item := range items {
		unwrap(item)
	}
	return encode(items)
}

// unwrap replaces the member named message by the members of that message.
func unwrap(m map[string]jsontext.Value) {
	var members map[string]jsontext.Value
	if m["message"].Kind() != '{' || json.Unmarshal(m["message"], &members) != nil {
		return
	}
	delete(m, "message")
	maps.Copy(m, members)
}

// promptOf returns the messages of a prompt in the form that applications pass to the AI SDK: a list of
// messages, an object with system, prompt and messages, or a text.
func promptOf(prompt jsontext.Value) jsontext.Value {
	switch prompt.Kind() {
	case '[':
		return prompt
	case '"':
		return message(roleUser, prompt)
	}
	var members struct {
		System   jsontext.Value   `json:"system"`
		Prompt   jsontext.Value   `json:"prompt"`
		Messages []jsontext.Value `json:"messages"`
	}
	if json.Unmarshal(prompt, &members) != nil {
		return prompt
	}
	var messages []any
	if members.System.Kind() == '"' {
		messages = append(messages, map[string]any{"role": roleSystem, "content": members.System})
	}
	for _, m := range members.Messages {
		messages = append(messages, m)
	}
	switch members.Prompt.Kind() {
	case '"':
		messages = append(messages, map[string]any{"role": roleUser, "content": members.Prompt})
	case '[':
		var more []any
		_ = json.Unmarshal(members.Prompt, &more) // it is valid
		messages = append(messages, more...)
	}
	if len(messages) == 0 {
		return prompt
	}
	return encode(messages)
}

// answerOf returns the assistant's message, whose parts the AI SDK puts into separate attributes.
func answerOf(parts []part, values *jsonappend.Writer) jsontext.Value {
	answer := map[string]any{"role": roleAssistant}
	for _, p := range parts {
		text := appevent.ValidText(p.value.AsString())
		switch p.path[strings.LastIndexByte(p.path, '.')+1:] {
		case "text":
			answer["content"] = text
		case "object":
			if answer["content"] == nil {
				answer["content"] = text
			}
		case "reasoning":
			answer["reasoning"] = text
		case "toolCalls":
			answer["tool_calls"] = toolCallsOf(jsonOf(p.value, values))
		}
	}
	return encode([]any{answer})
}

// toolCallsOf returns the AI SDK's tool calls in the form that PostHog shows.
func toolCallsOf(text jsontext.Value) any {
	var calls []map[string]jsontext.Value
	if json.Unmarshal(text, &calls) != nil {
		return text
	}
	shaped := make([]any, len(calls))
	for i, call := range calls {
		arguments := call["input"]
		if arguments == nil {
			arguments = call["args"]
		}
		if call["toolName"] == nil {
			shaped[i] = call
			continue
		}
		function := map[string]any{"name": call["toolName"]}
		if arguments != nil {
			function["arguments"] = arguments
		}
		shaped[i] = map[string]any{"type": "function", "function": function}
		if id := call["toolCallId"]; id != nil {
			shaped[i].(map[string]any)["id"] = id
		}
	}
	return shaped
}

// eachOf returns a value as JSON. Strings in a list may be JSON too.
func eachOf(v pcommon.Value, values *jsonappend.Writer) jsontext.Value {
	if v.Type() != pcommon.ValueTypeSlice {
		return jsonOf(v, values)
	}
	items := make([]any, v.Slice().Len())
	for i := range items {
		items[i] = jsonOf(v.Slice().At(i), values)
	}
	return encode(items)
}

// eventMessages returns the messages of span events.
func eventMessages(parts []part, values *jsonappend.Writer) any {
	messages := make([]any, len(parts))
	for i, p := range parts {
		messages[i] = eventMessage(p, values)
	}
	return messages
}

// eventMessage returns the message of a span event. It is JSON in one attribute, or consists of the
// event's attributes; that of a choice is in the member named message.
func eventMessage(p part, values *jsonappend.Writer) any {
	attributes := p.value.Map()
	m := map[string]jsontext.Value{}
	if body, ok := attributes.Get("gen_ai.event.content"); ok && isObject(body) {
		m = maps.Collect(membersOf(body, values))
	} else {
		for name, v := range attributes.All() {
			if name = appevent.ValidText(name); !strings.HasPrefix(name, prefixGenAI) && m[name] == nil {
				m[name] = jsonOf(v, values)
			}
		}
	}
	unwrap(m)
	if m["role"] == nil {
		m["role"] = encode(roleOfEvent(p.path))
	}
	if id, ok := m["id"]; ok && m["tool_call_id"] == nil && p.path == "gen_ai.tool.message" {
		m["tool_call_id"] = id
		delete(m, "id")
	}
	return m
}

// attrEventName is the name of an event in a list of events.
const attrEventName = "event.name"

// listedEvents returns the events of a list in JSON, each with its name, or nil.
func listedEvents(v pcommon.Value) []map[string]jsontext.Value {
	var events []map[string]jsontext.Value
	if v.Type() != pcommon.ValueTypeStr || json.Unmarshal([]byte(v.Str()), &events) != nil {
		return nil
	}
	for _, event := range events {
		if event[attrEventName].Kind() != '"' {
			return nil
		}
	}
	return events
}

// listedMessages returns the messages of a field's span events that are in a list in JSON.
func listedMessages(v pcommon.Value, f aiField) jsontext.Value {
	var messages []any
	for _, m := range listedEvents(v) {
		var name string
		_ = json.Unmarshal(m[attrEventName], &name) // it is a string
		if !slices.ContainsFunc(aiEventSources[name], func(ref aiRef) bool { return ref.field == f }) {
			continue
		}
		maps.DeleteFunc(m, func(name string, _ jsontext.Value) bool {
			return name == attrEventName || strings.HasPrefix(name, prefixGenAI)
		})
		unwrap(m)
		if m["role"] == nil {
			m["role"] = encode(roleOfEvent(name))
		}
		messages = append(messages, m)
	}
	if messages == nil {
		return nil
	}
	return encode(messages)
}

// roleOfEvent returns the role of the message in a span event such as gen_ai.user.message.
func roleOfEvent(name string) string {
	role, ok := strings.CutSuffix(strings.TrimPrefix(name, prefixGenAI), ".message")
	if !ok {
		return roleAssistant // gen_ai.choice
	}
	return role
}

// withSystem returns the input with the system instructions as its first message, unless it already
// begins with a system message.
func (g *generation) withSystem(input jsontext.Value, values *jsonappend.Writer) jsontext.Value {
	if g.found[aiSystem].rank == 0 {
		return input
	}
	var messages []jsontext.Value
	if input != nil && (input.Kind() != '[' || json.Unmarshal(input, &messages) != nil) {
		return input
	}
	var first struct {
		Role string `json:"role"`
	}
	if len(messages) > 0 && json.Unmarshal(messages[0], &first) == nil && first.Role == roleSystem {
		return input
	}
	g.hasSystem = true
	system := map[string]any{"role": roleSystem, "content": instructionsOf(jsonOf(g.found[aiSystem].value, values))}
	all := make([]any, 1, 1+len(messages))
	all[0] = system
	for _, m := range messages {
		all = append(all, m)
	}
	return encode(all)
}

// instructionsOf returns the text of system instructions. Parts that are not all text stay parts.
func instructionsOf(instructions jsontext.Value) any {
	var parts []struct {
		Type    string  `json:"type"`
		Content *string `json:"content"`
	}
	if json.Unmarshal(instructions, &parts) != nil {
		return instructions
	}
	texts := make([]string, len(parts))
	for i, p := range parts {
		if p.Type != "text" || p.Content == nil {
			return instructions
		}
		texts[i] = *p.Content
	}
	return strings.Join(texts, "\n\n")
}

// isObject reports whether a value is a map, or an object as JSON in a string.
func isObject(v pcommon.Value) bool {
	if v.Type() != pcommon.ValueTypeStr {
		return v.Type() == pcommon.ValueTypeMap
	}
	text := jsontext.Value(v.Str())
	return text.Kind() == '{' && text.IsValid()
}

// membersOf yields the members of an object in the order of their names.
func membersOf(object pcommon.Value, values *jsonappend.Writer) iter.Seq2[string, jsontext.Value] {
	var members map[string]jsontext.Value
	_ = json.Unmarshal(jsonOf(object, values), &members) // isObject has checked it
	return func(yield func(string, jsontext.Value) bool) {
		for _, name := range slices.Sorted(maps.Keys(members)) {
			if !yield(name, members[name]) {
				return
			}
		}
	}
}
