// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"math"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// aiField is a field of a language model call, for which spans use one of several names.
type aiField int

const (
	aiOperation aiField = iota
	aiModel
	aiProvider
	aiInputTokens
	aiOutputTokens
	aiCacheReadTokens
	aiCacheCreationTokens
	aiReasoningTokens
	aiInput
	aiOutput
	aiInputState
	aiOutputState
	aiTools
	aiStopReason
	aiFirstChunk
	aiSession
	aiBaseURL
	aiHTTPStatus
	numAIFields
)

// aiSource is the field that an attribute holds. If several attributes hold the same field, the
// lowest rank wins.
type aiSource struct {
	field aiField
	rank  int
}

// aiSources are the attributes of the semantic conventions for generative AI, present and past, and
// of SDKs with other names (model/gen-ai/registry.yaml in
// open-telemetry/semantic-conventions-genai; nodejs/src/ingestion/ai/otel in PostHog/posthog).
var aiSources = map[string]aiSource{
	"gen_ai.operation.name":                    {aiOperation, 1},
	"llm.request.type":                         {aiOperation, 2},
	"ai.operationId":                           {aiOperation, 3},
	"gen_ai.response.model":                    {aiModel, 1},
	"gen_ai.request.model":                     {aiModel, 2},
	"ai.model.id":                              {aiModel, 3},
	"gen_ai.provider.name":                     {aiProvider, 1},
	"gen_ai.system":                            {aiProvider, 2},
	"ai.model.provider":                        {aiProvider, 3},
	"gen_ai.usage.input_tokens":                {aiInputTokens, 1},
	"gen_ai.usage.prompt_tokens":               {aiInputTokens, 2},
	"ai.usage.promptTokens":                    {aiInputTokens, 3},
	"gen_ai.usage.output_tokens":               {aiOutputTokens, 1},
	"gen_ai.usage.completion_tokens":           {aiOutputTokens, 2},
	"ai.usage.completionTokens":                {aiOutputTokens, 3},
	"gen_ai.usage.cache_read.input_tokens":     {aiCacheReadTokens, 1},
	"gen_ai.usage.cache_read_input_tokens":     {aiCacheReadTokens, 2},
	"ai.usage.cachedInputTokens":               {aiCacheReadTokens, 3},
	"gen_ai.usage.cache_write.input_tokens":    {aiCacheCreationTokens, 1},
	"gen_ai.usage.cache_creation.input_tokens": {aiCacheCreationTokens, 2},
	"gen_ai.usage.cache_creation_input_tokens": {aiCacheCreationTokens, 3},
	"gen_ai.usage.reasoning.output_tokens":     {aiReasoningTokens, 1},
	"gen_ai.usage.reasoning_tokens":            {aiReasoningTokens, 2},
	"ai.usage.reasoningTokens":                 {aiReasoningTokens, 3},
	"gen_ai.input.messages":                    {aiInput, 1},
	"gen_ai.prompt":                            {aiInput, 2},
	"ai.prompt.messages":                       {aiInput, 3},
	"ai.prompt":                                {aiInput, 4},
	"traceloop.entity.input":                   {aiInput, 5},
	"gen_ai.output.messages":                   {aiOutput, 1},
	"gen_ai.completion":                        {aiOutput, 2},
	"ai.response.text":                         {aiOutput, 3},
	"traceloop.entity.output":                  {aiOutput, 4},
	"gen_ai.tool.call.arguments":               {aiInputState, 1},
	"ai.toolCall.args":                         {aiInputState, 2},
	"gen_ai.tool.call.result":                  {aiOutputState, 1},
	"ai.toolCall.result":                       {aiOutputState, 2},
	"gen_ai.tool.definitions":                  {aiTools, 1},
	"gen_ai.response.finish_reasons":           {aiStopReason, 1},
	"ai.response.finishReason":                 {aiStopReason, 2},
	"gen_ai.response.time_to_first_chunk":      {aiFirstChunk, 1},
	"ai.response.msToFirstChunk":               {aiFirstChunk, firstChunkMS},
	"gen_ai.conversation.id":                   {aiSession, 1},
	"server.address":                           {aiBaseURL, 1},
	"http.response.status_code":                {aiHTTPStatus, 1},
}

// aiParameters are the request parameters of a model, with the names that PostHog's SDKs use.
var aiParameters = map[string]string{
	"gen_ai.request.max_tokens":        "max_tokens",
	"gen_ai.request.choice.count":      "n",
	"gen_ai.request.temperature":       "temperature",
	"gen_ai.request.top_p":             "top_p",
	"gen_ai.request.top_k":             "top_k",
	"gen_ai.request.stop_sequences":    "stop",
	"gen_ai.request.frequency_penalty": "frequency_penalty",
	"gen_ai.request.presence_penalty":  "presence_penalty",
	"gen_ai.request.encoding_formats":  "encoding_formats",
	"gen_ai.request.seed":              "seed",
	"gen_ai.request.stream":            "stream",
}

