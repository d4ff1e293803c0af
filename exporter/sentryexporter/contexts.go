// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"iter"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// appendContexts appends the contexts (Sentry's SDK documentation, "Contexts Interface"): trace, otel, runtime and os.
func (enc *encoder) appendContexts(dst []byte, i *issue, t trim) []byte {
	dst = append(dst, `,"contexts":{`...)
	if !i.TraceID.IsEmpty() {
		dst = appendTraceContext(memberName(dst, "trace"), i)
	}
	if t < trimAttributes {
		dst = enc.appendOtelContext(memberName(dst, "otel"), i)
		dst = appendNameAndVersion(dst, "runtime", i.source.runtime, i.source.runtimeVersion)
		dst = appendNameAndVersion(dst, "os", i.source.os, i.source.osVersion)
	}
	return append(dst, '}')
}

// appendTraceContext appends the trace. It requires a span: that of a record without one is made of its id.
func appendTraceContext(dst []byte, i *issue) []byte {
	dst = hexMember(append(dst, '{'), "trace_id", i.TraceID[:])
	span := i.SpanID[:]
	if i.SpanID.IsEmpty() {
		span = i.id[:8]
	}
	dst = hexMember(dst, "span_id", span)
	if i.span != nil {
		if !i.span.parent.IsEmpty() {
			dst = hexMember(dst, "parent_span_id", i.span.parent[:])
		}
		dst = textMember(dst, "op", i.span.op)
		dst = textMember(dst, "status", i.span.status)
	}
	return append(dst, '}')
}

// appendOtelContext appends the attributes as they came, which Sentry shows as the context of OpenTelemetry.
func (enc *encoder) appendOtelContext(dst []byte, i *issue) []byte {
	dst = append(dst, `{"attributes":{`...)
	m := enc.attributes.json.Members()
	for _, a := range i.attributes {
		dst = enc.attributes.appendPlainMember(dst, &m, a.name, a.name, a.value, 0)
	}
	m.End()
	dst = append(dst, `},"resource":`...)
	dst = append(dst, i.source.resource...)
	return append(dst, '}')
}

// appendAttributes appends attributes as an object of JSON, without what must not be sent.
func appendAttributes(dst []byte, all iter.Seq2[string, pcommon.Value], a *attributes) []byte {
	dst = append(dst, '{')
	m := a.json.Members()
	for name, v := range all {
		dst = a.appendPlainMember(dst, &m, name, name, v, 0)
	}
	m.End()
	return append(dst, '}')
}

// appendPlainMember appends a member whose dotted name, with those of the maps around it, is path.
func (a *attributes) appendPlainMember(dst []byte, m *jsonappend.Members, name, path string, v pcommon.Value, depth int) []byte {
	treat := a.name(path).treat
	if treat == treatPersonal {
		return dst
	}
	dst, ok := m.Name(dst, name)
	if !ok {
		return dst
	}
	start := len(dst)
	dst = a.appendPlain(dst, path, v, treat, depth)
	if a.brief && len(dst)-start > longValue {
		return a.appendBrief(dst[:start], v, treat)
	}
	return dst
}

// appendPlain appends a value without its type.
func (a *attributes) appendPlain(dst []byte, path string, v pcommon.Value, treat treatment, depth int) []byte {
	switch {
	case treat == treatSecret:
		return append(dst, jsonappend.Masked...)
	case treat == treatURL:
		return jsonappend.String(dst, withoutSecrets(v.AsString()))
	case v.Type() != pcommon.ValueTypeMap || depth == maxFlattened:
		return a.json.Value(dst, v)
	}
	dst = append(dst, '{')
	m := a.json.Members()
	for name, member := range v.Map().All() {
		dst = a.appendPlainMember(dst, &m, name, path+"."+name, member, depth+1)
	}
	m.End()
	return append(dst, '}')
}

func appendNameAndVersion(dst []byte, context, name, version string) []byte {
	if name == "" {
		return dst
	}
	dst = append(memberName(dst, context), '{')
	dst = textMember(dst, "name", name)
	dst = textMember(dst, "version", version)
	return append(dst, '}')
}
