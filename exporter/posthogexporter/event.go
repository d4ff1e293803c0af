// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"math"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// event is the state of one PostHog event while the encoder writes it, in four phases: identity
// (identity.go), properties (properties.go and the file of each kind of event), context
// (context.go) and close (close.go). A phase reads fields that earlier phases have set.
type event struct {
	source *source

	// The identity phase sets these.

	// id and name are those of the record or span, for Meta.
	id, name string
	// uuid and title are the ID and the name in PostHog.
	uuid     uuidText
	title    string
	who      identity
	at       pcommon.Timestamp
	protocol Protocol
	// previous is another ID of the same person.
	previous string
	// about is the group that a group event is about.
	about group
	// needsProfile is set for events that set or merge persons or groups: PostHog refuses them
	// without a person profile.
	needsProfile bool
	// ignored are attributes that the event must not have.
	ignored []string

	// The later phases set these.

	props  properties
	lifted lifted
	// suffix holds the properties of the source.
	suffix *suffix
	// overridden is set once the event has a property whose name also occurs in suffix.
	overridden bool
	// ofClient is set if the event comes from a phone or a browser, judging by its kind or attributes.
	ofClient bool
	// cookieless is set if PostHog generates the distinct ID. problem is the reason why PostHog would
	// not store the event, or nil.
	cookieless bool
	problem    error
	// noProfile is set if an attribute says that the event has no person profile.
	noProfile bool
}

// personID returns the distinct ID that the event carries. It is empty for group events, whose
// distinct ID is the group's.
func (ev *event) personID() string {
	if ev.about.isSet() {
		return ""
	}
	return ev.who.id
}

// begin writes an event up to its first property. PostHog deduplicates by uuid, event, distinct_id
// and timestamp, so these are written once, here, and stay the same in each attempt. completeMeta
// must set the same Meta.
func (enc *encoder) begin(w *delivery.Writer, ev *event) []byte {
	if ev.at == 0 {
		ev.at = pcommon.NewTimestampFromTime(enc.now())
	}
	ev.at = min(ev.at, math.MaxInt64) // time.Time cannot hold a later time
	dst := w.Begin(delivery.Meta{
		ID: ev.id, Name: ev.name, Time: ev.at, Category: string(ev.protocol), Key: resourceOf(ev.title),
	})
	if string(ev.uuid[:]) != ev.id {
		w.SetVendorID(ev.uuid[:])
	}
	dst = append(append(dst, `{"uuid":"`...), ev.uuid[:]...)
	dst = jsonappend.String(append(dst, `","event":`...), ev.title)
	dst = ev.who.append(append(dst, `,"distinct_id":`...))
	dst = enc.clock.Time(append(dst, `,"timestamp":`...), ev.at-ev.at%1e3) // PostHog keeps microseconds
	dst = append(dst, `,"properties":{`...)
	ev.props.start(&enc.values)
	ev.suffix = &ev.source.v1
	if ev.protocol == ProtocolBatch {
		ev.suffix = &ev.source.batch
	}
	return dst
}

// restart forgets the properties written since begin.
func (ev *event) restart() {
	ev.props.End()
	ev.props.start(ev.props.values)
	ev.lifted, ev.overridden, ev.cookieless, ev.problem, ev.noProfile = lifted{}, false, false, nil, false
}
