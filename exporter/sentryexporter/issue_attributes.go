// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
	"github.com/otelcol-fanout/otelcol-fanout/internal/pattern"
)

// appendIssueAttributes appends the attributes: all of them in the contexts, some also as tags.
func appendIssueAttributes(dst []byte, i *issue) []byte {
	dst = appendTags(dst, i)
	return appendContexts(dst, i)
}

// appendTags appends the tags by which Issues are searched: short strings, numbers and booleans.
func appendTags(dst []byte, i *issue) []byte {
	dst = append(dst, `,"tags":{`...)
	m := i.values.json.Members()
	defer m.End()
	for _, tag := range [...][2]string{
		{"event.name", i.Name}, {"service.name", i.source.service}, {"service.namespace", i.source.namespace},
		{appevent.AttrSessionID, i.SessionID}, {attrSubject, i.Subject}, {appevent.AttrExceptionType, i.otherType()},
	} {
		dst = appendTag(dst, &m, tag[0], tag[1])
	}
	if i.values.trim < trimAttributes {
		for name, v := range i.Groups.All() {
			dst = appendTagOf(dst, i, &m, prefixGroup+name, v)
		}
		for _, a := range i.attributes {
			dst = appendTagOf(dst, i, &m, a.name, a.value)
		}
	}
	return append(dst, '}')
}

func appendTagOf(dst []byte, i *issue, m *jsonappend.Members, name string, v pcommon.Value) []byte {
	if m.Len() >= maxTags || i.values.of(name).treat != treatPlain || !pattern.Any(i.cfg.Tags, name) {
		return dst
	}
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return appendTag(dst, m, name, v.Str())
	case pcommon.ValueTypeInt, pcommon.ValueTypeBool, pcommon.ValueTypeDouble:
		return appendTag(dst, m, name, v.AsString())
	}
	return dst
}

// otherType returns the type in the attribute if the stack has a different one, such as ECONNREFUSED
// for an Error in Node.
func (i *issue) otherType() string {
	if len(i.stack.Exceptions) == 0 || strings.HasSuffix(i.Exception.Type, i.stack.Exceptions[0].Type) || strings.HasSuffix(i.stack.Exceptions[0].Type, i.Exception.Type) {
		return ""
	}
	return i.Exception.Type
}

// appendTag appends a tag if Sentry accepts it. If not, the attribute is still in the context.
func appendTag(dst []byte, m *jsonappend.Members, name, value string) []byte {
	if strings.TrimSpace(value) == "" || value != cut(value, maxTag) || strings.ContainsAny(value, "\n\r") || !isTagKey(name) || isReservedTag(name) {
		return dst
	}
	dst, ok := m.Name(dst, name)
	if !ok {
		return dst
	}
	return jsonappend.String(dst, value)
}

// isReservedTag reports whether Sentry removes such a tag, or takes it for the event's environment or
// server_name (Relay's normalize_event_tags and normalize_device_class).
func isReservedTag(name string) bool {
	switch name {
	case "release", "dist", "user", "filename", "function", "environment", "server_name", "site", "device.class":
		return true
	}
	return false
}

// isTagKey reports whether Sentry accepts the key of a tag.
func isTagKey(name string) bool {
	if name == "" || len(name) > maxTag {
		return false
	}
	for i := range len(name) {
		c := name[i]
		if !isAlphanumeric(rune(c)) && c != '_' && c != '.' && c != ':' && c != '-' {
			return false
		}
	}
	return true
}

// appendContexts appends the contexts (Sentry's SDK documentation, "Contexts Interface"): trace,
// otel, runtime and os.
func appendContexts(dst []byte, i *issue) []byte {
	dst = append(dst, `,"contexts":{`...)
	dst = appendTraceContext(memberName(dst, "trace"), i)
	if i.values.trim < trimAttributes {
		dst = appendOtelContext(memberName(dst, "otel"), i)
		dst = append(dst, i.source.contexts...)
	}
	return append(dst, '}')
}

// appendTraceContext appends the trace. Sentry's SDKs send one with every event, and Sentry requires
// both ids. For a record without them they are derived from its own id, so that retries and replays
// repeat them.
func appendTraceContext(dst []byte, i *issue) []byte {
	trace, span := i.TraceID[:], i.SpanID[:]
	if i.TraceID.IsEmpty() {
		trace = i.id[:]
	}
	if i.SpanID.IsEmpty() {
		span = i.id.half()
	}
	dst = hexMember(append(dst, '{'), "trace_id", trace)
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

// appendOtelContext appends all attributes, which Sentry shows as the OpenTelemetry context.
func appendOtelContext(dst []byte, i *issue) []byte {
	dst = append(dst, `{"attributes":{`...)
	m := i.values.json.Members()
	for _, a := range i.attributes {
		dst = i.values.appendMember(dst, &m, a.name, a.name, a.value, 0)
	}
	m.End()
	dst = append(dst, `},"resource":`...)
	dst = append(dst, i.source.resource...)
	return append(dst, '}')
}
