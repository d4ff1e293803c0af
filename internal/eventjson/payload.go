// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventjson

import (
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonread"
)

// Payload says how to turn another system's JSON into an event.
type Payload struct {
	// Name is the event's name, unless the JSON pointer NamePath leads to a non-blank string.
	Name, NamePath string
	// NamePrefix is prepended to the name.
	NamePrefix string
	// ID is the event's id, unless IDPath leads to one. If neither gives an id, one is generated.
	ID, IDPath string
	// TimePath leads to the event's time, in the formats of timestamp. Other values are ignored.
	TimePath string
}

// DecodePayload reads another system's JSON as properties of an event: an object becomes one event,
// an array one event per object. received is the time of events without one.
func (d *Decoder) DecodePayload(body []byte, p *Payload, received time.Time) (Result, error) {
	d.begin(received, len(body))
	several := false
	d.decodeOne = func(d *Decoder) error {
		d.beginEvent()
		d.depth = 1 // the depth of an event's properties
		if err := d.readData(); err != nil {
			return err
		}
		return d.completePayload(p, several)
	}
	return d.decodeWhole(body, func() error {
		several = d.json.Kind() == jsonread.Array
		if several {
			return d.array()
		}
		if d.json.Left() == 0 {
			return d.notEvents()
		}
		return d.element()
	})
}

// completePayload sets the record's name, id and time. In an array, each event gets its own id,
// derived from the delivery's.
func (d *Decoder) completePayload(p *Payload, several bool) error {
	e := &d.event
	name := e.textAt(p.NamePath)
	if strings.TrimSpace(name) == "" {
		name = p.Name
	}
	e.record.SetEventName(p.NamePrefix + name)
	e.id = e.textAt(p.IDPath)
	if e.id == "" && p.ID != "" {
		e.id = p.ID
		if several {
			e.id = uuid.NewSHA1(uuid.NameSpaceURL, []byte(p.ID+"\n"+strconv.Itoa(d.index))).String()
		}
	}
	if e.id != "" {
		if err := d.put(appevent.AttrID, e.id); err != nil {
			return within(appevent.AttrID, err)
		}
	}
	if err := d.readOrigin(); err != nil {
		return err
	}
	e.record.SetObservedTimestamp(d.received)
	if t, err := parseTimestamp(e.textAt(p.TimePath)); err == nil && t != 0 {
		e.record.SetTimestamp(t)
		return nil
	}
	e.record.SetTimestamp(d.received)
	return e.completeID()
}

// textAt returns the string or number that a JSON pointer into the properties leads to, or the
// empty string.
func (e *pending) textAt(pointer string) string {
	if pointer == "" {
		return ""
	}
	steps := strings.Split(pointer, "/")[1:]
	for i, step := range steps {
		steps[i] = pointerUnescaper.Replace(step)
	}
	v, ok := findInMap(e.record.Attributes(), steps)
	if !ok {
		return ""
	}
	switch v.Type() {
	case pcommon.ValueTypeStr, pcommon.ValueTypeInt, pcommon.ValueTypeDouble:
		return v.AsString()
	default:
		return ""
	}
}
