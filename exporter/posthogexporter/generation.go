// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"math"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// generation is a call of a language model, or a step around such calls, as a span describes it.
type generation struct {
	span  ptrace.Span
	event string // the name of the event that the span becomes
	// operation is the attribute that decided this. It is empty if the attribute stays a property.
	operation string
	found     [numAIFields]found
	// parameters is set if the span has one of aiParameters. parameterMap is the value of one of
	// aiParameterMaps, if the span has it.
	parameters   bool
	parameterMap pcommon.Value
	// hasAISession is set if session.id is a conversation with the model, as in OpenInference.
	hasAISession bool
	// hasSystem is set once the system instructions are the first message of the input.
	hasSystem bool
	// countsCached is set if the instrumentation counts cached tokens as input tokens, whatever its
	// attributes are called.
	countsCached bool
}

// found is the value of a field in a span.
type found struct {
	rank  int // of the source; 0 if the span does not have the field
	value pcommon.Value
	// parts are the values of a source with several attributes.
	parts []part
	// inEvents is set if the values are those of a span event.
	inEvents bool
}

// part is one of several attributes that make up a value.
type part struct {
	path  string // the rest of a prefix, or the name of the attribute
	value pcommon.Value
}

// readGeneration reads a span according to aiTargets. Attributes are read first, because span events
// repeat what newer conventions have in attributes.
func readGeneration(span ptrace.Span) *generation {
	g := &generation{span: span}
	g.readOperation()
	_, g.hasAISession = span.Attributes().Get(attrOpenInferenceKind)
	g.readAttributes(span.Attributes(), false)
	for _, event := range span.Events().All() {
		if isDetails(event.Name()) {
			g.readAttributes(event.Attributes(), true)
		}
	}
	for _, event := range span.Events().All() {
		g.readMessageEvent(event)
	}
	return g
}

// readOperation decides which event the span becomes.
func (g *generation) readOperation() {
	g.event = eventAISpan
	if g.span.ParentSpanID().IsEmpty() {
		g.event = eventAITrace
	}
	for i := range aiOperations {
		operation := strings.ToLower(textAt(g.span.Attributes(), aiOperations[i].name))
		if operation == "" {
			continue
		}
		if !strings.HasSuffix(aiOperations[i].name, ".kind") {
			g.operation = aiOperations[i].name
		}
		operation = operation[strings.LastIndexByte(operation, '.')+1:] // of ai.generateText.doGenerate
		if event, ok := aiOperationEvents[operation]; ok {
			g.event = event
		}
		return
	}
	if request := textAt(g.span.Attributes(), attrADKRequest); request != "" && request != "{}" {
		g.event = eventGeneration
	}
}

// eventDetails is an event with all attributes of a call (semantic conventions v1.37 and later).
const eventDetails = "gen_ai.client.inference.operation.details"

// isDetails reports whether a span event has attributes of its span (semantic conventions v1.26 to
// v1.40, events of generative AI).
func isDetails(event string) bool {
	switch event {
	case eventDetails, "gen_ai.content.prompt", "gen_ai.content.completion":
		return true
	}
	return false
}

func (g *generation) readAttributes(attributes pcommon.Map, inEvents bool) {
	for name, v := range attributes.All() {
		for _, ref := range aiSources[name] {
			g.offer(ref, part{name, v}, inEvents)
		}
		if prefix, rest := prefixOf(name); prefix != "" {
			for _, ref := range aiPrefixes[prefix] {
				g.offer(ref, part{rest, v}, inEvents)
			}
		}
		g.parameters = g.parameters || aiParameters[name] != ""
		for _, parameters := range aiParameterMaps {
			if name == parameters && isObject(v) {
				g.parameterMap = v
			}
		}
	}
}

// offer keeps a value unless a preferred source has one. The span's attributes take precedence over
// those of its events.
func (g *generation) offer(ref aiRef, p part, inEvents bool) {
	source, f := ref.source(), &g.found[ref.field]
	switch {
	case !source.only.has(g.event), !source.read.accepts(p.value):
	case f.rank == 0, ref.rank < f.rank && inEvents == f.inEvents:
		*f = found{rank: ref.rank, value: p.value, parts: []part{p}, inEvents: inEvents}
	case ref.rank == f.rank && inEvents == f.inEvents:
		f.parts = append(f.parts, p)
	}
}

