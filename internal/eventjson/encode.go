// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventjson

import (
	"encoding/hex"
	"math"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// Encoder writes events as JSON. The zero value is ready for use; one Encoder serves one goroutine.
// It caches the JSON of the last source, since events of one source usually follow each other.
type Encoder struct {
	writer jsonappend.Writer
	clock  jsonappend.Clock
	source *appevent.Source
	// Cached members of the last source; empty if it has none.
	nameFragment, resourceFragment, scopeFragment []byte
	// Members of value_types: of the event, and of its source.
	valueTypes, sourceValueTypes []byte
}

// Reset forgets the last source, so that a pooled encoder keeps no pdata alive.
func (enc *Encoder) Reset() { enc.source = nil }

// Append appends the event as one JSON object without line feeds.
func (enc *Encoder) Append(dst []byte, e *appevent.Event) []byte {
	if enc.writer.Observe == nil {
		enc.writer.Observe = enc.observe
	}
	enc.useSource(e.Source)
	enc.valueTypes = append(enc.valueTypes[:0], enc.sourceValueTypes...)

	dst = append(dst, `{"id":`...)
	dst = appendID(dst, e)
	dst = appendEventName(dst, e)
	if e.Kind != appevent.KindTrack {
		dst = appendText(dst, fieldType, e.Kind.String())
	}
	if e.Time != 0 && e.Time <= math.MaxInt64 { // later times have no RFC 3339 form here
		dst = enc.clock.Time(appendName(dst, fieldTimestamp), e.Time)
	}
	dst = appendSeverity(dst, e)
	dst = enc.appendBody(dst, e)
	dst = appendFragment(dst, enc.nameFragment)
	dst = appendText(dst, fieldSubject, e.Subject)
	dst = enc.appendUser(dst, &e.User)
	dst = appendText(dst, fieldSessionID, e.SessionID)
	dst = enc.appendOnly(dst, fieldGroups, e.Groups, pcommon.ValueTypeStr, pcommon.ValueTypeInt)
	dst = enc.appendProperties(dst, e)
	dst = enc.appendMap(dst, fieldTraits, e.Traits)
	dst = enc.appendMap(dst, fieldTraitsOnce, e.TraitsOnce)
	dst = appendText(dst, fieldPreviousID, e.PreviousID)
	dst = appendException(dst, e)
	dst = appendTrace(dst, e)
	dst = enc.appendOnly(dst, fieldDestinations, e.Destinations, pcommon.ValueTypeBool, pcommon.ValueTypeBool)
	dst = appendFragment(dst, enc.resourceFragment)
	dst = appendFragment(dst, enc.scopeFragment)
	if len(enc.valueTypes) > 0 {
		dst = append(appendName(dst, fieldValueTypes), '{')
		dst = append(dst, enc.valueTypes[1:]...)
		dst = append(dst, '}')
	}
	return append(dst, '}')
}

func appendID(dst []byte, e *appevent.Event) []byte {
	if e.UID != "" {
		return jsonappend.String(dst, e.UID)
	}
	dst = append(dst, '"')
	dst = e.AppendID(dst)
	return append(dst, '"')
}

// appendSeverity writes a number of 0 if there is a text: a reader would otherwise derive the
// number from the text.
func appendSeverity(dst []byte, e *appevent.Event) []byte {
	dst = appendText(dst, fieldSeverity, e.SeverityText)
	if e.SeverityNumber != plog.SeverityNumberUnspecified || e.SeverityText != "" {
		dst = jsonappend.Int(appendName(dst, fieldSeverityNumber), int64(e.SeverityNumber))
	}
	return dst
}

// appendEventName writes null for an event without a name: a reader would otherwise set one.
func appendEventName(dst []byte, e *appevent.Event) []byte {
	if e.Name == "" && e.IsEvent() {
		return append(appendName(dst, fieldName), "null"...)
	}
	return appendText(dst, fieldName, e.Name)
}

// appendBody writes null for a plain log without a body: a reader would otherwise reject it.
func (enc *Encoder) appendBody(dst []byte, e *appevent.Event) []byte {
	switch e.Body.Type() {
	case pcommon.ValueTypeEmpty:
		if e.IsEvent() {
			return dst
		}
		return append(appendName(dst, fieldBody), "null"...)
	case pcommon.ValueTypeStr:
		return jsonappend.String(appendName(dst, fieldMessage), e.Body.Str())
	default:
		enc.writer.At(fieldBody)
		return enc.writer.Value(appendName(dst, fieldBody), e.Body)
	}
}

func (enc *Encoder) appendUser(dst []byte, u *appevent.User) []byte {
	start := len(dst)
	dst = append(appendName(dst, fieldUser), '{')
	empty := len(dst)
	dst = appendText(dst, "id", u.ID)
	dst = appendText(dst, "anonymous_id", u.AnonymousID)
	dst = appendText(dst, "email", u.Email)
	dst = appendText(dst, "name", u.Name)
	dst = appendText(dst, "full_name", u.FullName)
	if u.Roles.Type() != pcommon.ValueTypeEmpty {
		enc.writer.At(fieldUser, "roles")
		dst = enc.writer.Value(appendName(dst, "roles"), u.Roles)
	}
	return closeObject(dst, start, empty)
}

func (enc *Encoder) appendMap(dst []byte, name string, m pcommon.Map) []byte {
	if m.Len() == 0 {
		return dst
	}
	enc.writer.At(name)
	return enc.writer.Map(appendName(dst, name), m)
}

// appendOnly skips values of types other than a and b. They have no meaning in this member, and a
// reader would reject them.
func (enc *Encoder) appendOnly(dst []byte, name string, m pcommon.Map, a, b pcommon.ValueType) []byte {
	if m.Len() == 0 {
		return dst
	}
	return enc.appendMembers(dst, m, func(_ string, v pcommon.Value) bool { return v.Type() == a || v.Type() == b }, name)
}

// appendMembers appends the wanted members of m as an object, named by the last element of path. It
// appends nothing if the object would be empty.
func (enc *Encoder) appendMembers(dst []byte, m pcommon.Map, wanted func(string, pcommon.Value) bool, path ...string) []byte {
	start := len(dst)
	dst = append(appendName(dst, path[len(path)-1]), '{')
	empty := len(dst)
	enc.writer.At(path...)
	members := enc.writer.Members()
	for k, v := range m.All() {
		if wanted(k, v) {
			dst = members.Append(dst, k, v)
		}
	}
	members.End()
	return closeObject(dst, start, empty)
}

// isReserved reports whether an attribute is internal and must not reach a vendor.
func isReserved(name string) bool { return strings.HasPrefix(name, appevent.FanoutPrefix) }

func (enc *Encoder) appendProperties(dst []byte, e *appevent.Event) []byte {
	start := len(dst)
	dst = append(appendName(dst, fieldProperties), '{')
	empty := len(dst)
	enc.writer.At(fieldProperties)
	members := enc.writer.Members()
	for k, v := range e.Properties() {
		dst = members.Append(dst, k, v)
	}
	members.End()
	if len(dst) == empty {
		return dst[:start]
	}
	return append(dst, '}')
}

func appendException(dst []byte, e *appevent.Event) []byte {
	if !e.IsException() {
		return dst
	}
	x := &e.Exception
	dst = append(appendName(dst, fieldException), '{')
	dst = appendText(dst, "type", x.Type)
	dst = appendText(dst, "message", x.Message)
	dst = appendText(dst, "stacktrace", x.Stacktrace)
	if x.HandledKnown {
		dst = jsonappend.Bool(appendName(dst, "handled"), x.Handled)
	}
	return append(dst, '}')
}

func appendTrace(dst []byte, e *appevent.Event) []byte {
	if e.TraceID.IsEmpty() && e.SpanID.IsEmpty() && e.Flags == 0 {
		return dst
	}
	start := len(dst)
	dst = append(appendName(dst, fieldTrace), '{')
	empty := len(dst)
	if !e.TraceID.IsEmpty() {
		dst = append(appendName(dst, "trace_id"), '"')
		dst = append(hex.AppendEncode(dst, e.TraceID[:]), '"')
	}
	if !e.SpanID.IsEmpty() {
		dst = append(appendName(dst, "span_id"), '"')
		dst = append(hex.AppendEncode(dst, e.SpanID[:]), '"')
	}
	if e.Flags != 0 {
		dst = jsonappend.Int(appendName(dst, "flags"), int64(e.Flags))
	}
	return closeObject(dst, start, empty)
}

// useSource caches the fragments of a source, unless it is the last one.
func (enc *Encoder) useSource(s *appevent.Source) {
	if s == enc.source {
		return
	}
	enc.source = s
	enc.valueTypes = enc.valueTypes[:0]
	enc.nameFragment = appendSourceName(enc.nameFragment[:0], s)
	enc.resourceFragment = enc.appendResource(enc.resourceFragment[:0], s)
	enc.scopeFragment = enc.appendScope(enc.scopeFragment[:0], s.Scope)
	enc.sourceValueTypes = append(enc.sourceValueTypes[:0], enc.valueTypes...)
}

// appendSourceName writes the four resource attributes that name the application.
func appendSourceName(dst []byte, s *appevent.Source) []byte {
	start := len(dst)
	dst = append(appendName(dst, fieldSource), '{')
	empty := len(dst)
	for _, part := range sourceParts {
		if v, ok := s.Resource.Attributes().Get(part.attribute); ok && isSourcePart(v) {
			dst = appendText(dst, part.field, v.Str())
		}
	}
	return closeObject(dst, start, empty)
}

// appendResource writes the other resource attributes, except reserved ones.
func (enc *Encoder) appendResource(dst []byte, s *appevent.Source) []byte {
	wanted := func(k string, v pcommon.Value) bool {
		return !isReserved(k) && (sourceField(k) == "" || !isSourcePart(v))
	}
	return enc.appendMembers(dst, s.Resource.Attributes(), wanted, fieldResource)
}

func (enc *Encoder) appendScope(dst []byte, scope pcommon.InstrumentationScope) []byte {
	start := len(dst)
	dst = append(appendName(dst, fieldScope), '{')
	empty := len(dst)
	dst = appendText(dst, "name", scope.Name())
	dst = appendText(dst, "version", scope.Version())
	dst = enc.appendMembers(dst, scope.Attributes(), func(k string, _ pcommon.Value) bool { return !isReserved(k) }, fieldScope, "attributes")
	return closeObject(dst, start, empty)
}

// sourceParts maps the members of source to resource attributes.
var sourceParts = [...]struct{ field, attribute string }{
	{"name", appevent.AttrServiceName},
	{"namespace", appevent.AttrServiceNamespace},
	{"version", appevent.AttrServiceVersion},
	{"environment", appevent.AttrEnvironment},
}

func sourceField(attribute string) string {
	for _, part := range sourceParts {
		if part.attribute == attribute {
			return part.field
		}
	}
	return ""
}

// isSourcePart reports whether source can hold the value; other values go to resource.
func isSourcePart(v pcommon.Value) bool {
	return v.Type() == pcommon.ValueTypeStr && v.Str() != ""
}

// maxValueTypes limits the bytes of value_types per event, approximately: paths repeat names, so
// the list could outgrow the event. Values without an entry read as strings.
const maxValueTypes = 16 << 10

// maxPointer is the maximum length of a path in value_types, in bytes.
const maxPointer = 1 << 10

// observe adds a member to value_types: a comma, the JSON pointer (RFC 6901) of the value, and its
// type.
func (enc *Encoder) observe(path []jsonappend.Step, t pcommon.ValueType) {
	if len(enc.valueTypes) > maxValueTypes {
		return
	}
	var pointer strings.Builder
	for _, step := range path {
		if pointer.Len() > maxPointer {
			break
		}
		pointer.WriteByte('/')
		if step.Index < 0 {
			pointer.WriteString(pointerEscaper.Replace(step.Name))
		} else {
			pointer.WriteString(strconv.Itoa(step.Index))
		}
	}
	if pointer.Len() > maxPointer {
		return
	}
	name := typeBytes
	if t == pcommon.ValueTypeDouble {
		name = typeDouble
	}
	enc.valueTypes = append(enc.valueTypes, ',')
	enc.valueTypes = jsonappend.String(enc.valueTypes, pointer.String())
	enc.valueTypes = append(enc.valueTypes, ':')
	enc.valueTypes = jsonappend.String(enc.valueTypes, name)
}

var pointerEscaper = strings.NewReplacer("~", "~0", "/", "~1")

// appendText appends a string member unless s is empty.
func appendText(dst []byte, name, s string) []byte {
	if s == "" {
		return dst
	}
	return appendString(dst, name, s)
}

func appendString(dst []byte, name, s string) []byte {
	return jsonappend.String(appendName(dst, name), s)
}

func appendFragment(dst, fragment []byte) []byte {
	if len(fragment) == 0 {
		return dst
	}
	dst = append(dst, ',')
	return append(dst, fragment...)
}

// appendName appends a member name of this package, which needs no escaping, after a comma unless
// it is the first.
func appendName(dst []byte, name string) []byte {
	if n := len(dst); n > 0 && dst[n-1] != '{' {
		dst = append(dst, ',')
	}
	dst = append(dst, '"')
	dst = append(dst, name...)
	return append(dst, '"', ':')
}

// closeObject closes an object whose members begin at empty, or truncates dst to start if it has
// none.
func closeObject(dst []byte, start, empty int) []byte {
	if len(dst) == empty {
		return dst[:start]
	}
	return append(dst, '}')
}
