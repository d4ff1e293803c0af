// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"encoding/binary"
	"encoding/hex"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// appendLog appends a record as an item of a log container (Sentry's SDK documentation, "Logs", "Log Envelope Item Payload").
func (enc *encoder) appendLog(dst []byte, e *appevent.Event, t trim) []byte {
	src := enc.sources.get(e.Source, enc.attributes)
	dst = append(dst, `{"timestamp":`...)
	dst = appendSeconds(dst, timeOf(e))
	dst = enc.appendLogTrace(dst, e)
	dst = append(dst, `,"level":"`...)
	severity := e.SeverityLevel()
	dst = append(dst, appevent.LogLevel(severity)...)
	dst = append(dst, `","body":`...)
	dst = jsonappend.String(dst, t.text(enc.logBody(e)))
	if severity != plog.SeverityNumberUnspecified {
		dst = append(dst, `,"severity_number":`...)
		dst = jsonappend.Int(dst, int64(severity))
	}
	dst = append(dst, `,"attributes":{`...)
	dst = enc.appendLogAttributes(dst, e, src, t)
	return append(dst, "}}"...)
}

// appendLogTrace appends the ids of trace and span. Sentry requires a trace: that of a record without one is made of its id.
func (enc *encoder) appendLogTrace(dst []byte, e *appevent.Event) []byte {
	if e.TraceID.IsEmpty() {
		return enc.appendMadeTrace(dst, e)
	}
	dst = hexMember(dst, "trace_id", e.TraceID[:])
	if !e.SpanID.IsEmpty() {
		dst = hexMember(dst, "span_id", e.SpanID[:])
	}
	return dst
}

// appendMadeTrace appends a trace id that is made of the record's id.
func (enc *encoder) appendMadeTrace(dst []byte, e *appevent.Event) []byte {
	dst = append(dst, `,"trace_id":"`...)
	if with, ok := appendUUIDDigits(dst, e.UID); ok {
		return append(with, '"')
	}
	id := idOf(e, noKey, false, 0)
	return append(hex.AppendEncode(dst, id[:]), '"')
}

// appendUUIDDigits appends the digits of a UUID as most are written: in lower case, with dashes. It looks at eight of them at a time.
func appendUUIDDigits(dst []byte, s string) ([]byte, bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return dst, false
	}
	a, b := eight(s[:8]), four(s[9:13])|four(s[14:18])<<32
	c, d := four(s[19:23])|four(s[24:28])<<32, eight(s[28:36])
	if !areHexDigits(a) || !areHexDigits(b) || !areHexDigits(c) || !areHexDigits(d) || a|b|c|d == ones*'0' {
		return dst, false
	}
	dst = binary.LittleEndian.AppendUint64(dst, a)
	dst = binary.LittleEndian.AppendUint64(dst, b)
	dst = binary.LittleEndian.AppendUint64(dst, c)
	return binary.LittleEndian.AppendUint64(dst, d), true
}

// eight is the first eight bytes of s.
func eight(s string) uint64 {
	return four(s) | four(s[4:])<<32
}

// four is the first four bytes of s.
func four(s string) uint64 {
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24
}

// ones is a byte of 1 in each of eight places.
const ones = 0x0101010101010101

// areHexDigits tells of eight characters at once whether each is a digit or a letter from a to f. What is added makes the highest bit
// of a place be set from the first such character on, and from the one behind the last; there is no carry into the next place.
func areHexDigits(eight uint64) bool {
	const highest = ones * 0x80
	low := eight &^ highest
	digit := (low + ones*(0x80-'0')) &^ (low + ones*(0x80-'9'-1))
	letter := (low + ones*(0x80-'a')) &^ (low + ones*(0x80-'f'-1))
	return (digit|letter)&^eight&highest == highest
}

