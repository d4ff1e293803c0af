// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageexporter

import (
	"slices"

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
	values   jsonappend.Writer
	known    knownNames // of attributes
	usualIDs bool       // whether customer ids are where the default says
	noted    tally      // corrections since Reset
	source   source
	told     told              // of its device, by the event that is being written
	scratch  []byte            // the attributes of the same
	past     pcommon.Timestamp // when the clock was last looked at
	clock    jsonappend.Clock
}

func newEncoder(b *backend) *encoder {
	return &encoder{backend: b, usualIDs: slices.Equal(b.cfg.CustomerID.From, usualIDs())}
}

// Reset implements delivery.Encoder.
func (enc *encoder) Reset() {
	enc.source, enc.told = source{}, told{}
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
	customer, ok := enc.identify(e)
	if !ok {
		return delivery.Skip("no_customer_id")
	}
	if err := enc.encodeKind(w, e, customer); err != nil {
		return err
	}
	if e.TraitsOnce.Len() > 0 {
		w.Skip("traits_once") // MoEngage sets, but does not set once
	}
	return nil
}

func (enc *encoder) encodeKind(w *delivery.Writer, e *appevent.Event, customer string) error {
	switch e.Kind {
	case appevent.KindIdentify:
		return enc.encodeIdentify(w, e, customer)
	case appevent.KindGroup:
		return enc.encodeGroups(w, e, customer)
	case appevent.KindAlias:
		return enc.encodeAlias(w, e, customer)
	default:
		return enc.encodeEvent(w, e, customer)
	}
}

// begin starts an encoded event of a kind, with the members that all kinds but merges have. The id of the device may be empty.
func (enc *encoder) begin(w *delivery.Writer, e *appevent.Event, k kind, customer, deviceID string) []byte {
	dst := w.Begin(delivery.Meta{ID: e.ID(), Name: e.Name, Time: e.Time, Category: categories[k], Destination: customer})
	dst = append(dst, heads[k]...)
	dst = jsonappend.String(dst, customer)
	if deviceID != "" {
		dst = jsonappend.String(append(dst, `,"device_id":`...), deviceID)
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