// readMessageEvent keeps the message of a span event, as older conventions record it.
func (g *generation) readMessageEvent(event ptrace.SpanEvent) {
	for _, ref := range aiEventSources[event.Name()] {
		f := &g.found[ref.field]
		if f.rank != 0 && f.rank != ref.rank {
			continue
		}
		message := pcommon.NewValueMap()
		event.Attributes().CopyTo(message.Map())
		f.rank, f.inEvents = ref.rank, true
		f.parts = append(f.parts, part{event.Name(), message})
	}
}

// usesEvent reports whether the generation was read from span events of this name.
func (g *generation) usesEvent(name string) bool {
	for _, ref := range aiEventSources[name] {
		return g.found[ref.field].rank == ref.rank
	}
	if isDetails(name) {
		for f := range g.found {
			if g.found[f].inEvents {
				return true
			}
		}
	}
	return false
}

func (s scope) has(event string) bool {
	isCall := event == eventGeneration || event == eventEmbedding
	return s == anySpan || s == modelCall && isCall || s == otherSpan && !isCall
}

// accepts reports whether the value can be read in this way. If not, the attribute stays a property.
func (r reading) accepts(v pcommon.Value) bool {
	switch r {
	case readInteger:
		n, err := strconv.ParseInt(textOf(v), 10, 64)
		return err == nil && n >= 0
	case readNumber, readSeconds, readMilliseconds:
		n, err := strconv.ParseFloat(textOf(v), 64)
		return err == nil && n >= 0 && n <= math.MaxFloat64
	case readBoolean:
		_, ok := booleanOf(v)
		return ok
	case readText, readFirst:
		return textOf(v) != ""
	case readEventList:
		return len(listedEvents(v)) > 0
	case readRequest, readResponse:
		return textOf(v) != "{}" // of ADK without content
	}
	return true
}

// uses reports whether the generation was read from the attribute of the span.
func (g *generation) uses(name string) bool {
	if aiParameters[name] != "" || name == g.operation {
		return true
	}
	for _, parameters := range aiParameterMaps {
		if name == parameters {
			return g.parameterMap != (pcommon.Value{})
		}
	}
	prefix, _ := prefixOf(name)
	for _, refs := range [...][]aiRef{aiSources[name], aiPrefixes[prefix]} {
		for _, ref := range refs {
			f := &g.found[ref.field]
			if f.rank == ref.rank && !f.inEvents && ref.source().only.has(g.event) && (ref.field != aiSystem || g.hasSystem) {
				return true
			}
		}
	}
	return false
}

func (g *generation) text(f aiField) string {
	if g.found[f].rank == 0 {
		return ""
	}
	return textOf(g.found[f].value)
}

// count returns a number, which some SDKs write as a string, or 0 if the span does not have it.
func (g *generation) count(f aiField) int64 {
	n, _ := strconv.ParseInt(g.text(f), 10, 64)
	return n
}

// append appends the properties of the call (https://posthog.com/docs/ai-engineering, "Manual
// capture").
func (g *generation) append(dst []byte, props *properties, content Content) []byte {
	dst = g.appendIDs(dst, props)
	for f := range numAIFields {
		dst = g.appendField(dst, props, f, content)
	}
	dst = g.appendParameters(dst, props, content)
	dst = g.appendCacheReporting(dst, props)
	dst = appendLatency(dst, props, g.span)
	if g.span.Status().Code() == ptrace.StatusCodeError {
		dst = props.boolean(dst, "$ai_is_error", true)
		dst = props.text(dst, "$ai_error", errorOf(g.span))
	}
	return props.text(dst, "$ai_ingestion_source", "otel")
}

func (g *generation) appendIDs(dst []byte, props *properties) []byte {
	trace, id, parent := g.span.TraceID(), g.span.SpanID(), g.span.ParentSpanID()
	dst = props.hex(dst, "$ai_trace_id", trace[:])
	dst = props.hex(dst, "$ai_span_id", id[:])
	if !parent.IsEmpty() {
		dst = props.hex(dst, "$ai_parent_id", parent[:])
	}
	return dst
}

