// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"errors"
	"strings"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// Events of language models (https://posthog.com/docs/ai-engineering).
const (
	prefixAI        = "$ai_"
	eventGeneration = "$ai_generation"
	eventEmbedding  = "$ai_embedding"
	eventAISpan     = "$ai_span"
	eventAITrace    = "$ai_trace"
)

// encodeAI writes a span of a language model. e is the view of the span.
func (enc *encoder) encodeAI(w *delivery.Writer, e *appevent.Event, g *generation) error {
	ev := event{source: enc.sourceOf(e.Source)}
	if err := enc.identifyAI(&ev, e, g); err != nil {
		return err
	}
	dst := enc.begin(w, &ev)
	dst = enc.appendAI(dst, &ev, e, g)
	dst = enc.appendContext(dst, &ev, e)
	return enc.close(w, dst, &ev)
}

// identifyAI is the identity phase of a span. The uuid is derived from the IDs of the span, so a
// span that a client sends twice is one event.
func (enc *encoder) identifyAI(ev *event, e *appevent.Event, g *generation) error {
	trace, id := g.span.TraceID(), g.span.SpanID()
	if trace.IsEmpty() || id.IsEmpty() {
		return errors.New("the span has no trace ID or no span ID; OTLP requires both, and the uuid is derived from them")
	}
	ev.id, ev.name, ev.at, ev.title = id.String(), g.span.Name(), e.Time, g.event
	ev.protocol = ProtocolBatch // which PostHog's SDKs use too: capture v1 may not accept all of these
	ev.uuid = derive("span", string(trace[:])+string(id[:]))
	if !enc.findVercel(ev, e) {
		enc.identify(ev, e, noAttributes, e.TraceID)
	}
	return ev.check()
}

// findVercel looks for the distinct ID in the attribute of Vercel's AI SDK.
func (enc *encoder) findVercel(ev *event, e *appevent.Event) bool {
	v, ok := e.Attribute(attrVercelDistinctID)
	if !ok {
		return false
	}
	id := appevent.IDText(v)
	if !enc.checkID(id) {
		return false
	}
	ev.who.id = id
	return true
}

// appendAI is the properties phase of a span: the properties of the call, then the rest of the
// span.
func (enc *encoder) appendAI(dst []byte, ev *event, e *appevent.Event, g *generation) []byte {
	dst = g.append(dst, &ev.props, enc.cfg.AI.Content)
	dst = ev.props.text(dst, "$ai_lib", ev.source.sdkName)
	dst = ev.props.text(dst, "$ai_lib_version", ev.source.sdkVersion)
	for name, v := range e.Properties() {
		if !g.uses(name) {
			dst = enc.appendAttribute(dst, ev, name, v)
		}
	}
	dst = enc.appendFields(dst, ev, e)
	return appendExceptionText(dst, ev, e)
}

// Prefixes that identify spans of language models (rust/capture/src/otel/providers.rs in
// PostHog/posthog). OpenInference's spans of tools and agents have no other than its own.
const (
	prefixGenAI         = "gen_ai."
	prefixLLM           = "llm."
	prefixVercel        = "ai."
	prefixTraceloop     = "traceloop."
	prefixOpenInference = "openinference."
)

// isAI reports whether the name or an attribute of a span identifies a language model.
func isAI(span ptrace.Span) bool {
	if isAIName(span.Name()) {
		return true
	}
	for name := range span.Attributes().All() {
		if isAIName(name) {
			return true
		}
	}
	return false
}

func isAIName(name string) bool {
	for _, prefix := range [...]string{prefixGenAI, prefixLLM, prefixVercel, prefixTraceloop, prefixOpenInference} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}
