// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventjson

import (
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonread"
)

// isEvents reports whether a member of the body holds its events.
func isEvents(name string) bool { return name == "events" || name == "batch" }

// isWriteKey reports whether a member is the write key. [WriteKey] reads it.
func isWriteKey(name string) bool {
	return name == "write_key" || name == "writeKey" || name == "api_key"
}

// isSentAt reports whether a member is the send time of a batch. It is ignored: the time of an
// event is its own.
func isSentAt(name string) bool { return name == "sent_at" || name == "sentAt" }

// WriteKey returns the member write_key (also writeKey or api_key) of a body that is an object, or
// the empty string.
func WriteKey(body []byte) string {
	var r jsonread.Reader
	r.Reset(body)
	if r.Kind() != jsonread.Object {
		return ""
	}
	key := ""
	_ = eachMember(&r, func(name []byte) (bool, error) {
		if !isWriteKey(string(name)) || r.Kind() != jsonread.String {
			return true, r.Skip()
		}
		raw, _, err := r.String()
		key = string(jsonread.Unquote(nil, raw))
		return false, err
	})
	return key
}

// eachMember calls f for each member until f returns false. f must read the member's value.
func eachMember(r *jsonread.Reader, f func(name []byte) (bool, error)) error {
	r.Open()
	for first := true; ; first = false {
		more, err := r.Next(jsonread.EndObject, first)
		if err != nil || !more {
			return err
		}
		raw, _, err := r.Name()
		if err != nil {
			return err
		}
		if more, err = f(raw); err != nil || !more {
			return err
		}
	}
}

// bodyObject reads a body that is an object: one event, or an object with an array of events.
func (d *Decoder) bodyObject() error {
	begin := d.json.Offset()
	holdsEvents := false
	err := eachMember(&d.json, func(name []byte) (bool, error) {
		if isEvents(string(name)) {
			holdsEvents = true
			return false, nil
		}
		return true, d.json.Skip()
	})
	if err != nil {
		return syntaxError(err)
	}
	d.json.Return(begin)
	if holdsEvents {
		return d.envelope()
	}
	d.single = true
	return d.element()
}

// envelope reads an object with an array of events.
func (d *Decoder) envelope() error {
	d.json.Open()
	seen := false
	for first := true; ; first = false {
		more, err := d.json.Next(jsonread.EndObject, first)
		if err != nil || !more {
			return syntaxError(err)
		}
		name, err := d.name()
		if err != nil {
			return err
		}
		switch {
		case isWriteKey(name), isSentAt(name), d.route.isBatchMember(name):
			err = syntaxError(d.json.Skip())
		case !isEvents(name):
			return within(name, reject("unknown field; an object with an array of events has only events (or batch), write_key and sent_at"))
		case seen:
			return within(name, reject("the events are given twice"))
		case d.json.Kind() != jsonread.Array:
			return within(name, d.wrongKind("want an array of events"))
		default:
			seen = true
			err = d.array()
		}
		if err != nil {
			return err
		}
	}
}