// generation is the language model call that a span describes.
type generation struct {
	span   ptrace.Span
	values [numAIFields]pcommon.Value
	ranks  [numAIFields]int // of values; 0 if the span does not have the field
	// parameters is set if the span has any of aiParameters.
	parameters bool
}

func readGeneration(span ptrace.Span) generation {
	g := generation{span: span}
	for name, v := range span.Attributes().All() {
		from, ok := aiSources[name]
		if ok && (g.ranks[from.field] == 0 || from.rank < g.ranks[from.field]) && from.field.accepts(v) {
			g.values[from.field], g.ranks[from.field] = v, from.rank
		}
		g.parameters = g.parameters || aiParameters[name] != ""
	}
	return g
}

// accepts reports whether the field can have the value. If not, the attribute stays a property.
func (f aiField) accepts(v pcommon.Value) bool {
	switch f {
	case aiInputTokens, aiOutputTokens, aiCacheReadTokens, aiCacheCreationTokens, aiReasoningTokens, aiHTTPStatus:
		n, err := strconv.ParseInt(textOf(v), 10, 64)
		return err == nil && n >= 0
	case aiFirstChunk:
		n, err := strconv.ParseFloat(textOf(v), 64)
		return err == nil && n >= 0 && n <= math.MaxFloat64
	case aiInput, aiOutput, aiInputState, aiOutputState, aiTools:
		return true
	}
	return textOf(v) != ""
}

// uses reports whether the generation was read from the attribute.
func (g *generation) uses(name string) bool {
	from, ok := aiSources[name]
	return ok && g.ranks[from.field] == from.rank || aiParameters[name] != ""
}

func (g *generation) text(f aiField) string {
	if g.ranks[f] == 0 {
		return ""
	}
	return textOf(g.values[f])
}

// count returns a number, which some SDKs write as a string, or 0.
func (g *generation) count(f aiField) int64 {
	n, _ := strconv.ParseInt(g.text(f), 10, 64)
	return n
}

// event returns the name of the event that the span becomes.
func (g *generation) event() string {
	operation := g.text(aiOperation)
	operation = operation[strings.LastIndexByte(operation, '.')+1:] // of ai.generateText.doGenerate
	switch operation {
	case "chat", "text_completion", "completion", "generate_content", "doGenerate", "doStream":
		return eventGeneration
	case "embeddings", "embedding", "doEmbed":
		return eventEmbedding
	}
	if g.span.ParentSpanID().IsEmpty() {
		return eventAITrace
	}
	return eventAISpan
}

// append appends the properties of the call (https://posthog.com/docs/ai-engineering, "Manual
// capture").
func (g *generation) append(dst []byte, props *properties, event string, content Content) []byte {
	span := g.span
	trace, id, parent := span.TraceID(), span.SpanID(), span.ParentSpanID()
	dst = props.hex(dst, "$ai_trace_id", trace[:])
	dst = props.hex(dst, "$ai_span_id", id[:])
	if !parent.IsEmpty() {
		dst = props.hex(dst, "$ai_parent_id", parent[:])
	}
	dst = props.text(dst, "$ai_span_name", span.Name())
	model := g.text(aiModel)
	if model == "" && (event == eventGeneration || event == eventEmbedding) {
		model = "unknown" // PostHog requires one
	}
	dst = props.text(dst, "$ai_model", model)
	dst = props.text(dst, "$ai_provider", g.text(aiProvider))
	dst = g.appendMessages(dst, props, "$ai_input", aiInput, content)
	dst = g.appendMessages(dst, props, "$ai_output_choices", aiOutput, content)
	dst = g.appendMessages(dst, props, "$ai_input_state", aiInputState, content)
	dst = g.appendMessages(dst, props, "$ai_output_state", aiOutputState, content)
	dst = g.appendMessages(dst, props, "$ai_tools", aiTools, content)
	dst = g.appendParameters(dst, props)
	dst = props.text(dst, "$ai_stop_reason", g.text(aiStopReason))
	dst = props.text(dst, "$ai_session_id", g.text(aiSession))
	dst = g.appendTokens(dst, props)
	dst = appendLatency(dst, props, span)
	dst = g.appendFirstChunk(dst, props)
	dst = props.text(dst, "$ai_base_url", g.text(aiBaseURL))
	dst = g.appendCount(dst, props, "$ai_http_status", aiHTTPStatus)
	if span.Status().Code() == ptrace.StatusCodeError {
		dst = props.boolean(dst, "$ai_is_error", true)
		dst = props.text(dst, "$ai_error", errorOf(span))
	}
	return props.text(dst, "$ai_ingestion_source", "otel")
}

