// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// typedObject writes an object of attributes in the form of Sentry's logs and spans:
// {"name":{"value":...,"type":"..."}}. A value is a string, an integer, a double or a boolean
// (Sentry's SDK documentation, "Logs", "Log Envelope Item Payload").
type typedObject struct {
	valueWriter
	number  uint64 // of the object
	written bool   // whether it has a member
	overlap bool   // whether the name of a member is shared
	depth   int    // how many maps enclose the current value
	// trace collects the values that the trace header of an envelope repeats; nil if none are needed.
	trace *traceTexts
}

// begin begins the object, whose braces the caller writes. Write only one object at a time.
func (o *typedObject) begin(vs valueWriter) {
	vs.objects++
	vs.last = vs.first
	o.valueWriter, o.number = vs, vs.objects
}

// append appends an attribute. A map becomes one attribute per member, with dotted names; an array
// becomes JSON. It leaves out empty values and personal data that must not be sent.
func (o *typedObject) append(dst []byte, text string, v pcommon.Value) []byte {
	n, t := o.of(text), v.Type()
	switch {
	case n.treat == treatPersonal || t == pcommon.ValueTypeEmpty:
		return dst
	case t == pcommon.ValueTypeMap && o.depth < maxFlattened && n.treat != treatSecret:
		return o.appendFlattened(dst, text, v.Map())
	}
	dst, ok := o.member(dst, n)
	if !ok {
		return dst
	}
	if n.special || o.isBrief() {
		return o.appendSpecial(dst, n, v)
	}
	return o.appendTyped(dst, v, t)
}

// member appends the beginning of a member, unless the object already has one with that name.
func (o *typedObject) member(dst []byte, n *name) ([]byte, bool) {
	if n.object == o.number {
		return dst, false
	}
	n.object = o.number
	o.overlap = o.overlap || n.shared
	if o.written {
		return append(dst, n.begin...), true
	}
	o.written = true
	return append(dst, n.begin[1:]...), true
}

// appendSpecial is like appendTyped, for a value that may be masked, shortened, or repeated in the
// trace header.
func (o *typedObject) appendSpecial(dst []byte, n *name, v pcommon.Value) []byte {
	start := len(dst)
	dst = o.appendTreated(dst, v, n.treat)
	if o.trace != nil {
		o.trace.note(n.trace, dst[start:])
	}
	return dst
}

func (o *typedObject) appendFlattened(dst []byte, text string, members pcommon.Map) []byte {
	o.depth++
	for k, member := range members.All() {
		dst = o.append(dst, text+"."+k, member)
	}
	o.depth--
	return dst
}

// text appends an attribute unless it is empty. It does not check whether it is personal data or a
// secret.
func (o *typedObject) text(dst []byte, text, value string) []byte {
	if value == "" {
		return dst
	}
	return o.appendText(dst, text, value)
}

func (o *typedObject) appendText(dst []byte, text, value string) []byte {
	n := o.of(text)
	dst, ok := o.member(dst, n)
	if !ok {
		return dst
	}
	start := len(dst)
	dst = jsonappend.String(dst, value)
	if n.trace != notInTraceHeader && o.trace != nil {
		o.trace[n.trace] = within(dst[start:])
	}
	return append(dst, typeString...)
}

// shared is an attribute that many objects have, encoded once.
type shared struct {
	name *name
	// typed is the encoded value and its type.
	typed []byte
}

// sharedAttributes are the shared attributes of one source.
type sharedAttributes struct {
	all []shared
	// joined has all of them as members, each after a comma.
	joined []byte
	// inTrace has those that the trace header repeats.
	inTrace []shared
}

// noteShared records the values for the trace header that appendShared will append.
func (o *typedObject) noteShared(s *sharedAttributes) {
	for i := range s.inTrace {
		if n := s.inTrace[i].name; n.object != o.number {
			o.trace.note(n.trace, s.inTrace[i].typed)
		}
	}
}

// appendShared appends the shared attributes, except those whose name the object already has. Call it
// last.
func (o *typedObject) appendShared(dst []byte, s *sharedAttributes) []byte {
	if o.written && !o.overlap {
		return append(dst, s.joined...)
	}
	var ok bool
	for i := range s.all {
		if dst, ok = o.member(dst, s.all[i].name); ok {
			dst = append(dst, s.all[i].typed...)
		}
	}
	return dst
}

// appendSharedWithin appends the shared attributes of a source. At trimAttributes it keeps only the
// environment.
func (o *typedObject) appendSharedWithin(dst []byte, src *source, s *sharedAttributes) []byte {
	if o.trim >= trimAttributes {
		return o.text(dst, "sentry.environment", src.environment)
	}
	return o.appendShared(dst, s)
}
