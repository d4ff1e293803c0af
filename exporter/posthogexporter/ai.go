// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"cmp"
	"errors"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
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
	g.countsCached = e.Source.Scope.Name() == scopeAnthropic
	dst := enc.begin(w, &ev)
	dst = enc.appendAI(dst, &ev, e, g)
	dst = enc.appendContext(dst, &ev, e)
	return enc.close(w, dst, &ev)
}

// scopeAnthropic is the scope of the instrumentations of Anthropic's client by OpenTelemetry and by
// OpenLLMetry. Both add cached tokens to the input tokens, and OpenLLMetry names them as Anthropic does.
const scopeAnthropic = "opentelemetry.instrumentation.anthropic"

// isOperationDetails reports whether a record describes a whole call of a language model and is
// configured to become the event of the call's span.
func (enc *encoder) isOperationDetails(e *appevent.Event) bool {
	return e.Name == eventDetails && enc.cfg.AI.Enabled && enc.cfg.AI.OperationDetails == DetailsGeneration &&
		e.Kind == appevent.KindTrack && !e.TraceID.IsEmpty() && !e.SpanID.IsEmpty()
}

// encodeDetails writes such a record. The event has the uuid of the span's event, so that PostHog does
// not bill the call twice if it gets both.
func (enc *encoder) encodeDetails(w *delivery.Writer, e *appevent.Event) error {
	span := ptrace.NewSpan()
	span.SetTraceID(e.TraceID)
	span.SetSpanID(e.SpanID)
	e.Attributes().CopyTo(span.Attributes())
	operation := cmp.Or(textAt(span.Attributes(), attrOperation), operationChat)
	span.Attributes().PutStr(attrOperation, operation)
	span.SetName(strings.TrimSpace(operation + " " + textAt(span.Attributes(), "gen_ai.request.model")))
	span.SetParentSpanID(unknownParent)
	g := readGeneration(span)
	span.SetParentSpanID(pcommon.SpanID{})
	return enc.encodeAI(w, e, g)
}

// unknownParent stands for the parent of a span that a record describes. The record does not name the
// parent, and without one readGeneration would take the span for a trace.
//
//nolint:gochecknoglobals // constant
var unknownParent = pcommon.SpanID{1}

// identifyAI is the identity phase of a span. The uuid is derived from the IDs of the span, so a
// span that a client sends twice is one event.
func (enc *encoder) identifyAI(ev *event, e *appevent.Event, g *generation) error {
	trace, id := g.span.TraceID(), g.span.SpanID()
	if trace.IsEmpty() || id.IsEmpty() {
		return errors.New("the span has no trace ID or no span ID; OTLP requires both, and the uuid is derived from them")
	}
	ev.id, ev.name, ev.at, ev.title = id.String(), g.span.Name(), e.Time, g.event
	ev.protocol = ProtocolBatch // as PostHog's SDKs do: capture v1 may not accept all of these events
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
		switch {
		case g.uses(name):
		case enc.hidesContent && isSpanContent(name, v):
			dst = appendHiddenContent(dst, &ev.props, enc.cfg.AI.Content, name, v)
		default:
			dst = enc.appendAttribute(dst, ev, name, v)
		}
	}
	dst = enc.appendFields(dst, ev, e)
	return appendExceptionText(dst, ev, e)
}

// Prefixes that identify spans of language models (rust/capture/src/otel/providers.rs in
// PostHog/posthog). OpenInference's spans of tools and agents have only the last one.
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
