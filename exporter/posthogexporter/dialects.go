// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import "strings"

// dialect is a set of conventions for the spans of language models.
type dialect string

// The dialects.
const (
	// dialectOTel is OpenTelemetry's, present and past (model/gen-ai in
	// open-telemetry/semantic-conventions-genai).
	dialectOTel dialect = "OpenTelemetry"
	// dialectOpenInference is that of Arize (spec/semantic_conventions.md in Arize-ai/openinference).
	dialectOpenInference dialect = "OpenInference"
	// dialectOpenLLMetry is that of Traceloop (traceloop/openllmetry).
	dialectOpenLLMetry dialect = "OpenLLMetry"
	// dialectVercel is that of the AI SDK (https://ai-sdk.dev/docs/ai-sdk-core/telemetry).
	dialectVercel dialect = "Vercel AI SDK"
	// dialectPydantic is that of Pydantic AI and Logfire, beside OpenTelemetry's (pydantic_ai/models/instrumented.py
	// in pydantic/pydantic-ai).
	dialectPydantic dialect = "Pydantic AI"
	// dialectADK is that of Google's Agent Development Kit, beside OpenTelemetry's (telemetry/tracing.py
	// in google/adk-python).
	dialectADK dialect = "Google ADK"
)

// reading says how to read the value of an attribute. If the value cannot be read that way, the
// attribute stays a property. The table in language-models.md shows these texts.
type reading string

// The readings of single values.
const (
	readText         reading = "text"
	readFirst        reading = "text, or the first of a list"
	readInteger      reading = "integer" // not negative; may be text
	readNumber       reading = "number"  // not negative; may be text
	readSeconds      reading = "number of seconds"
	readMilliseconds reading = "number of milliseconds"
	readBoolean      reading = "boolean"
)

// The readings of prompts and outputs. In all of them, JSON in a string becomes JSON, and text that
// is not valid JSON stays a string.
const (
	readJSON     reading = "JSON"
	readMessages reading = "JSON, a list of messages"
	// readRequest and readResponse are a whole request or response, or plain text, which becomes a
	// message of the user or the assistant.
	readRequest  reading = "messages in JSON, else the text of a message"
	readResponse reading = "choices in JSON, else the text of a message"
	readPrompt   reading = "system, prompt and messages in JSON, else the text of a message"
	readAnswer   reading = "parts of one message"
	readEach     reading = "JSON, or a list of JSON strings"
	// The next five have one attribute for each member of each message or item, with indexes.
	readInput  reading = "members of messages"
	readOutput reading = "members of the assistant's messages"
	readTexts  reading = "members of items; their text is used"
	readItems  reading = "members of items"
	readTools  reading = "members of items; their JSON schema is used"
	readEvents reading = "span events"
	// readEventList is the same, as a list in JSON.
	readEventList reading = "span events in JSON"
	readSystem    reading = "text, or parts in JSON"
	readAny       reading = "any value"
)

// scope restricts a source to some spans.
type scope int

const (
	anySpan   scope = iota
	modelCall       // generations and embeddings
	otherSpan       // traces and other spans
)

// aiSource is where a dialect holds the value of a property.
type aiSource struct {
	dialect dialect
	// names are attributes, or prefixes that end with an asterisk, which stands for an index and the
	// name of a member, as in gen_ai.prompt.0.role. Only readEvents and readAnswer have several names.
	names []string
	read  reading
	only  scope
	// inclusive is set for cached tokens that are included in the number of input tokens.
	inclusive bool
}

// aiTarget is a property of a language model event and its sources, the preferred one first.
type aiTarget struct {
	property string
	// content is set for prompts and outputs, which ai::content may hide.
	content bool
	sources []aiSource
}

// aiField is the index of a property in aiTargets.
type aiField int

