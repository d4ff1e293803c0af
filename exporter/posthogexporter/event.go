// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"math"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// event is one PostHog event on its way through the phases: identity (identity.go, written by
// begin), properties (properties.go, and the file of each kind of event), context (context.go) and
// close (close.go). A phase reads what earlier phases have set.
type event struct {
	source *source

	// The identity phase.

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
	// aboutPerson is set where the event sets or merges persons or groups, which PostHog refuses
	// from events without a profile.
	aboutPerson bool
	// dropped are attributes that the event must not have.
	dropped []string

	// The phases after it.

	props  properties
	lifted lifted
	// ending are the properties of the source.
	ending *ending
	// overridden is set if the event has written a property with a name that is in the ending.
	overridden bool
}

// begin writes an event up to its first property. PostHog drops repetitions by uuid, event,
// distinct_id and timestamp, so these are written here, once, and are the same at each attempt.
// completeMeta has to agree with the Meta.
func (enc *encoder) begin(w *delivery.Writer, ev *event) []byte {
	if ev.at == 0 {
		ev.at = pcommon.NewTimestampFromTime(enc.now())
	}
	ev.at = min(ev.at, math.MaxInt64) // beyond it there is no time.Time, by which old ones are known
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
	ev.ending = &ev.source.v1
	if ev.protocol == ProtocolBatch {
		ev.ending = &ev.source.batch
	}
	return dst
}

// restart forgets the properties that were written since begin.
func (ev *event) restart() {
	ev.props.End()
	ev.props.start(ev.props.values)
	ev.lifted, ev.overridden = lifted{}, false
}