// appendField appends the property of a field.
func (g *generation) appendField(dst []byte, props *properties, f aiField, content Content) []byte {
	target, rank := &aiTargets[f], g.found[f].rank
	switch {
	case f == aiSystem: // part of the input
		return dst
	case target.content:
		return g.appendContent(dst, props, f, content)
	case rank == 0:
		return props.text(dst, target.property, g.defaultOf(f))
	}
	read := target.sources[rank-1].read
	switch read {
	case readText:
		return props.text(dst, target.property, g.text(f))
	case readFirst:
		return props.text(dst, target.property, firstOf(g.text(f)))
	}
	dst, ok := props.Name(dst, target.property)
	if !ok {
		return dst
	}
	if read == readAny {
		return props.values.Value(dst, g.found[f].value)
	}
	return g.appendNumber(dst, f, read)
}

// appendNumber appends a number or a boolean.
func (g *generation) appendNumber(dst []byte, f aiField, read reading) []byte {
	switch read {
	case readInteger:
		return jsonappend.Int(dst, g.count(f))
	case readBoolean:
		value, _ := booleanOf(g.found[f].value)
		return jsonappend.Bool(dst, value)
	}
	n, _ := strconv.ParseFloat(g.text(f), 64)
	if read == readMilliseconds {
		n /= 1e3
	}
	return jsonappend.Double(dst, n)
}

// firstOf returns the first item of a JSON list of strings, or text that is not such a list.
func firstOf(text string) string {
	var list []string
	if json.Unmarshal([]byte(text), &list) != nil || len(list) == 0 {
		return text
	}
	return list[0]
}

// defaultOf returns the value of a field that no source has.
func (g *generation) defaultOf(f aiField) string {
	switch {
	case f == aiSpanName:
		return g.span.Name()
	case f == aiModel && modelCall.has(g.event):
		return "unknown" // PostHog requires one
	case f == aiSession && g.hasAISession:
		return textAt(g.span.Attributes(), appevent.AttrSessionID)
	}
	return ""
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

// appendParameters appends the request parameters of the model. Parameters with text, such as tools,
// are content.
func (g *generation) appendParameters(dst []byte, props *properties, content Content) []byte {
	hasMap := g.parameterMap != (pcommon.Value{})
	if !g.parameters && !hasMap {
		return dst
	}
	before := dst
	dst, ok := props.Name(dst, "$ai_model_parameters")
	if !ok {
		return dst
	}
	dst = append(dst, '{')
	members := props.values.Members()
	defer members.End()
	for name, v := range g.span.Attributes().All() {
		switch parameter := aiParameters[name]; {
		case parameter == "":
		case content == ContentFull:
			dst = members.Append(dst, parameter, v)
		default:
			dst = appendParameter(dst, &members, parameter, props.values.Value(nil, v), content)
		}
	}
	if hasMap {
		for name, value := range membersOf(g.parameterMap, props.values) {
			dst = appendParameter(dst, &members, name, value, content)
		}
	}
	if members.Len() == 0 {
		return before
	}
	return append(dst, '}')
}

func appendParameter(dst []byte, members *jsonappend.Members, name string, value jsontext.Value, content Content) []byte {
	isHidden := content != ContentFull && !isSetting(name, value)
	if isHidden && content == ContentNone {
		return dst
	}
	dst, ok := members.Name(dst, name)
	switch {
	case !ok:
		return dst
	case isHidden:
		return appendRedactedJSON(dst, value)
	}
	return append(dst, value...)
}

// propCacheExclusive tells PostHog whether the input tokens exclude the cached ones.
const propCacheExclusive = "$ai_cache_reporting_exclusive"

// appendCacheReporting tells PostHog if the input tokens include the cached ones. For Anthropic's
// models, PostHog assumes that they do not and would count the cached tokens twice.
func (g *generation) appendCacheReporting(dst []byte, props *properties) []byte {
	if _, ok := g.span.Attributes().Get(propCacheExclusive); ok || !g.includesCached() {
		return dst
	}
	return props.boolean(dst, propCacheExclusive, false)
}

// includesCached reports whether the input tokens include the cached ones: the convention says so, and
// the numbers are consistent. Some instrumentations use the same attributes but count like Anthropic.
func (g *generation) includesCached() bool {
	inclusive := g.countsCached
	for _, f := range [...]aiField{aiCacheReadTokens, aiCacheCreationTokens} {
		if rank := g.found[f].rank; rank > 0 {
			inclusive = inclusive || aiTargets[f].sources[rank-1].inclusive
		}
	}
	input, read := g.count(aiInputTokens), g.count(aiCacheReadTokens)
	return inclusive && read <= input && g.count(aiCacheCreationTokens) <= input-read
}