const (
	aiSpanName aiField = iota
	aiModel
	aiProvider
	aiInput
	aiSystem
	aiOutput
	aiInputState
	aiOutputState
	aiTools
	aiStopReason
	aiSession
	aiPromptName
	aiPromptVersion
	aiInputTokens
	aiOutputTokens
	aiCacheReadTokens
	aiCacheCreationTokens
	aiReasoningTokens
	aiFirstToken
	aiInputCost
	aiOutputCost
	aiTotalCost
	aiStream
	aiBaseURL
	aiHTTPStatus
	numAIFields
)

// from returns a source of one attribute or prefix.
func from(d dialect, name string, read reading) aiSource {
	return aiSource{dialect: d, names: []string{name}, read: read}
}

// of restricts the source to some spans.
func (s aiSource) of(only scope) aiSource {
	s.only = only
	return s
}

// inInput marks cached tokens that are included in the number of input tokens.
func (s aiSource) inInput() aiSource {
	s.inclusive = true
	return s
}

// aiTargets maps the spans of language models. A test compares the table in language-models.md with it.
var aiTargets = [numAIFields]aiTarget{
	aiSpanName: {property: "$ai_span_name", sources: []aiSource{
		from(dialectOpenLLMetry, "traceloop.entity.name", readText),
		from(dialectVercel, "ai.toolCall.name", readText),
		from(dialectVercel, "ai.telemetry.functionId", readText).of(otherSpan),
	}},
	aiModel: {property: "$ai_model", sources: []aiSource{
		from(dialectOTel, "gen_ai.response.model", readText),
		from(dialectOTel, "gen_ai.request.model", readText),
		from(dialectOpenInference, "llm.response.model_name", readText),
		from(dialectOpenInference, "llm.model_name", readText),
		from(dialectOpenInference, "llm.request.model_name", readText),
		from(dialectOpenInference, "embedding.model_name", readText),
		from(dialectOpenInference, "reranker.model_name", readText),
		from(dialectOpenLLMetry, "llm.response.model", readText),
		from(dialectOpenLLMetry, "llm.request.model", readText),
		from(dialectVercel, "ai.response.model", readText),
		from(dialectVercel, "ai.model.id", readText),
		from(dialectPydantic, "model_name", readText),
	}},
	aiProvider: {property: "$ai_provider", sources: []aiSource{
		from(dialectOTel, "gen_ai.provider.name", readText),
		from(dialectOTel, "gen_ai.system", readText),
		from(dialectOpenInference, "llm.provider", readText),
		from(dialectOpenInference, "llm.system", readText),
		from(dialectOpenLLMetry, "llm.vendor", readText),
		from(dialectVercel, "ai.model.provider", readText),
	}},
	aiInput: {property: "$ai_input", content: true, sources: []aiSource{
		from(dialectOTel, "gen_ai.input.messages", readMessages),
		from(dialectOpenInference, "llm.input_messages.*", readInput),
		from(dialectOpenInference, "llm.input_messages", readInput),
		from(dialectOpenLLMetry, "gen_ai.prompt.*", readInput),
		from(dialectOTel, "gen_ai.prompt", readMessages),
		from(dialectVercel, "ai.prompt.messages", readMessages),
		from(dialectVercel, "ai.prompt", readPrompt),
		from(dialectOpenInference, "llm.prompts.*", readInput),
		from(dialectOpenLLMetry, "llm.prompts", readRequest),
		from(dialectOpenInference, "embedding.embeddings.*", readTexts),
		from(dialectOpenInference, "embedding.text", readText),
		from(dialectVercel, "ai.values", readEach),
		from(dialectVercel, "ai.value", readEach),
		from(dialectOpenInference, "input.value", readRequest).of(modelCall),
		from(dialectOpenLLMetry, "traceloop.entity.input", readRequest).of(modelCall),
		from(dialectADK, attrADKRequest, readRequest).of(modelCall),
		from(dialectPydantic, "events", readEventList),
		from(dialectPydantic, "request_data", readRequest).of(modelCall),
		{dialect: dialectOTel, read: readEvents, names: []string{
			"gen_ai.system.message", "gen_ai.user.message", "gen_ai.assistant.message", "gen_ai.tool.message",
		}},
	}},
	aiSystem: {property: "$ai_input, the first message", content: true, sources: []aiSource{
		from(dialectOTel, "gen_ai.system_instructions", readSystem),
	}},
	aiOutput: {property: "$ai_output_choices", content: true, sources: []aiSource{
		from(dialectOTel, "gen_ai.output.messages", readMessages),
		from(dialectOpenInference, "llm.output_messages.*", readOutput),
		from(dialectOpenInference, "llm.output_messages", readOutput),
		from(dialectOpenLLMetry, "gen_ai.completion.*", readOutput),
		from(dialectOTel, "gen_ai.completion", readMessages),
		{dialect: dialectVercel, read: readAnswer, names: []string{"ai.response.text", "ai.response.toolCalls", "ai.response.object", "ai.response.reasoning"}},
		{dialect: dialectVercel, read: readAnswer, names: []string{"ai.result.text", "ai.result.toolCalls", "ai.result.object"}},
		from(dialectOpenInference, "llm.choices.*", readOutput),
		from(dialectOpenLLMetry, "llm.completions.*", readOutput),
		from(dialectOpenInference, "output.value", readResponse).of(modelCall),
		from(dialectOpenLLMetry, "traceloop.entity.output", readResponse).of(modelCall),
		from(dialectADK, "gcp.vertex.agent.llm_response", readResponse).of(modelCall),
		from(dialectPydantic, "events", readEventList),
		from(dialectPydantic, "response_data", readResponse).of(modelCall),
		{dialect: dialectOTel, read: readEvents, names: []string{"gen_ai.choice"}},
	}},
	aiInputState: {property: "$ai_input_state", content: true, sources: []aiSource{
		from(dialectOTel, "gen_ai.tool.call.arguments", readJSON),
		from(dialectOTel, "gen_ai.retrieval.query.text", readText),
		from(dialectVercel, "ai.toolCall.args", readJSON),
		from(dialectVercel, "ai.toolCall.input", readJSON),
		from(dialectOpenInference, "input.value", readJSON).of(otherSpan),
		from(dialectOpenInference, "reranker.query", readText),
		from(dialectOpenInference, "tool.parameters", readJSON),
		from(dialectOpenLLMetry, "traceloop.entity.input", readJSON).of(otherSpan),
		from(dialectADK, "gcp.vertex.agent.tool_call_args", readJSON),
		from(dialectPydantic, "tool_arguments", readJSON),
		from(dialectPydantic, "pydantic_ai.all_messages", readJSON).of(otherSpan),
	}},
	aiOutputState: {property: "$ai_output_state", content: true, sources: []aiSource{
		from(dialectOTel, "gen_ai.tool.call.result", readJSON),
		from(dialectOTel, "gen_ai.retrieval.documents", readJSON),
		from(dialectVercel, "ai.toolCall.result", readJSON),
		from(dialectVercel, "ai.toolCall.output", readJSON),
		from(dialectOpenInference, "retrieval.documents.*", readItems),
		from(dialectOpenInference, "retrieval.documents", readItems),
		from(dialectOpenInference, "reranker.output_documents.*", readItems),
		from(dialectOpenInference, "output.value", readJSON).of(otherSpan),
		from(dialectOpenLLMetry, "traceloop.entity.output", readJSON).of(otherSpan),
		from(dialectADK, "gcp.vertex.agent.tool_response", readJSON),
		from(dialectPydantic, "tool_response", readJSON),
		from(dialectPydantic, "final_result", readJSON).of(otherSpan),
	}},
	aiTools: {property: "$ai_tools", content: true, sources: []aiSource{
		from(dialectOTel, "gen_ai.tool.definitions", readJSON),
		from(dialectOpenInference, "llm.tools.*", readTools),
		from(dialectOpenInference, "llm.tools", readTools),
		from(dialectOpenLLMetry, "llm.request.functions.*", readItems),
		from(dialectVercel, "ai.prompt.tools", readEach),
	}},
	aiStopReason: {property: "$ai_stop_reason", sources: []aiSource{
		from(dialectOTel, "gen_ai.response.finish_reasons", readFirst),
		from(dialectOpenInference, "llm.finish_reason", readText),
		from(dialectOpenLLMetry, "gen_ai.completion.0.finish_reason", readText),
		from(dialectOpenLLMetry, "llm.response.finish_reason", readText),
		from(dialectOpenLLMetry, "llm.response.stop_reason", readText),
		from(dialectVercel, "ai.response.finishReason", readText),
		from(dialectVercel, "ai.finishReason", readText),
	}},
	aiSession: {property: "$ai_session_id", sources: []aiSource{
		from(dialectOTel, "gen_ai.conversation.id", readText),
		from(dialectOpenLLMetry, "traceloop.association.properties.session_id", readText),
		from(dialectVercel, "ai.telemetry.metadata.$ai_session_id", readText),
	}},
	aiPromptName: {property: "$ai_prompt_name", sources: []aiSource{
		from(dialectVercel, "ai.telemetry.metadata.$ai_prompt_name", readText),
	}},
	aiPromptVersion: {property: "$ai_prompt_version", sources: []aiSource{
		from(dialectVercel, "ai.telemetry.metadata.$ai_prompt_version", readAny),
	}},
	aiInputTokens: {property: "$ai_input_tokens", sources: []aiSource{
		from(dialectOTel, "gen_ai.usage.input_tokens", readInteger),
		from(dialectOTel, "gen_ai.usage.prompt_tokens", readInteger),
		from(dialectOTel, "gen_ai.response.prompt_tokens", readInteger), // of Semantic Kernel
		from(dialectOpenInference, "llm.token_count.prompt", readInteger),
		from(dialectOpenLLMetry, "llm.usage.prompt_tokens", readInteger),
		from(dialectVercel, "ai.usage.inputTokens", readInteger),
		from(dialectVercel, "ai.usage.promptTokens", readInteger),
		from(dialectVercel, "ai.usage.tokens", readInteger),
	}},
	aiOutputTokens: {property: "$ai_output_tokens", sources: []aiSource{
		from(dialectOTel, "gen_ai.usage.output_tokens", readInteger),
		from(dialectOTel, "gen_ai.usage.completion_tokens", readInteger),
		from(dialectOTel, "gen_ai.response.completion_tokens", readInteger),
		from(dialectOpenInference, "llm.token_count.completion", readInteger),
		from(dialectOpenLLMetry, "llm.usage.completion_tokens", readInteger),
		from(dialectVercel, "ai.usage.outputTokens", readInteger),
		from(dialectVercel, "ai.usage.completionTokens", readInteger),
	}},
	aiCacheReadTokens: {property: "$ai_cache_read_input_tokens", sources: []aiSource{
		from(dialectOTel, "gen_ai.usage.cache_read.input_tokens", readInteger).inInput(),
		from(dialectOTel, "gen_ai.usage.cache_read_input_tokens", readInteger),
		from(dialectOpenInference, "llm.token_count.prompt_details.cache_read", readInteger).inInput(),
		from(dialectVercel, "ai.usage.inputTokenDetails.cacheReadTokens", readInteger).inInput(),
		from(dialectVercel, "ai.usage.cachedInputTokens", readInteger),
		from(dialectPydantic, "gen_ai.usage.details.cache_read_tokens", readInteger).inInput(),
	}},
	aiCacheCreationTokens: {property: "$ai_cache_creation_input_tokens", sources: []aiSource{
		from(dialectOTel, "gen_ai.usage.cache_write.input_tokens", readInteger).inInput(),
		from(dialectOTel, "gen_ai.usage.cache_creation.input_tokens", readInteger).inInput(),
		from(dialectOTel, "gen_ai.usage.cache_creation_input_tokens", readInteger),
		from(dialectOpenInference, "llm.token_count.prompt_details.cache_write", readInteger).inInput(),
		from(dialectVercel, "ai.usage.inputTokenDetails.cacheWriteTokens", readInteger).inInput(),
		from(dialectPydantic, "gen_ai.usage.details.cache_write_tokens", readInteger).inInput(),
	}},
	aiReasoningTokens: {property: "$ai_reasoning_tokens", sources: []aiSource{
		from(dialectOTel, "gen_ai.usage.reasoning.output_tokens", readInteger),
		from(dialectOTel, "gen_ai.usage.reasoning_tokens", readInteger),
		from(dialectOpenInference, "llm.token_count.completion_details.reasoning", readInteger),
		from(dialectOpenLLMetry, "llm.usage.reasoning_tokens", readInteger),
		from(dialectVercel, "ai.usage.outputTokenDetails.reasoningTokens", readInteger),
		from(dialectVercel, "ai.usage.reasoningTokens", readInteger),
		from(dialectPydantic, "gen_ai.usage.details.reasoning_tokens", readInteger),
		from(dialectADK, "gen_ai.usage.experimental.reasoning_tokens", readInteger),
	}},
	aiFirstToken: {property: "$ai_time_to_first_token", sources: []aiSource{
		from(dialectOTel, "gen_ai.response.time_to_first_chunk", readSeconds),
		from(dialectOTel, "gen_ai.server.time_to_first_token", readSeconds),
		from(dialectVercel, "ai.response.msToFirstChunk", readMilliseconds),
		from(dialectVercel, "ai.stream.msToFirstChunk", readMilliseconds),
	}},
	aiInputCost: {property: "$ai_input_cost_usd", sources: []aiSource{
		from(dialectOTel, "gen_ai.cost.input_cost", readNumber),
		from(dialectOpenInference, "llm.cost.prompt", readNumber),
	}},
	aiOutputCost: {property: "$ai_output_cost_usd", sources: []aiSource{
		from(dialectOTel, "gen_ai.cost.output_cost", readNumber),
		from(dialectOpenInference, "llm.cost.completion", readNumber),
	}},
	aiTotalCost: {property: "$ai_total_cost_usd", sources: []aiSource{
		from(dialectOTel, "gen_ai.usage.cost", readNumber),
		from(dialectOTel, "gen_ai.cost.total_cost", readNumber),
		from(dialectOpenInference, "llm.cost.total", readNumber),
		from(dialectPydantic, "operation.cost", readNumber),
	}},
	aiStream: {property: "$ai_stream", sources: []aiSource{
		from(dialectOpenLLMetry, "llm.is_streaming", readBoolean),
		from(dialectOpenLLMetry, "gen_ai.is_streaming", readBoolean),
	}},
	aiBaseURL: {property: "$ai_base_url", sources: []aiSource{
		from(dialectOTel, "server.address", readText),
		from(dialectOpenLLMetry, "gen_ai.openai.api_base", readText),
	}},
	aiHTTPStatus: {property: "$ai_http_status", sources: []aiSource{
		from(dialectOTel, "http.response.status_code", readInteger),
		from(dialectOTel, "http.status_code", readInteger),
	}},
}

