// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventjson

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonread"
)

// pending is the event being decoded. Its pdata is reused for the next one.
type pending struct {
	record   plog.LogRecord
	resource pcommon.Resource
	scope    pcommon.InstrumentationScope

	id           string
	name         string
	kind         appevent.Kind
	nameIsNull   bool // the name is explicitly null
	hasException bool
	hasBody      bool // it has a message or a body, possibly null
	seen         uint64

	// The resource and scope as written; sameOrigin is true if they equal the previous event's.
	origin     origin
	sameOrigin bool

	severityNumber bool
	valueTypes     []valueType

	randomID bool // it has neither an id nor a time

	// Members of the context on paths of a track API, which depend on the kind of the event.
	contextTraits pcommon.Map
	hasTraits     bool
	contextGroup  string
}

// valueType is a member of value_types.
type valueType struct{ pointer, name string }

func newPending() pending {
	return pending{record: plog.NewLogRecord(), resource: pcommon.NewResource(), scope: pcommon.NewInstrumentationScope()}
}

// beginEvent resets d.event.
func (d *Decoder) beginEvent() {
	d.event.clear()
	d.depth = 0
	d.event.record.Attributes().EnsureCapacity(d.sizes[0])
}

// clear resets everything but pdata. It does so member by member: assigning the whole struct costs
// write barriers.
func (e *pending) clear() {
	e.id, e.name, e.kind, e.seen, e.contextGroup, e.hasTraits = "", "", appevent.KindTrack, 0, "", false
	e.nameIsNull, e.hasException, e.hasBody, e.severityNumber, e.randomID, e.sameOrigin = false, false, false, false, false, false
	e.origin.source.text, e.origin.resource.text, e.origin.scope.text = nil, nil, nil
	e.valueTypes = e.valueTypes[:0]
}

// decodeEvent reads one event into d.event.
func (d *Decoder) decodeEvent() error {
	d.beginEvent()
	if d.json.Kind() != jsonread.Object {
		return d.wrongKind("an event is an object")
	}
	if err := d.members(d.field); err != nil {
		return err
	}
	return d.complete()
}

// field reads one member of the event. Null means absent, except for a body and a name.
func (d *Decoder) field(name string) error {
	if d.json.Kind() == 'n' && name != fieldBody {
		d.event.nameIsNull = d.event.nameIsNull || name == fieldName
		return d.null()
	}
	if d.single && isWriteKey(name) {
		return syntaxError(d.json.Skip())
	}
	field, ok := d.route.field(name)
	if !ok && d.route.isTrackAPI() {
		return d.ignore()
	}
	if !ok {
		return unknownField(name)
	}
	if d.event.seen&field.bit != 0 {
		return reject("given twice")
	}
	d.event.seen |= field.bit
	return field.read(d)
}

// field is a member of an event: its reader, and its bit in pending.seen.
type field struct {
	bit  uint64
	read func(*Decoder) error
}

//nolint:gochecknoglobals // a table
var fields = fieldTable(map[string]func(*Decoder) error{
	fieldID:             (*Decoder).readID,
	fieldName:           (*Decoder).readName,
	fieldType:           (*Decoder).readType,
	fieldTimestamp:      (*Decoder).readTimestamp,
	fieldSeverity:       (*Decoder).readSeverity,
	fieldSeverityNumber: (*Decoder).readSeverityNumber,
	fieldMessage:        (*Decoder).readMessage,
	fieldBody:           (*Decoder).readBody,
	fieldSource:         func(d *Decoder) error { return d.event.origin.source.capture(d, d.last.source) },
	fieldUser:           (*Decoder).readUser,
	fieldGroups:         (*Decoder).readGroups,
	fieldException:      (*Decoder).readException,
	fieldTrace:          (*Decoder).readTrace,
	fieldDestinations:   (*Decoder).readDestinations,
	fieldScope:          func(d *Decoder) error { return d.event.origin.scope.capture(d, d.last.scope) },
	fieldValueTypes:     (*Decoder).readValueTypes,
	fieldContext:        (*Decoder).readContext,
	fieldSubject:        textReader(appevent.AttrSubject),
	fieldSessionID:      textReader(appevent.AttrSessionID),
	fieldPreviousID:     textReader(appevent.AttrPreviousID),
	fieldTraits:         mapReader(appevent.AttrTraits),
	fieldTraitsOnce:     mapReader(appevent.AttrTraitsOnce),
	fieldProperties:     func(d *Decoder) error { return d.readAttributes(d.event.record.Attributes()) },
	fieldResource:       func(d *Decoder) error { return d.event.origin.resource.capture(d, d.last.resource) },
})

// fieldSlots holds one field per slot, as a fast path before the map.
//
//nolint:gochecknoglobals // a table
var fieldSlots = func() (table [nameSlots]struct {
	name  string
	field field
}) {
	for name, field := range fields {
		table[slot(name)].name, table[slot(name)].field = name, field
	}
	return table
}()

func fieldTable(readers map[string]func(*Decoder) error) map[string]field {
	table := make(map[string]field, len(readers))
	bit := uint64(1)
	for name, read := range readers {
		table[name] = field{bit: bit, read: read}
		bit <<= 1
	}
	return table
}

// unknownField rejects an unknown member and suggests the one that was probably meant.
func unknownField(name string) error {
	key := strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(name))
	for field := range fields {
		if strings.ReplaceAll(field, "_", "") == key {
			return reject("unknown field; did you mean %q?", field)
		}
	}
	if hint, ok := fieldHints[key]; ok {
		return reject("unknown field; write %s", hint)
	}
	return reject(`unknown field; data of your own goes under "properties"`)
}

// fieldHints maps the field names of other event APIs to the ones used here.
var fieldHints = map[string]string{
	"event":       `"name"`,
	"eventname":   `"name"`,
	"messageid":   `"id"`,
	"time":        `"timestamp"`,
	"level":       `"severity"`,
	"data":        `"properties"`,
	"attributes":  `"properties"`,
	"userid":      `"user": {"id": ...}`,
	"distinctid":  `"user": {"id": ...}`,
	"anonymousid": `"user": {"anonymous_id": ...}`,
	"traceid":     `"trace": {"trace_id": ...}`,
	"spanid":      `"trace": {"span_id": ...}`,
}
