// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageexporter

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// kind is what an encoded event is to MoEngage, which has a route and a limit for each.
type kind int

const (
	kindEvent kind = iota
	kindUser
	kindDevice
	kindMerge
	kinds
)

// categories are the kinds as they are kept with encoded events.
var categories = [kinds]string{kindEvent: "event", kindUser: "user", kindDevice: "device", kindMerge: "merge"}

// kindOf is the kind of an encoded event.
func kindOf(e *delivery.Event) kind {
	switch e.Category {
	case categories[kindUser]:
		return kindUser
	case categories[kindDevice]:
		return kindDevice
	case categories[kindMerge]:
		return kindMerge
	default:
		return kindEvent
	}
}

// encoder writes records as the objects of MoEngage's Data API.
type encoder struct {
	*backend
	values    jsonappend.Writer
	rewritten map[string]rewritten // names of attributes that MoEngage does not take as they are
	noted     tally                // corrections since Reset
	source    source
	telling   telling
	record    told              // of the event
	past      pcommon.Timestamp // when the clock was last looked at
}

func newEncoder(b *backend) *encoder {
	return &encoder{backend: b, rewritten: map[string]rewritten{}, telling: newTelling(b.cfg.CustomerID.From)}
}

// Reset implements delivery.Encoder.
func (enc *encoder) Reset() {
	enc.source, enc.record = source{}, told{customers: enc.record.customers}
	clear(enc.record.customers)
	if enc.noted != (tally{}) {
		enc.corrections.add(&enc.noted, enc.now())
	}
}

// Encode implements delivery.Encoder.
func (enc *encoder) Encode(w *delivery.Writer, e *appevent.Event) error {
	switch {
	case !e.IsEvent() && enc.cfg.Logs == LogsSkip:
		return delivery.Skip("plain_log")
	case e.IsException() && e.Kind == appevent.KindTrack && !e.HasOwnName():
		return delivery.Skip("exception")
	}
	who, ok := enc.identify(e)
	if !ok {
		return delivery.Skip("no_customer_id")
	}
	switch e.Kind {
	case appevent.KindIdentify:
		return enc.encodeIdentify(w, e, &who)
	case appevent.KindGroup:
		return enc.encodeGroups(w, e, &who)
	case appevent.KindAlias:
		return enc.encodeAlias(w, e, &who)
	default:
		return enc.encodeEvent(w, e, &who)
	}
}

// begin starts an encoded event of a kind, with the members that all kinds but merges have.
func (enc *encoder) begin(w *delivery.Writer, e *appevent.Event, k kind, who *identity) []byte {
	dst := w.Begin(delivery.Meta{ID: e.ID(), Name: e.Name, Time: e.Time, Category: categories[k], Destination: who.customer})
	dst = append(dst, heads[k]...)
	dst = jsonappend.String(dst, who.customer)
	if who.device != "" && k != kindUser {
		dst = jsonappend.String(append(dst, `,"device_id":`...), who.device)
	}
	return dst
}

// heads is how the objects begin. What a request of kind event may share with the next one ends with actionsOpen.
var heads = [kinds]string{
	kindEvent:  `{"type":"event","customer_id":`,
	kindUser:   `{"type":"customer","customer_id":`,
	kindDevice: `{"type":"device","customer_id":`,
}

const (
	actionsOpen    = `,"actions":[`
	actionsClose   = `]}`
	attributesOpen = `,"attributes":`
)
