// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventjson

import (
	"encoding/hex"
	"math"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
)

// pending is the event that is being read. Its pdata is used again for the next one.
type pending struct {
	record   plog.LogRecord
	resource pcommon.Resource
	scope    pcommon.InstrumentationScope

	id           string
	name         string
	kind         appevent.Kind
	nameIsNull   bool // the sender says that it has no name
	hasException bool
	hasBody      bool // it has a message or a body, be it null
	seen         uint32
	depth        int // of the JSON around it

	severityNumber bool
	valueTypes     []valueType
}

// valueType is a member of value_types.
type valueType struct{ pointer, name string }

func newPending() pending {
	return pending{record: plog.NewLogRecord(), resource: pcommon.NewResource(), scope: pcommon.NewInstrumentationScope()}
}

// decodeEvent reads one event into d.event.
func (d *Decoder) decodeEvent() error {
	d.event = pending{
		record:     d.event.record,
		resource:   d.event.resource,
		scope:      d.event.scope,
		depth:      d.json.StackDepth(),
		valueTypes: d.event.valueTypes[:0],
	}
	if kind := d.json.PeekKind(); kind != '{' {
		err := d.wrongKind("an event is an object")
		if skipErr := d.json.SkipValue(); skipErr != nil {
			return syntaxError(skipErr)
		}
		return err
	}
	if err := d.members(d.field); err != nil {
		return err
	}
	return d.complete()
}

// field reads one member of the event. Null is as good as absent, but for a body and a name.
func (d *Decoder) field(name string) error {
	if d.json.PeekKind() == 'n' && name != fieldBody {
		d.event.nameIsNull = d.event.nameIsNull || name == fieldName
		return d.null()
	}
	field, ok := fields[name]
	if !ok {
		return unknownField(name)
	}
	if d.event.seen&field.bit != 0 {
		return reject("given twice")
	}
	d.event.seen |= field.bit
	return field.read(d)
}

// field is a member of an event: how it is read, and its bit in pending.seen.
type field struct {
	bit  uint32
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
	fieldSource:         (*Decoder).readSource,
	fieldUser:           (*Decoder).readUser,
	fieldGroups:         (*Decoder).readGroups,
	fieldException:      (*Decoder).readException,
	fieldTrace:          (*Decoder).readTrace,
	fieldDestinations:   (*Decoder).readDestinations,
	fieldScope:          (*Decoder).readScope,
	fieldValueTypes:     (*Decoder).readValueTypes,
	fieldContext:        (*Decoder).readContext,
	fieldSubject:        textReader(appevent.AttrSubject),
	fieldSessionID:      textReader(appevent.AttrSessionID),
	fieldPreviousID:     textReader(appevent.AttrPreviousID),
	fieldTraits:         mapReader(appevent.AttrTraits),
	fieldTraitsOnce:     mapReader(appevent.AttrTraitsOnce),
	fieldProperties:     func(d *Decoder) error { return d.readAttributes(d.event.record.Attributes()) },
	fieldResource:       func(d *Decoder) error { return d.readAttributes(d.event.resource.Attributes()) },
})

func fieldTable(readers map[string]func(*Decoder) error) map[string]field {
	table := make(map[string]field, len(readers))
	bit := uint32(1)
	for name, read := range readers {
		table[name] = field{bit: bit, read: read}
		bit <<= 1
	}
	return table
}

// unknownField rejects a member that is none of ours rather than guess, and says what it may have meant.
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

// fieldHints says how other event APIs' fields are written here.
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

func (d *Decoder) readID() error {
	id, err := d.id()
	if err != nil {
		return err
	}
	if id == "" {
		return reject("is empty; leave it out to have one made")
	}
	d.event.id = id
	return d.put(appevent.AttrID, id)
}

func (d *Decoder) readName() error {
	name, err := d.text()
	if err != nil {
		return err
	}
	if name == "" {
		return reject("is empty; say what happened, such as order_placed")
	}
	d.event.name = name
	return nil
}

