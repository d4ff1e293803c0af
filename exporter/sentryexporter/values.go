// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"iter"
	"math"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// valueWriter writes the values of attributes, without personal data and secrets that must not be
// sent.
type valueWriter struct {
	*nameCache
	// trim says how much to leave out of the item.
	trim trim
}

// isBrief reports whether to shorten long values.
func (vs valueWriter) isBrief() bool { return vs.trim >= trimLong }

// appendObject appends attributes as a JSON object.
func (vs valueWriter) appendObject(dst []byte, all iter.Seq2[string, pcommon.Value]) []byte {
	dst = append(dst, '{')
	m := vs.json.Members()
	for name, v := range all {
		dst = vs.appendMember(dst, &m, name, name, v, 0)
	}
	m.End()
	return append(dst, '}')
}

// appendMember appends a member. path is its dotted name, which begins with the names of the maps
// around it.
func (vs valueWriter) appendMember(dst []byte, m *jsonappend.Members, name, path string, v pcommon.Value, depth int) []byte {
	treat := vs.of(path).treat
	if treat == treatPersonal {
		return dst
	}
	dst, ok := m.Name(dst, name)
	if !ok {
		return dst
	}
	start := len(dst)
	dst = vs.appendPlain(dst, path, v, treat, depth)
	if vs.isBrief() && len(dst)-start > longValue {
		return vs.appendBrief(dst[:start], v, treat)
	}
	return dst
}

// appendPlain appends a value without its type.
func (vs valueWriter) appendPlain(dst []byte, path string, v pcommon.Value, treat treatment, depth int) []byte {
	switch {
	case treat == treatSecret:
		return append(dst, jsonappend.Masked...)
	case treat == treatURL:
		return jsonappend.String(dst, withoutSecrets(v.AsString()))
	case v.Type() != pcommon.ValueTypeMap || depth == maxFlattened:
		return vs.json.Value(dst, v)
	}
	dst = append(dst, '{')
	m := vs.json.Members()
	for name, member := range v.Map().All() {
		dst = vs.appendMember(dst, &m, name, path+"."+name, member, depth+1)
	}
	m.End()
	return append(dst, '}')
}

// maxFlattened is how many levels of maps are flattened. Deeper maps are written as JSON.
const maxFlattened = 8

// appendTreated is like appendTyped, for a value that may be masked or shortened.
func (vs valueWriter) appendTreated(dst []byte, v pcommon.Value, treat treatment) []byte {
	start, t := len(dst), v.Type()
	switch {
	case treat == treatSecret:
		return append(dst, jsonappend.Masked+typeString...)
	case t == pcommon.ValueTypeStr:
		dst = append(jsonappend.String(dst, vs.shown(v.Str(), treat)), typeString...)
	default:
		dst = vs.appendTyped(dst, v, t)
	}
	if vs.isBrief() && len(dst)-start > longValue {
		return append(vs.appendBrief(dst[:start], v, treat), typeString...)
	}
	return dst
}

// appendTyped appends a value of type t, and the name of the type.
func (vs valueWriter) appendTyped(dst []byte, v pcommon.Value, t pcommon.ValueType) []byte {
	switch t {
	case pcommon.ValueTypeStr:
		return append(jsonappend.String(dst, v.Str()), typeString...)
	case pcommon.ValueTypeInt:
		return append(jsonappend.Int(dst, v.Int()), typeInteger...)
	case pcommon.ValueTypeBool:
		return append(jsonappend.Bool(dst, v.Bool()), typeBoolean...)
	case pcommon.ValueTypeDouble:
		if f := v.Double(); !math.IsNaN(f) && !math.IsInf(f, 0) {
			return append(jsonappend.Double(dst, f), typeDouble...)
		}
		return append(vs.json.Value(dst, v), typeString...)
	case pcommon.ValueTypeBytes:
		return append(jsonappend.Bytes(dst, v.Bytes()), typeString...)
	default:
		vs.scratch = vs.json.Value(vs.scratch[:0], v)
		return append(jsonappend.Quoted(dst, vs.scratch), typeString...)
	}
}

// The end of an attribute, after its value, for each type.
const (
	typeString  = `,"type":"string"}`
	typeInteger = `,"type":"integer"}`
	typeDouble  = `,"type":"double"}`
	typeBoolean = `,"type":"boolean"}`
)

// longValue is the size in bytes above which the values of an item that is too large are shortened.
const longValue = 1024

// appendBrief appends the beginning of a string, or a placeholder for any other value.
func (vs valueWriter) appendBrief(dst []byte, v pcommon.Value, treat treatment) []byte {
	if v.Type() != pcommon.ValueTypeStr {
		return append(dst, `"[Trimmed]"`...)
	}
	return jsonappend.String(dst, cut(vs.shown(v.Str(), treat), shortText)+"...")
}

// shown returns a string as it is sent: a URL without its secrets.
func (vs valueWriter) shown(s string, treat treatment) string {
	if treat == treatURL {
		return withoutSecrets(s)
	}
	return s
}
