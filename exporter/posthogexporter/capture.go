// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// Limits of these fields in bytes (capture v1, v1/analytics/constants.rs in PostHog/posthog). The batch protocol cuts off longer ones,
// which would make one person of many.
const (
	maxName       = 200
	maxDistinctID = 200
)

// capture is one PostHog event before it is written.
type capture struct {
	// id and name are those of the record or span, for Meta.
	id, name string
	// uuid and event are the id and the name in PostHog.
	uuid     uuid
	event    string
	who      identity
	at       pcommon.Timestamp
	protocol Protocol
	// aboutPerson is set where the event sets or merges persons or groups, which PostHog refuses from events without a profile.
	aboutPerson bool
	// dropped are attributes that the event must not have.
	dropped []string
}

// check returns an error for a field that PostHog would refuse, or cut off.
func (c *capture) check() error {
	if c.event == "" {
		return errors.New("the event has no name, and PostHog takes none without; set the record's event name")
	}
	if len(c.event) > maxName {
		return fmt.Errorf("the name has %d bytes, and PostHog takes %d; shorten it, or give it another in event_names::map", len(c.event), maxName)
	}
	if len(c.who.id) > maxDistinctID {
		return fmt.Errorf("the distinct id has %d bytes, and PostHog takes %d; see distinct_id::from", len(c.who.id), maxDistinctID)
	}
	return nil
}

// begin writes an event up to its first property. PostHog sorts events and drops repetitions by uuid, event, distinct_id and
// timestamp, so these are written here, once, and are the same at each attempt. completeMeta has to agree with the Meta.
func (enc *encoder) begin(w *delivery.Writer, c *capture) ([]byte, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if c.at == 0 {
		c.at = pcommon.NewTimestampFromTime(enc.now())
	}
	c.at = min(c.at, math.MaxInt64) // beyond it there is no time.Time, by which old ones are known
	enc.protocol, enc.dropped, enc.overridden, enc.ending = c.protocol, c.dropped, false, &enc.source.v1
	if c.protocol == ProtocolBatch {
		enc.ending = &enc.source.batch
	}
	dst := w.Begin(delivery.Meta{ID: c.id, Name: c.name, Time: c.at, Category: string(c.protocol), Key: resourceOf(c.event)})
	if string(c.uuid[:]) != c.id {
		w.SetVendorID(c.uuid[:])
	}
	dst = append(append(dst, `{"uuid":"`...), c.uuid[:]...)
	dst = jsonappend.String(append(dst, `","event":`...), c.event)
	dst = c.who.append(append(dst, `,"distinct_id":`...))
	dst = enc.clock.Time(append(dst, `,"timestamp":`...), c.at-c.at%1e3) // PostHog keeps microseconds
	dst = append(dst, `,"properties":{`...)
	enc.lifted, enc.props = lifted{}, enc.values.Members()
	return dst, nil
}

// restart forgets the properties that were written since begin.
func (enc *encoder) restart() {
	enc.props.End()
	enc.lifted, enc.props = lifted{}, enc.values.Members()
}

// end writes the rest of an event.
func (enc *encoder) end(w *delivery.Writer, dst []byte, c *capture) {
	profile := c.aboutPerson || enc.hasProfile(&c.who)
	if c.protocol == ProtocolBatch && !profile {
		dst = enc.appendFalse(dst, propProcessPerson)
	}
	dst = enc.appendEnding(dst)
	enc.props.End()
	dst = append(dst, '}')
	if c.protocol == ProtocolV1 {
		dst = enc.lifted.append(dst, &enc.values, profile)
	}
	w.End(append(dst, '}'))
}

// PostHog properties that capture v1 takes beside the properties (v1/analytics/types.rs in PostHog/posthog).
const (
	propSession       = "$session_id"
	propWindow        = "$window_id"
	propProcessPerson = "$process_person_profile"
	propCookieless    = "$cookieless_mode"
	propIgnoreSentAt  = "$ignore_sent_at"
	propProductTour   = "$product_tour_id"
)

