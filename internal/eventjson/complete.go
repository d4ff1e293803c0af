// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventjson

import (
	"encoding/base64"
	"math"

	"github.com/google/uuid"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
)

// complete runs the checks that need all members, and sets defaults.
func (d *Decoder) complete() error {
	e := &d.event
	if err := d.completeRoute(); err != nil {
		return err
	}
	if err := d.readOrigin(); err != nil {
		return err
	}
	for _, vt := range e.valueTypes {
		if err := e.restore(vt); err != nil {
			return within(fieldValueTypes, within(vt.pointer, err))
		}
	}
	if err := e.completeSeverity(); err != nil {
		return within(fieldSeverity, err)
	}
	if err := e.completeName(); err != nil {
		return err
	}
	e.record.SetEventName(e.name)
	e.record.SetObservedTimestamp(d.received)
	if e.record.Timestamp() == 0 {
		e.record.SetTimestamp(d.received)
		return e.completeID()
	}
	return nil
}

// completeID generates an id for an event with neither an id nor a time: two identical clicks are
// two events.
func (e *pending) completeID() error {
	if _, ok := e.record.Attributes().Get(appevent.AttrID); ok {
		return nil
	}
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	e.randomID = true
	e.record.Attributes().PutStr(appevent.AttrID, id.String())
	return nil
}

func (e *pending) completeSeverity() error {
	text := e.record.SeverityText()
	if e.severityNumber || text == "" {
		return nil
	}
	number, ok := severityNumber(text)
	if !ok {
		return reject("unknown level; use trace, debug, info, warn, error or fatal, or add severity_number (1 to 24)")
	}
	e.record.SetSeverityNumber(number)
	return nil
}

func (e *pending) completeName() error {
	switch {
	case e.name != "":
	case e.kind == appevent.KindTrack && !e.hasException && !e.hasBody:
		return within(fieldName, reject("is missing; say what happened, such as order_placed"))
	case e.nameIsNull:
	case e.kind != appevent.KindTrack:
		e.name = e.kind.String()
	case e.hasException:
		e.name = appevent.ExceptionEventName
	}
	return nil
}

// restore sets the type of a value that JSON cannot represent.
func (e *pending) restore(vt valueType) error {
	v, ok := e.find(vt.pointer)
	if !ok || v.Type() != pcommon.ValueTypeStr {
		return reject("does not point to a string")
	}
	if vt.name == typeBytes {
		b, err := base64.StdEncoding.DecodeString(v.Str())
		if err != nil {
			return reject("points to a string that is not base64")
		}
		v.SetEmptyBytes().FromRaw(b)
		return nil
	}
	switch v.Str() {
	case "NaN":
		v.SetDouble(math.NaN())
	case "Infinity":
		v.SetDouble(math.Inf(1))
	case "-Infinity":
		v.SetDouble(math.Inf(-1))
	default:
		return reject("points to a string other than NaN, Infinity and -Infinity")
	}
	return nil
}