// errorOf returns the error of a failed span.
func errorOf(span ptrace.Span) string {
	if message := span.Status().Message(); message != "" {
		return message
	}
	if v, ok := span.Attributes().Get("error.type"); ok {
		return v.AsString()
	}
	return "error"
}

// appendLatency appends the duration of a span in seconds.
func appendLatency(dst []byte, props *properties, span ptrace.Span) []byte {
	if span.StartTimestamp() == 0 || span.EndTimestamp() < span.StartTimestamp() {
		return dst
	}
	dst, ok := props.Name(dst, "$ai_latency")
	if !ok {
		return dst
	}
	return jsonappend.Double(dst, float64(span.EndTimestamp()-span.StartTimestamp())/1e9)
}

// firstChunkMS is the rank of the aiFirstChunk attribute that is in milliseconds.
const firstChunkMS = 2

// appendFirstChunk appends the time to the first part of the model's response, in seconds.
func (g *generation) appendFirstChunk(dst []byte, props *properties) []byte {
	if g.ranks[aiFirstChunk] == 0 {
		return dst
	}
	n, _ := strconv.ParseFloat(g.text(aiFirstChunk), 64)
	if g.ranks[aiFirstChunk] == firstChunkMS {
		n /= 1e3
	}
	dst, ok := props.Name(dst, "$ai_time_to_first_token")
	if !ok {
		return dst
	}
	return jsonappend.Double(dst, n)
}

// appendParameters appends the request parameters of the model.
func (g *generation) appendParameters(dst []byte, props *properties) []byte {
	if !g.parameters {
		return dst
	}
	dst, ok := props.Name(dst, "$ai_model_parameters")
	if !ok {
		return dst
	}
	dst = append(dst, '{')
	members := props.values.Members()
	defer members.End()
	for name, v := range g.span.Attributes().All() {
		if parameter := aiParameters[name]; parameter != "" {
			dst = members.Append(dst, parameter, v)
		}
	}
	return append(dst, '}')
}

// propCacheExclusive tells PostHog whether the input tokens exclude the cached ones.
const propCacheExclusive = "$ai_cache_reporting_exclusive"

// appendTokens appends the token counts. In the semantic conventions the input tokens include the
// cached ones. For Anthropic's models PostHog assumes that they do not, and would bill them twice.
func (g *generation) appendTokens(dst []byte, props *properties) []byte {
	dst = g.appendCount(dst, props, "$ai_input_tokens", aiInputTokens)
	dst = g.appendCount(dst, props, "$ai_output_tokens", aiOutputTokens)
	dst = g.appendCount(dst, props, "$ai_cache_read_input_tokens", aiCacheReadTokens)
	dst = g.appendCount(dst, props, "$ai_cache_creation_input_tokens", aiCacheCreationTokens)
	dst = g.appendCount(dst, props, "$ai_reasoning_tokens", aiReasoningTokens)
	if _, ok := g.span.Attributes().Get(propCacheExclusive); ok || !g.includesCached() {
		return dst
	}
	return props.boolean(dst, propCacheExclusive, false)
}

// includesCached reports whether the input tokens include the cached ones: the attributes are those
// of the conventions, and the numbers allow it. Some instrumentations use these attributes, but
// count as Anthropic does.
func (g *generation) includesCached() bool {
	if created := g.ranks[aiCacheCreationTokens]; g.ranks[aiCacheReadTokens] != 1 && created != 1 && created != 2 {
		return false
	}
	input, read := g.count(aiInputTokens), g.count(aiCacheReadTokens)
	return read <= input && g.count(aiCacheCreationTokens) <= input-read
}

// appendCount appends a number, if the span has it.
func (g *generation) appendCount(dst []byte, props *properties, name string, f aiField) []byte {
	if g.ranks[f] == 0 {
		return dst
	}
	dst, ok := props.Name(dst, name)
	if !ok {
		return dst
	}
	return jsonappend.Int(dst, g.count(f))
}

// appendMessages appends the input or output of a model or a tool. Most SDKs write it as JSON in a
// string.
func (g *generation) appendMessages(dst []byte, props *properties, name string, f aiField, content Content) []byte {
	if g.ranks[f] == 0 || content == ContentNone {
		return dst
	}
	dst, ok := props.Name(dst, name)
	if !ok {
		return dst
	}
	v := g.values[f]
	if content == ContentRedacted {
		return appendRedacted(dst, v)
	}
	if v.Type() != pcommon.ValueTypeStr {
		return props.values.Value(dst, v)
	}
	return appendParsed(dst, v.Str())
}

// appendParsed appends text that is valid JSON unquoted, and other text as a string.
func appendParsed(dst []byte, text string) []byte {
	value := jsontext.Value(text)
	if !value.IsValid() || value.Compact() != nil {
		return jsonappend.String(dst, text)
	}
	return append(dst, value...)
}
