// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageexporter

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
	"github.com/otelcol-fanout/otelcol-fanout/internal/pattern"
)

// logName is the event name of plain logs.
const logName = "log"

// encodeEvent writes an event with one action. If the record has traits, an update of the user comes
// first.
func (enc *encoder) encodeEvent(w *delivery.Writer, e *appevent.Event, customer string) error {
	name, err := enc.nameOf(e)
	if err != nil {
		return err
	}
	if e.Traits.Len() > 0 {
		enc.encodeUser(w, e, customer)
	}
	// The device and the time zone are found in the attributes, but the device is written before them.
	enc.hints, enc.timezone = deviceHints{}, timezone{}
	enc.scratch = enc.appendAttributes(enc.scratch[:0], e)
	device := enc.hints.device(&enc.source.device)

	dst := w.Begin(metaOf(e, kindEvent, customer))
	start := len(dst)
	dst = append(appendHead(dst, kindEvent, customer, device.id), actionsOpen...)
	w.SetKey(enc.headKey.of(len(dst) - start))
	dst = jsonappend.String(append(dst, `{"action":`...), name)
	dst = append(append(dst, attributesOpen...), enc.scratch...)
	if device.platform != "" {
		dst = jsonappend.String(append(dst, `,"platform":`...), device.platform)
		// Without a platform, this would be the version of a server rather than of the app.
		if version := e.Source.ServiceVersion; version != "" {
			dst = jsonappend.String(append(dst, `,"app_version":`...), version)
		}
	}
	at := enc.timeOf(e)
	dst = enc.appendTime(append(dst, `,"current_time":`...), at)
	if enc.timezone.rank != 0 {
		dst = enc.appendOffset(dst, at)
	}
	w.End(append(append(dst, '}'), actionsClose...))
	return nil
}

// appendOffset appends the offset of the user's time zone.
func (enc *encoder) appendOffset(dst []byte, at pcommon.Timestamp) []byte {
	if offset, ok := enc.locations.offset(&enc.timezone, at); ok {
		dst = jsonappend.Int(append(dst, `,"user_timezone_offset":`...), int64(offset))
	}
	return dst
}

// appendTime appends a time with milliseconds.
func (enc *encoder) appendTime(dst []byte, at pcommon.Timestamp) []byte {
	dst = enc.clock.Second(dst, at)
	if millis := at % 1e9 / 1e6; millis > 0 {
		dst = append(dst, '.', '0'+byte(millis/100), '0'+byte(millis/10%10), '0'+byte(millis%10))
	}
	return append(dst, 'Z', '"')
}

// timeOf returns when the event happened. MoEngage refuses times in the future, and dates an event
// without a time when it arrives, which may be much later; both get the current time.
func (enc *encoder) timeOf(e *appevent.Event) pcommon.Timestamp {
	at := e.Time
	if at == 0 || at > enc.past { // most events need no look at the clock
		enc.past = pcommon.NewTimestampFromTime(enc.now())
	}
	switch {
	case at == 0:
		at = enc.past
	case at > enc.past:
		enc.noted[correctedTime]++
		at = enc.past
	}
	return at
}

// nameOf returns the name of the event in MoEngage, or a Skip if the event is not sent.
func (enc *encoder) nameOf(e *appevent.Event) (string, error) {
	names := &enc.cfg.EventNames
	name := e.Name
	switch {
	case !e.IsEvent():
		name = logName
	case len(names.Allow) > 0 && !pattern.Any(names.Allow, e.Name):
		return "", delivery.Skip("not_allowed")
	}
	if mapped, ok := names.Map[name]; ok {
		name = mapped
	} else {
		switch e.Kind {
		case appevent.KindPage:
			name = names.Page
		case appevent.KindScreen:
			name = names.Screen
		default:
			name = enc.validEventName(name)
		}
	}
	if !enc.eventNames.admit(name) {
		enc.noted[correctedEventNames]++
		return "", delivery.Skip("event_name_limit")
	}
	return name, nil
}

// appendAttributes appends the attributes of an action: the event's ID, for which MoEngage has no
// other place, then those of the record and of the resource. It fills in enc.hints and enc.timezone.
func (enc *encoder) appendAttributes(dst []byte, e *appevent.Event) []byte {
	a := enc.object(maxAttributes, nil)
	dst = append(dst, '{')
	dst = a.text(dst, "event_id", e.ID())
	for name, v := range e.Properties() {
		known := enc.known.of(name)
		if !known.deviceHint || !enc.addHint(name, v) {
			dst = a.named(dst, known, v)
		}
	}
	dst = a.appendRecord(dst, e)
	duplicates := enc.noted[correctedDuplicate]
	for i := range enc.source.attributes {
		dst = a.value(dst, enc.source.attributes[i].name, enc.source.attributes[i].value)
	}
	enc.noted[correctedDuplicate] = duplicates // the record overrides the resource; this is not counted
	a.end()
	return append(dst, '}')
}

// appendRecord appends the fields of the record that are not among its attributes.
func (a *object) appendRecord(dst []byte, e *appevent.Event) []byte {
	switch e.Kind {
	case appevent.KindPage:
		dst = a.text(dst, "page_name", e.Name)
	case appevent.KindScreen:
		dst = a.text(dst, "screen_name", e.Name)
	}
	if e.Body.Type() != pcommon.ValueTypeEmpty {
		dst = a.value(dst, "body", e.Body)
	}
	if !e.IsEvent() {
		dst = a.text(dst, "severity", e.Severity())
	}
	dst = a.text(dst, "subject", e.Subject)
	dst = a.text(dst, "session_id", e.SessionID)
	dst = a.text(dst, "exception_type", e.Exception.Type)
	dst = a.text(dst, "exception_message", e.Exception.Message)
	for kind, key := range e.Groups.All() {
		dst = a.value(dst, groupPrefix+kind, key)
	}
	return dst
}
