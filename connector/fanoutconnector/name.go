// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package fanoutconnector

import (
	"cmp"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
)

// marks are the attributes that have a say in routing beside the name.
type marks struct {
	hasID        bool
	kind         appevent.Kind
	destinations switches
}

// switches are a map of backend to bool, if there are any.
type switches struct {
	pcommon.Map
	any bool
}

// markLengths has a bit for the length of each name that readMarks looks for, by which most others are passed in one step.
const markLengths = 1<<len(appevent.AttrID) | 1<<len(appevent.AttrKind) | 1<<len(appevent.AttrDestinations)

func readMarks(attributes pcommon.Map) marks {
	var m marks
	for k, v := range attributes.All() {
		if uint64(markLengths)>>(len(k)&63)&1 == 0 {
			continue
		}
		switch k {
		case appevent.AttrID:
			m.hasID = true
		case appevent.AttrKind:
			if v.Type() == pcommon.ValueTypeStr {
				m.kind, _ = appevent.ParseKind(v.Str())
			}
		case appevent.AttrDestinations:
			if v.Type() == pcommon.ValueTypeMap {
				m.destinations = switches{v.Map(), true}
			}
		}
	}
	return m
}

// nameOf is the event name that the record is routed by, beside its kind; of an event that has neither but an exception, exception.
// That of a plain log is empty.
func nameOf(record plog.LogRecord, kind appevent.Kind) string {
	if name := record.EventName(); name != "" {
		return name
	}
	return nameIn(record.Attributes(), kind)
}

// nameIn reads the attributes as appevent does.
func nameIn(attributes pcommon.Map, kind appevent.Kind) string {
	var name, legacy string
	exception := false
	for k, v := range attributes.All() {
		switch k {
		case appevent.AttrEventName:
			name = cmp.Or(text(v), name)
		case appevent.AttrLegacyEventName:
			legacy = cmp.Or(text(v), legacy)
		case appevent.AttrExceptionType, appevent.AttrExceptionMessage, appevent.AttrExceptionStacktrace:
			exception = exception || text(v) != ""
		}
	}
	switch {
	case name != "":
		return name
	case legacy != "":
		return legacy
	case kind != appevent.KindTrack:
		return kind.String()
	case exception:
		return appevent.ExceptionEventName
	default:
		return ""
	}
}

// text is the value of a string, number or bool, and empty for others.
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