// logBody is the message: a text, else the message in a map, else the event's name, else the body as JSON.
func (enc *encoder) logBody(e *appevent.Event) string {
	switch e.Body.Type() {
	case pcommon.ValueTypeStr:
		if body := e.Body.Str(); body != "" {
			return body
		}
	case pcommon.ValueTypeMap:
		for _, name := range []string{"message", "msg"} {
			if v, ok := e.Body.Map().Get(name); ok && v.Type() == pcommon.ValueTypeStr && v.Str() != "" {
				return v.Str()
			}
		}
	case pcommon.ValueTypeEmpty:
		if e.Name == "" {
			return e.Exception.Message
		}
	}
	if e.Name != "" || e.Body.Type() == pcommon.ValueTypeStr {
		return e.Name
	}
	enc.scratch = enc.attributes.json.Value(enc.scratch[:0], e.Body)
	return string(enc.scratch)
}

func (enc *encoder) appendLogAttributes(dst []byte, e *appevent.Event, src *source, t trim) []byte {
	a := enc.attributes
	a.begin()
	dst = a.text(dst, appevent.AttrLegacyEventName, t.text(e.Name))
	dst = a.text(dst, attrTrimmed, t.note())
	if t < trimAttributes {
		for name, v := range e.Properties() {
			dst = a.append(dst, name, v)
		}
		dst = enc.appendLogFields(dst, e)
	}
	return enc.appendSharedWithin(dst, src, &src.logShared, t)
}

// appendSharedWithin appends what the source shares, unless it may be what makes the item too large.
func (enc *encoder) appendSharedWithin(dst []byte, src *source, shared *sharedAttributes, t trim) []byte {
	if t >= trimAttributes {
		return enc.attributes.text(dst, "sentry.environment", src.environment)
	}
	return enc.attributes.appendShared(dst, shared)
}

// appendLogFields appends what appevent has read out of the attributes, and a body that is no text.
func (enc *encoder) appendLogFields(dst []byte, e *appevent.Event) []byte {
	a := enc.attributes
	dst = a.text(dst, attrSubject, e.Subject)
	dst = a.text(dst, appevent.AttrSessionID, e.SessionID)
	if e.Kind != appevent.KindTrack {
		dst = a.text(dst, attrKind, e.Kind.String())
	}
	for name, v := range e.Groups.All() {
		dst = a.append(dst, prefixGroup+name, v)
	}
	if e.IsException() { // where Issues are off
		dst = a.text(dst, appevent.AttrExceptionType, e.Exception.Type)
		dst = a.text(dst, appevent.AttrExceptionMessage, e.Exception.Message)
		dst = a.text(dst, appevent.AttrExceptionStacktrace, e.Exception.Stacktrace)
	}
	if body := e.Body.Type(); body != pcommon.ValueTypeStr && body != pcommon.ValueTypeEmpty {
		dst = a.append(dst, attrBody, e.Body)
	}
	return enc.appendUserAttributes(dst, e)
}

// appendUserAttributes appends who the actor is, where that may be told.
func (enc *encoder) appendUserAttributes(dst []byte, e *appevent.Event) []byte {
	a := enc.attributes
	if a.privacy.personal {
		return dst
	}
	dst = a.text(dst, appevent.AttrUserID, e.User.ID)
	dst = a.text(dst, appevent.AttrUserEmail, e.User.Email)
	dst = a.text(dst, appevent.AttrUserName, e.User.Name)
	dst = a.text(dst, appevent.AttrUserFullName, e.User.FullName)
	dst = a.text(dst, appevent.AttrAnonymousID, e.User.AnonymousID)
	dst = a.append(dst, appevent.AttrUserRoles, e.User.Roles)
	dst = a.text(dst, attrPreviousID, e.PreviousID)
	traits := prefixTrait
	if e.Kind == appevent.KindGroup {
		traits = prefixGroupTrait
	}
	for name, v := range e.Traits.All() {
		dst = a.append(dst, traits+name, v)
	}
	for name, v := range e.TraitsOnce.All() {
		dst = a.append(dst, prefixTraitOnce+name, v)
	}
	return dst
}

// Names under which Sentry gets what OpenTelemetry has no name for.
const (
	attrSubject      = "event.subject"
	attrKind         = "event.type"
	attrBody         = "body"
	attrTrimmed      = "otelcol.trimmed"
	attrPreviousID   = "user.previous_id"
	prefixGroup      = "group."
	prefixGroupTrait = "group.traits."
	prefixTrait      = "user.traits."
	prefixTraitOnce  = "user.traits_once."
)
