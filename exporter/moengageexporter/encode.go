// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageexporter

import (
	"slices"
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// kind is the kind of object that an encoded event is. MoEngage has a route and a rate limit for
// each.
type kind int

const (
	kindEvent kind = iota
	kindUser
	kindDevice
	kindMerge
	numKinds
)

// categories holds the Meta.Category of each kind.
var categories = [numKinds]string{kindEvent: "event", kindUser: "user", kindDevice: "device", kindMerge: "merge"}

// kindOf returns the kind of an encoded event.
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
	usualIDs bool       // whether customer_id::from has its default
	noted    tally      // corrections since Reset
	source   source
	clock    jsonappend.Clock
	past     pcommon.Timestamp // when the clock was last read
	headKey  headKey

	locations locations

	// What the current event says about its device and time zone, and its encoded attributes.
	hints    deviceHints
	timezone timezone
	scratch  []byte
}

func newEncoder(b *backend) *encoder {
	return &encoder{backend: b, usualIDs: slices.Equal(b.cfg.CustomerID.From, usualIDs()), locations: locations{}}
}

// Prepare implements delivery.Encoder. Each record is encoded on its own.
func (*encoder) Prepare(plog.Logs) {}

// Reset implements delivery.Encoder.
func (enc *encoder) Reset() {
	enc.source, enc.hints = source{}, deviceHints{}
	if enc.noted != (tally{}) {
		enc.corrections.add(&enc.noted)
	}
}

// Encode implements delivery.Encoder.
func (enc *encoder) Encode(w *delivery.Writer, e *appevent.Event) error {
	switch {
	case enc.cfg.Logs.Skips(e):
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
		w.Skip("traits_once") // MoEngage can set an attribute, but not only if it is unset
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

// metaOf returns the Meta of an encoded event. The destination is the customer, or both customers
// of a merge.
func metaOf(e *appevent.Event, k kind, destination string) delivery.Meta {
	return delivery.Meta{ID: e.ID(), Name: e.Name, Time: e.Time, Category: categories[k], Destination: destination}
}

// beginUser starts an update of a user. The caller appends the object with the attributes.
func beginUser(w *delivery.Writer, e *appevent.Event, customer string) []byte {
	return append(appendHead(w.Begin(metaOf(e, kindUser, customer)), kindUser, customer, ""), attributesOpen...)
}

// appendHead appends the first members of an object of any kind except a merge. The device ID may be
// empty.
func appendHead(dst []byte, k kind, customer, deviceID string) []byte {
	dst = jsonappend.String(append(dst, objectHeads[k]...), customer)
	if deviceID != "" {
		dst = jsonappend.String(append(dst, `,"device_id":`...), deviceID)
	}
	return dst
}

// objectHeads holds the beginning of an object of each kind.
var objectHeads = [numKinds]string{
	kindEvent:  `{"type":"event","customer_id":`,
	kindUser:   `{"type":"customer","customer_id":`,
	kindDevice: `{"type":"device","customer_id":`,
}

// An object of kind event is a head, which ends with actionsOpen, one action, and actionsClose.
const (
	actionsOpen    = `,"actions":[`
	actionsClose   = `]}`
	attributesOpen = `,"attributes":`
)

// headKey caches the Meta.Key of an event: the length of its head in decimal. Consecutive events
// with the same head share one element of a bulk request.
type headKey struct {
	length int
	text   []byte
}

func (k *headKey) of(length int) []byte {
	if k.length != length { // users' IDs often have the same length
		k.length, k.text = length, strconv.AppendInt(k.text[:0], int64(length), 10)
	}
	return k.text
}

// headLength returns the length of an event's head, from its key. It is 0 if the key is not a
// length, or the payload is shorter.
func headLength(e *delivery.Event) int {
	length, err := strconv.Atoi(e.Key)
	if err != nil || length < 0 || length > len(e.Payload) {
		return 0
	}
	return length
}
