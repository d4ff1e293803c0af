// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"errors"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
	"github.com/otelcol-fanout/otelcol-fanout/internal/stacktrace"
)

// encoder writes records as PostHog events. It keeps its fields from event to event; the type event
// holds the state of one.
type encoder struct {
	*backend
	values       jsonappend.Writer
	source       *source // of the last event
	hidesContent bool    // whether prompts and outputs of language models are redacted or omitted
	idNames      nameSet // names of the attributes that may hold a distinct ID
	usualIDs     bool    // whether distinct_id::from has its default
	special      nameSet // names of the attributes that may not be plain properties
	parser       stacktrace.Parser
	clock        jsonappend.Clock
}

func newEncoder(b *backend) *encoder {
	enc := &encoder{
		backend: b, hidesContent: b.cfg.AI.Content != ContentFull,
		parser: stacktrace.Parser{Rules: b.cfg.Exceptions.InApp},
	}
	for _, name := range b.cfg.DistinctID.From {
		enc.idNames |= nameBit(name)
	}
	enc.usualIDs = slices.Equal(b.cfg.DistinctID.From, usualIDs())
	enc.special = clientNames() | nameBit(attrDistinctID) | nameBit(attrVercelDistinctID)
	if enc.hidesContent {
		enc.special = allNames
	}
	return enc
}

// Prepare implements delivery.Encoder.
func (*encoder) Prepare(plog.Logs) {}

// Reset implements delivery.Encoder.
func (enc *encoder) Reset() { enc.source = nil }

// Encode implements delivery.Encoder.
func (enc *encoder) Encode(w *delivery.Writer, e *appevent.Event) error {
	needsProfile := e.Kind == appevent.KindIdentify || e.Kind == appevent.KindAlias || e.Kind == appevent.KindGroup
	switch {
	case enc.cfg.Logs.Skips(e):
		return delivery.Skip("plain_log")
	case needsProfile && enc.cfg.PersonProfiles == ProfilesNever:
		return delivery.Skip("no_profiles")
	case e.Kind == appevent.KindGroup:
		return enc.encodeGroups(w, e)
	case enc.isOperationDetails(e):
		return enc.encodeDetails(w, e)
	case needsProfile || !e.IsException():
		return enc.encodeRecord(w, e, group{})
	}
	return enc.encodeReport(w, e)
}

// encodeReport writes a record that reports an exception as an $exception. If the record has a name
// of its own, it also becomes an event of that name.
func (enc *encoder) encodeReport(w *delivery.Writer, e *appevent.Event) error {
	named := e.Kind != appevent.KindTrack || e.HasOwnName()
	if named {
		if err := enc.encodeRecord(w, e, group{}); err != nil {
			return err
		}
	}
	switch {
	case enc.cfg.Exceptions.Enabled:
		return enc.encodeException(w, e, noAttributes, named)
	case named:
		return nil
	default:
		return delivery.Skip("exceptions_off")
	}
}

// noAttributes are the span attributes of an event that did not happen in a span. Read-only.
//
//nolint:gochecknoglobals // constant
var noAttributes = pcommon.NewMap()

// encodeGroups writes a group event as one $groupidentify for each group.
func (enc *encoder) encodeGroups(w *delivery.Writer, e *appevent.Event) error {
	groups := 0
	for kind, v := range e.Groups.All() {
		g, ok := newGroup(kind, v)
		if !ok {
			continue
		}
		groups++
		if err := enc.encodeRecord(w, e, g); err != nil {
			return err
		}
	}
	if groups == 0 {
		return errors.New("a group event needs a group; set fanout.groups to a map of group types to keys")
	}
	return nil
}

// encodeRecord writes a record as one event. about is the group of a group event.
func (enc *encoder) encodeRecord(w *delivery.Writer, e *appevent.Event, about group) error {
	var ev event
	ev.source, ev.about = enc.sourceOf(e.Source), about
	if err := enc.identifyRecord(&ev, e); err != nil {
		return err
	}
	dst := enc.begin(w, &ev)
	dst = enc.appendRecord(dst, &ev, e)
	dst = enc.appendContext(dst, &ev, e)
	return enc.close(w, dst, &ev)
}
