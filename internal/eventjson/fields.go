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

func (d *Decoder) readID() error {
	id, err := d.id()
	if err != nil {
		return err
	}
	if id == "" {
		return reject("is empty; omit it to get a generated id")
	}
	d.event.id = id
	return d.put(appevent.AttrID, id)
}

func (d *Decoder) readName() error {
	name, err := d.text()
	if err != nil {
		return err
	}
	if strings.TrimSpace(name) == "" {
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
		return reject("want one of %s", strings.Join(appevent.Kinds(), ", "))
	}
	if want, ok := d.route.kind(); ok && kind != want {
		return reject("want %s, the type of all events at this path; omit it, or send the event to /v1/batch", want)
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
	switch d.json.Kind() {
	case '"':
		var s string
		if s, err = d.text(); err == nil {
			t, err = parseTimestamp(s)
		}
	case '0':
		var raw []byte
		if raw, _, err = d.json.Number(); err != nil {
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
	if d.json.Kind() == '0' {
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
		return reject("the event has a body as well; send one of the two")
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
		return reject("the event has a message as well; send one of the two")
	}
	d.event.hasBody = true
	return d.value(d.event.record.Body())
}

// readSource reads the attributes of the resource that name the application. A string is the
// service name.
func (d *Decoder) readSource() error {
	attributes := d.event.resource.Attributes()
	if d.json.Kind() == '"' {
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

func (d *Decoder) readResource() error { return d.readAttributes(d.event.resource.Attributes()) }

// readUser reads the actor. A string or a number is the user's id.
func (d *Decoder) readUser() error {
	attributes := d.event.record.Attributes()
	if d.json.Kind() != '{' {
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
	switch d.json.Kind() {
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

// readMap reads an object into a map attribute of the record. An empty object sets no attribute.
func (d *Decoder) readMap(attribute string, read func(m pcommon.Map, name string) error) error {
	attributes := d.event.record.Attributes()
	v, err := newMember(attributes, attribute)
	if err != nil {
		return err
	}
	m := v.SetEmptyMap()
	if err := d.members(func(name string) error { return read(m, name) }); err != nil {
		return err
	}
	if m.Len() == 0 {
		attributes.Remove(attribute)
	}
	return nil
}

func (d *Decoder) readException() error {
	d.event.hasException = false
	if err := d.members(d.exceptionMember); err != nil {
		return err
	}
	if !d.event.hasException {
		return reject("has no type, message or stacktrace")
	}
	return nil
}

func (d *Decoder) exceptionMember(name string) error {
	attributes := d.event.record.Attributes()
	var attribute string
	switch name {
	case "type":
		attribute = appevent.AttrExceptionType
	case "message":
		attribute = appevent.AttrExceptionMessage
	case "stacktrace":
		attribute = appevent.AttrExceptionStacktrace
	case "handled":
		return d.putBool(attributes, appevent.AttrHandled)
	default:
		return reject("unknown field; exception has type, message, stacktrace and handled")
	}
	before := attributes.Len()
	err := d.putText(attributes, attribute)
	d.event.hasException = d.event.hasException || attributes.Len() > before
	return err
}

func (d *Decoder) readTrace() error { return d.members(d.traceMember) }

func (d *Decoder) traceMember(name string) error {
	record := d.event.record
	traceID, spanID := record.TraceID(), record.SpanID()
	switch {
	case name == "trace_id" && traceID.IsEmpty():
		err := d.hex(traceID[:])
		record.SetTraceID(traceID)
		return err
	case name == "span_id" && spanID.IsEmpty():
		err := d.hex(spanID[:])
		record.SetSpanID(spanID)
		return err
	case name == "flags" && record.Flags() == 0:
		flags, err := d.integer(0, math.MaxUint32)
		record.SetFlags(plog.LogRecordFlags(flags)) //nolint:gosec // within 32 bits
		return err
	case name == "trace_id", name == "span_id", name == "flags":
		return reject("given twice")
	}
	return reject("unknown field; trace has trace_id, span_id and flags")
}

// hex reads a trace or span id; null and the empty string leave it unset.
func (d *Decoder) hex(id []byte) error {
	if d.json.Kind() == 'n' {
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

func (d *Decoder) readScope() error { return d.members(d.scopeMember) }

func (d *Decoder) scopeMember(name string) error {
	scope := d.event.scope
	switch {
	case name == "name" && scope.Name() == "":
		s, err := d.text()
		scope.SetName(s)
		return err
	case name == "version" && scope.Version() == "":
		s, err := d.text()
		scope.SetVersion(s)
		return err
	case name == "attributes" && scope.Attributes().Len() == 0:
		return d.readAttributes(scope.Attributes())
	case name == "name", name == "version", name == "attributes":
		return reject("given twice")
	}
	return reject("unknown field; scope has name, version and attributes")
}

// readContext reads attributes by their OpenTelemetry names, and ip and user_agent.
func (d *Decoder) readContext() error {
	attributes := d.event.record.Attributes()
	return d.members(func(name string) error {
		switch name {
		case "ip":
			return d.putText(attributes, appevent.AttrClientAddress)
		case "user_agent", "userAgent":
			return d.putText(attributes, appevent.AttrUserAgent)
		}
		if d.route.isTrackAPI() {
			return d.trackContext(name)
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
