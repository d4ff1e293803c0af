// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package fanoutconnector

import (
	"cmp"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
)

// routingAttributes are the attributes, other than the name, that routing needs.
type routingAttributes struct {
	id           pcommon.Value
	hasID        bool
	kind         appevent.Kind
	destinations switches
}

// switches is fanout.destinations: a map of backend to bool.
type switches struct {
	pcommon.Map
	present bool
}

// nameLengths has a bit for the length of each attribute name that readAttributes looks for. It
// rules out most other names in one step.
const nameLengths = 1<<len(appevent.AttrID) | 1<<len(appevent.AttrKind) | 1<<len(appevent.AttrDestinations)

func readAttributes(attributes pcommon.Map) routingAttributes {
	var r routingAttributes
	for k, v := range attributes.All() {
		if uint64(nameLengths)>>(len(k)&63)&1 == 0 {
			continue
		}
		switch k {
		case appevent.AttrID:
			r.id, r.hasID = v, true
		case appevent.AttrKind:
			if v.Type() == pcommon.ValueTypeStr {
				r.kind, _ = appevent.ParseKind(v.Str())
			}
		case appevent.AttrDestinations:
			if v.Type() == pcommon.ValueTypeMap {
				r.destinations = switches{v.Map(), true}
			}
		}
	}
	return r
}

// nameOf returns the name by which a record is routed, as appevent reads it: the event name, else
// the kind, else exception for an exception. A plain log has an empty name.
func nameOf(record plog.LogRecord, kind appevent.Kind) string {
	if name := record.EventName(); name != "" {
		return name
	}
	return nameFromAttributes(record.Attributes(), kind)
}

func nameFromAttributes(attributes pcommon.Map, kind appevent.Kind) string {
	var name, plain string
	exception := false
	for k, v := range attributes.All() {
		switch k {
		case appevent.AttrEventName:
			name = cmp.Or(text(v), name)
		case appevent.AttrPlainEventName:
			plain = cmp.Or(text(v), plain)
		case appevent.AttrExceptionType, appevent.AttrExceptionMessage, appevent.AttrExceptionStacktrace:
			exception = exception || text(v) != ""
		}
	}
	switch {
	case name != "":
		return name
	case plain != "":
		return plain
	case kind != appevent.KindTrack:
		return kind.String()
	case exception:
		return appevent.ExceptionEventName
	default:
		return ""
	}
}

// text returns a string, number or bool as text, and an empty string for values of other types.
func text(v pcommon.Value) string {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return v.Str()
	case pcommon.ValueTypeInt, pcommon.ValueTypeDouble, pcommon.ValueTypeBool:
		return v.AsString()
	default:
		return ""
	}
}