func (d *Decoder) readType() error {
	s, err := d.text()
	if err != nil {
		return err
	}
	kind, ok := appevent.ParseKind(s)
	if !ok {
		return reject("is none of %s", strings.Join(appevent.Kinds(), ", "))
	}
	d.event.kind = kind
	if kind != appevent.KindTrack {
		return d.put(appevent.AttrKind, s)
	}
	return nil
}

func (d *Decoder) readTimestamp() error {
	var t pcommon.Timestamp
	var err error
	switch d.json.PeekKind() {
	case '"':
		var s string
		if s, err = d.text(); err == nil {
			t, err = parseTimestamp(s)
		}
	case '0':
		var raw []byte
		if raw, err = d.json.ReadValue(); err != nil {
			return syntaxError(err)
		}
		t, err = parseEpoch(string(raw))
	default:
		return d.wrongKind("want an RFC 3339 string or the time since 1970 as a number")
	}
	d.event.record.SetTimestamp(t)
	return err
}

func (d *Decoder) readSeverity() error {
	if d.json.PeekKind() == '0' {
		return d.severityNumber(1)
	}
	s, err := d.text()
	if err != nil {
		return err
	}
	d.event.record.SetSeverityText(s)
	return nil
}

func (d *Decoder) readSeverityNumber() error { return d.severityNumber(0) }

func (d *Decoder) severityNumber(low int64) error {
	if d.event.severityNumber {
		return reject("given twice, as severity and as severity_number")
	}
	n, err := d.integer(low, int64(plog.SeverityNumberFatal4))
	if err != nil {
		return err
	}
	d.event.severityNumber = true
	d.event.record.SetSeverityNumber(plog.SeverityNumber(n)) //nolint:gosec // 0 to 24
	return nil
}

func (d *Decoder) readMessage() error {
	if d.event.hasBody {
		return reject("there is a body already; an event has one of the two")
	}
	s, err := d.text()
	if err != nil {
		return err
	}
	d.event.hasBody = true
	d.event.record.Body().SetStr(s)
	return nil
}

func (d *Decoder) readBody() error {
	if d.event.hasBody {
		return reject("there is a message already; an event has one of the two")
	}
	d.event.hasBody = true
	return d.value(d.event.record.Body())
}

// readSource reads the parts of the resource that name the application. A string is its name.
func (d *Decoder) readSource() error {
	attributes := d.event.resource.Attributes()
	if d.json.PeekKind() == '"' {
		return d.putText(attributes, appevent.AttrServiceName)
	}
	return d.members(func(name string) error {
		for _, part := range sourceParts {
			if part.field == name {
				return d.putText(attributes, part.attribute)
			}
		}
		return reject("unknown field; source has name, namespace, version and environment, and other attributes go under resource")
	})
}

// readUser reads the actor. A string or a number is its id.
func (d *Decoder) readUser() error {
	attributes := d.event.record.Attributes()
	if d.json.PeekKind() != '{' {
		return d.putID(attributes, appevent.AttrUserID)
	}
	return d.members(func(name string) error {
		switch name {
		case "id":
			return d.putID(attributes, appevent.AttrUserID)
		case "anonymous_id":
			return d.putID(attributes, appevent.AttrAnonymousID)
		case "email":
			return d.putText(attributes, appevent.AttrUserEmail)
		case "name":
			return d.putText(attributes, appevent.AttrUserName)
		case "full_name":
			return d.putText(attributes, appevent.AttrUserFullName)
		case "roles":
			return d.readRoles(attributes)
		}
		return reject("unknown field; user has id, anonymous_id, email, name, full_name and roles, and more about a user goes under traits")
	})
}

func (d *Decoder) readRoles(attributes pcommon.Map) error {
	switch d.json.PeekKind() {
	case 'n':
		return d.null()
	case '[', '"':
		v, err := newMember(attributes, appevent.AttrUserRoles)
		if err != nil {
			return err
		}
		return d.value(v)
	}
	return d.wrongKind("want an array of strings")
}

func (d *Decoder) readGroups() error {
	return d.readMap(appevent.AttrGroups, func(groups pcommon.Map, name string) error {
		return d.putID(groups, name)
	})
}