// aiOperations are the attributes with the operation of a span, the preferred one first. Vercel's
// comes first, because its spans may have OpenTelemetry's attribute too.
var aiOperations = [...]struct {
	dialect dialect
	name    string
}{
	{dialectVercel, "ai.operationId"},
	{dialectOTel, attrOperation},
	{dialectOpenInference, attrOpenInferenceKind},
	{dialectOpenLLMetry, "llm.request.type"},
	{dialectOpenLLMetry, "traceloop.span.kind"},
}

// attrOperation is OpenTelemetry's attribute, and operationChat its most common value.
const (
	attrOperation = "gen_ai.operation.name"
	operationChat = "chat"
)

// attrOpenInferenceKind is an attribute that every span of OpenInference has.
const attrOpenInferenceKind = "openinference.span.kind"

// attrADKRequest is an attribute of ADK's model calls. Older versions of ADK name no operation for them.
const attrADKRequest = "gcp.vertex.agent.llm_request"

// aiOperationEvents maps operations that call a model, in lower case, to the events that they become.
// All other operations become $ai_trace or $ai_span.
var aiOperationEvents = map[string]string{
	operationChat: eventGeneration, "text_completion": eventGeneration, "completion": eventGeneration, "generate_content": eventGeneration,
	"llm": eventGeneration, "dogenerate": eventGeneration, "dostream": eventGeneration,
	"embeddings": eventEmbedding, "embedding": eventEmbedding, "doembed": eventEmbedding,
	// Of LiteLLM and Semantic Kernel.
	"acompletion": eventGeneration, "atext_completion": eventGeneration, "responses": eventGeneration, "aresponses": eventGeneration,
	"aembedding": eventEmbedding, "completions": eventGeneration,
}

