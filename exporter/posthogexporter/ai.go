// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
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

// encodeAI writes a span of a language model, which the event is a view of.
func (enc *encoder) encodeAI(w *delivery.Writer, e *appevent.Event, span ptrace.Span) error {
	ev := event{source: enc.sourceOf(e.Source)}
	g := readGeneration(span)
	if err := enc.identifyAI(&ev, e, &g); err != nil {
		return err
	}
	dst := enc.begin(w, &ev)
	dst = enc.appendAI(dst, &ev, e, &g)
	dst = enc.appendContext(dst, &ev, e)
	enc.close(w, dst, &ev)
	return nil
}

// identifyAI is the identity phase of a span. Its uuid is made of the span's IDs, so that a span
// that is sent again is the same event.
func (enc *encoder) identifyAI(ev *event, e *appevent.Event, g *generation) error {
	trace, id := g.span.TraceID(), g.span.SpanID()
	if trace.IsEmpty() || id.IsEmpty() {
		return errors.New("the span has no trace id or no span id, of which its uuid is made; OTLP requires both")
	}
	ev.id, ev.name, ev.at, ev.title = id.String(), g.span.Name(), e.Time, g.event()
	ev.protocol = ProtocolBatch // what capture v1 takes of these is not settled: PostHog's SDKs send them so
	ev.uuid = derive("span", string(trace[:])+string(id[:]))
	ev.who = enc.aiIdentity(e, ev.uuid)
	return ev.check()
}

// aiIdentity is whom a span is about. Spans that do not tell are of one nobody a session, or a
// trace.
func (enc *encoder) aiIdentity(e *appevent.Event, own uuidText) identity {
	if v, ok := e.Attribute(attrVercelDistinctID); ok {
		if id := appevent.IDText(v); !isIllegalID(id) {
			return identity{id: id}
		}
		enc.notices.count(noticeIllegalID, 1)
	}
	for _, attributes := range [...]pcommon.Map{e.Attributes(), e.Source.Resource.Attributes()} {
		if who, ok := enc.find(attributes); ok {
			return who
		}
	}
	return newIdentity(e.SessionID, e.TraceID, own)
}

// appendAI is the properties phase of a span: the call, then what else the span says.
func (enc *encoder) appendAI(dst []byte, ev *event, e *appevent.Event, g *generation) []byte {
	dst = g.append(dst, &ev.props, ev.title, enc.cfg.AI.Content)
	for name, v := range e.Properties() {
		if !g.uses(name) {
			dst = enc.appendAttribute(dst, ev, name, v)
		}
	}
	dst = ev.props.text(dst, "$ai_lib", ev.source.sdkName)
	return ev.props.text(dst, "$ai_lib_version", ev.source.sdkVersion)
}

// Prefixes by which spans of language models are known (otel/filtering.rs in PostHog/posthog).
const (
	prefixGenAI     = "gen_ai."
	prefixLLM       = "llm."
	prefixVercel    = "ai."
	prefixTraceloop = "traceloop."
)

// isAI reports whether a span is one of a language model, by its name or its attributes.
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
	for _, prefix := range [...]string{prefixGenAI, prefixLLM, prefixVercel, prefixTraceloop} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}