func (d *Decoder) readDestinations() error {
	return d.readMap(appevent.AttrDestinations, func(destinations pcommon.Map, name string) error {
		return d.putBool(destinations, name)
	})
}

// readMap reads an object into a map attribute of the record, which an empty one does not get.
func (d *Decoder) readMap(attribute string, read func(m pcommon.Map, name string) error) error {
	m := pcommon.NewMap()
	if err := d.members(func(name string) error { return read(m, name) }); err != nil {
		return err
	}
	if m.Len() == 0 {
		return nil
	}
	v, err := newMember(d.event.record.Attributes(), attribute)
	if err != nil {
		return err
	}
	m.MoveTo(v.SetEmptyMap())
	return nil
}

func (d *Decoder) readException() error {
	attributes := d.event.record.Attributes()
	before := attributes.Len()
	err := d.members(func(name string) error {
		switch name {
		case "type":
			return d.putText(attributes, appevent.AttrExceptionType)
		case "message":
			return d.putText(attributes, appevent.AttrExceptionMessage)
		case "stacktrace":
			return d.putText(attributes, appevent.AttrExceptionStacktrace)
		case "handled":
			return d.putBool(attributes, appevent.AttrHandled)
		}
		return reject("unknown field; exception has type, message, stacktrace and handled")
	})
	if err != nil {
		return err
	}
	_, handledOnly := attributes.Get(appevent.AttrHandled)
	if n := attributes.Len() - before; n == 0 || n == 1 && handledOnly {
		return reject("has neither a type, a message nor a stacktrace")
	}
	d.event.hasException = true
	return nil
}

func (d *Decoder) readTrace() error {
	return d.members(func(name string) error {
		switch name {
		case "trace_id":
			var id pcommon.TraceID
			err := d.hex(id[:])
			d.event.record.SetTraceID(id)
			return err
		case "span_id":
			var id pcommon.SpanID
			err := d.hex(id[:])
			d.event.record.SetSpanID(id)
			return err
		case "flags":
			flags, err := d.integer(0, math.MaxUint32)
			d.event.record.SetFlags(plog.LogRecordFlags(flags)) //nolint:gosec // within 32 bits
			return err
		}
		return reject("unknown field; trace has trace_id, span_id and flags")
	})
}

// hex reads an id of a trace or span; null is none.
func (d *Decoder) hex(id []byte) error {
	if d.json.PeekKind() == 'n' {
		return d.null()
	}
	s, err := d.text()
	if err != nil || s == "" {
		return err
	}
	if n, decodeErr := hex.Decode(id, []byte(s[:min(len(s), 2*len(id))])); decodeErr != nil || n != len(id) || len(s) != 2*len(id) {
		clear(id)
		return reject("want %d hexadecimal digits", 2*len(id))
	}
	return nil
}

func (d *Decoder) readScope() error {
	scope := d.event.scope
	return d.members(func(name string) error {
		switch name {
		case "name":
			s, err := d.text()
			scope.SetName(s)
			return err
		case "version":
			s, err := d.text()
			scope.SetVersion(s)
			return err
		case "attributes":
			return d.readAttributes(scope.Attributes())
		}
		return reject("unknown field; scope has name, version and attributes")
	})
}

// readContext reads attributes under their OpenTelemetry names, and two under the names that others use.
func (d *Decoder) readContext() error {
	attributes := d.event.record.Attributes()
	return d.members(func(name string) error {
		switch name {
		case "ip":
			return d.putText(attributes, appevent.AttrClientAddress)
		case "user_agent", "userAgent":
			return d.putText(attributes, appevent.AttrUserAgent)
		}
		return d.putAttribute(attributes, name)
	})
}

func (d *Decoder) readValueTypes() error {
	return d.members(func(pointer string) error {
		name, err := d.text()
		if err == nil && name != typeBytes && name != typeDouble {
			err = reject("is neither %s nor %s", typeBytes, typeDouble)
		}
		d.event.valueTypes = append(d.event.valueTypes, valueType{pointer, name})
		return err
	})
}