// Properties that all events of a source have.
const (
	// propGeoIPDisable tells PostHog not to look up where the sender is.
	propGeoIPDisable = "$geoip_disable"
	// propIsServer tells PostHog that the operating system is not the person's.
	propIsServer = "$is_server"
	// propLib and propLibVersion identify this exporter. Capture v1 takes them from a header.
	propLib        = "$lib"
	propLibVersion = "$lib_version"
)

// lifted are the attributes that stand beside the properties of an event of capture v1.
type lifted struct {
	session, window                  string
	process, cookieless, productTour pcommon.Value
	has                              struct{ process, cookieless, productTour bool }
}

// lift takes an attribute if it belongs beside the properties, and reports whether it did.
func (l *lifted) lift(name string, v pcommon.Value) bool {
	switch name {
	case propSession:
		return liftText(&l.session, v)
	case propWindow:
		return liftText(&l.window, v)
	case propProcessPerson:
		return liftOption(&l.process, &l.has.process, v)
	case propCookieless:
		return liftOption(&l.cookieless, &l.has.cookieless, v)
	case propProductTour:
		return liftOption(&l.productTour, &l.has.productTour, v)
	case propIgnoreSentAt:
		return true // it is always on
	}
	return false
}

func liftText(field *string, v pcommon.Value) bool {
	if v.Type() != pcommon.ValueTypeStr || *field != "" {
		return false
	}
	*field = v.Str()
	return true
}

func liftOption(field *pcommon.Value, has *bool, v pcommon.Value) bool {
	switch v.Type() {
	case pcommon.ValueTypeBool, pcommon.ValueTypeStr, pcommon.ValueTypeInt:
	default:
		return false // which PostHog would drop the event for
	}
	if !*has {
		*field, *has = v, true
	}
	return true
}

// append appends the lifted attributes. It turns off PostHog's correction of timestamps by when the request was sent: they are not of
// this machine's clock.
func (l *lifted) append(dst []byte, values *jsonappend.Writer, profile bool) []byte {
	if l.session != "" {
		dst = jsonappend.String(append(dst, `,"session_id":`...), l.session)
	}
	if l.window != "" {
		dst = jsonappend.String(append(dst, `,"window_id":`...), l.window)
	}
	dst = append(dst, `,"options":{"disable_skew_correction":true`...)
	switch {
	case l.has.process:
		dst = values.Value(append(dst, `,"process_person_profile":`...), l.process)
	case !profile:
		dst = append(dst, `,"process_person_profile":false`...)
	}
	if l.has.cookieless {
		dst = values.Value(append(dst, `,"cookieless_mode":`...), l.cookieless)
	}
	if l.has.productTour {
		dst = values.Value(append(dst, `,"product_tour_id":`...), l.productTour)
	}
	return append(dst, '}')
}

// appendText appends a property whose value is not empty, unless there is one of the name.
func (enc *encoder) appendText(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	dst, ok := enc.props.Name(dst, name)
	if !ok {
		return dst
	}
	return jsonappend.String(dst, value)
}

func (enc *encoder) appendTrue(dst []byte, name string) []byte {
	dst, ok := enc.props.Name(dst, name)
	if !ok {
		return dst
	}
	return append(dst, "true"...)
}

func (enc *encoder) appendFalse(dst []byte, name string) []byte {
	dst, ok := enc.props.Name(dst, name)
	if !ok {
		return dst
	}
	return append(dst, "false"...)
}

// appendHex is appendText for bytes.
func (enc *encoder) appendHex(dst []byte, name string, value []byte) []byte {
	dst, ok := enc.props.Name(dst, name)
	if !ok {
		return dst
	}
	dst = hex.AppendEncode(append(dst, '"'), value)
	return append(dst, '"')
}