// aiParameters maps attributes with a request parameter of a model to the parameter's name in
// PostHog's SDKs.
var aiParameters = map[string]string{
	"gen_ai.request.max_tokens": "max_tokens", "gen_ai.request.choice.count": "n", "gen_ai.request.temperature": "temperature",
	"gen_ai.request.top_p": "top_p", "gen_ai.request.top_k": "top_k", "gen_ai.request.stop_sequences": "stop",
	"gen_ai.request.frequency_penalty": "frequency_penalty", "gen_ai.request.presence_penalty": "presence_penalty",
	"gen_ai.request.encoding_formats": "encoding_formats", "gen_ai.request.seed": "seed", "gen_ai.request.stream": "stream",
	"llm.temperature": "temperature", "llm.top_p": "top_p", "llm.top_k": "top_k", "llm.frequency_penalty": "frequency_penalty",
	"llm.presence_penalty": "presence_penalty", "llm.chat.stop_sequences": "stop", "llm.request.max_tokens": "max_tokens",
	"ai.settings.maxTokens": "max_tokens", "ai.settings.maxOutputTokens": "max_tokens", "ai.settings.temperature": "temperature",
	"ai.settings.topP": "top_p", "ai.settings.topK": "top_k", "ai.settings.frequencyPenalty": "frequency_penalty",
	"ai.settings.presencePenalty": "presence_penalty", "ai.settings.seed": "seed", "ai.settings.stopSequences": "stop",
}

// aiParameterMaps are attributes that hold all request parameters, as a JSON object.
var aiParameterMaps = [...]string{"llm.invocation_parameters", "embedding.invocation_parameters"}

// aiRef refers to a source by its field and its rank, which is 1 for the preferred source.
type aiRef struct {
	field aiField
	rank  int
}

// source returns the source that the reference is for.
func (r aiRef) source() *aiSource { return &aiTargets[r.field].sources[r.rank-1] }

// aiSources holds the sources by attribute, aiPrefixes by prefix, and aiEventSources by span event.
//
//nolint:gochecknoglobals // constants
var aiSources, aiPrefixes, aiEventSources = indexTargets()

func indexTargets() (attributes, prefixes, events map[string][]aiRef) {
	attributes, prefixes, events = map[string][]aiRef{}, map[string][]aiRef{}, map[string][]aiRef{}
	for f := range aiTargets {
		for i := range aiTargets[f].sources {
			for _, name := range aiTargets[f].sources[i].names {
				index := attributes
				if aiTargets[f].sources[i].read == readEvents {
					index = events
				}
				if prefix, ok := strings.CutSuffix(name, "*"); ok {
					name, index = prefix, prefixes
				}
				index[name] = append(index[name], aiRef{aiField(f), i + 1})
			}
		}
	}
	return attributes, prefixes, events
}

// prefixOf splits the name of an attribute before the first index: gen_ai.prompt.0.role is the prefix
// "gen_ai.prompt." and the rest "0.role". Both are empty if the name has no index.
func prefixOf(name string) (prefix, rest string) {
	for i := 0; ; {
		dot := strings.IndexByte(name[i:], '.')
		if dot < 0 || i+dot+1 >= len(name) {
			return "", ""
		}
		i += dot + 1
		if name[i] >= '0' && name[i] <= '9' {
			return name[:i], name[i:]
		}
	}
}
