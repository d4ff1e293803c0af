// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
	"github.com/otelcol-fanout/otelcol-fanout/internal/stacktrace"
)

// encoder writes records as PostHog events.
type encoder struct {
	*backend
	values       jsonappend.Writer
	source       *source // of the events that are being written
	hidesContent bool    // whether prompts and outputs of language models are redacted or left out
	idNames      uint64  // the bits of the attributes that may hold a distinct id
	usualIDs     bool    // whether these are the default
	special      uint64  // the bits of attributes that are not plain properties
	parser       stacktrace.Parser
	scratch      []byte
	clock        jsonappend.Clock

	// The event that is being written.
	props      jsonappend.Members
	lifted     lifted
	protocol   Protocol
	dropped    []string
	ending     *ending
	overridden bool // whether it has an attribute of a name that is in the ending
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
	enc.special = dollarBit | nameBit(attrDistinctID) | nameBit(attrVercelDistinctID)
	if enc.hidesContent {
		enc.special = ^uint64(0)
	}
	return enc
}

// Prepare implements delivery.Encoder.
func (*encoder) Prepare(plog.Logs) {}

// Reset implements delivery.Encoder.
func (enc *encoder) Reset() { enc.source, enc.ending, enc.lifted = nil, nil, lifted{} }

// Encode implements delivery.Encoder.
func (enc *encoder) Encode(w *delivery.Writer, e *appevent.Event) error {
	switch {
	case !e.IsEvent() && enc.cfg.Logs == LogsSkip:
		return delivery.Skip("plain_log")
	case e.Kind == appevent.KindIdentify:
		return enc.encodeIdentify(w, e)
	case e.Kind == appevent.KindGroup:
		return enc.encodeGroups(w, e)
	case e.Kind == appevent.KindAlias:
		return enc.encodeAlias(w, e)
	case !e.IsException():
		return enc.encodeEvent(w, e)
	}
	return enc.encodeReport(w, e)
}

// encodeReport writes a record that reports an exception: as an exception and, where it has a name of its own, as an event too.
func (enc *encoder) encodeReport(w *delivery.Writer, e *appevent.Event) error {
	named := e.Kind != appevent.KindTrack || e.HasOwnName()
	if named {
		if err := enc.encodeEvent(w, e); err != nil {
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

// logName is the name of plain logs in PostHog.
const logName = "log"

// encodeEvent writes a record as one event.
func (enc *encoder) encodeEvent(w *delivery.Writer, e *appevent.Event) error {
	var c capture
	enc.capture(&c, e, enc.nameOf(e), noAttributes)
	dst, err := enc.begin(w, &c)
	if err != nil {
		return err
	}
	dst = enc.appendAttributes(dst, e)
	switch e.Kind {
	case appevent.KindPage:
		dst = enc.appendPage(dst, e)
	case appevent.KindScreen:
		dst = enc.appendScreen(dst, e)
	}
	dst = enc.appendTraits(dst, e)
	enc.endRecord(w, dst, e, &c, &c.who)
	return nil
}

// endRecord writes the rest of an event that is made from a record.
func (enc *encoder) endRecord(w *delivery.Writer, dst []byte, e *appevent.Event, c *capture, who *identity) {
	dst = enc.appendRecord(dst, e)
	dst = enc.appendContext(dst, e, who)
	enc.end(w, dst, c)
}

// nameOf returns the name of a record in PostHog.
func (enc *encoder) nameOf(e *appevent.Event) string {
	switch {
	case e.Kind == appevent.KindPage:
		return eventPage
	case e.Kind == appevent.KindScreen:
		return eventScreen
	case !e.IsEvent():
		return logName
	}
	if name, ok := enc.cfg.EventNames.Map[e.Name]; ok {
		return name
	}
	return appevent.ValidText(e.Name)
}

// noAttributes stands for the attributes of a span where there is no span. Nothing writes to it.
//
//nolint:gochecknoglobals // it is a constant
var noAttributes = pcommon.NewMap()

// capture sets the fields that events of all kinds have. Where the event itself has no distinct id, the attributes of the span that it
// happened in may have it.
func (enc *encoder) capture(c *capture, e *appevent.Event, event string, span pcommon.Map) {
	enc.enter(e.Source)
	c.id, c.name, c.event, c.at, c.protocol = e.ID(), e.Name, event, e.Time, enc.cfg.Protocol
	c.uuid = uuidOf(c.id)
	if enc.usualIDs && span == noAttributes && enc.findUsual(c, e) {
		return
	}
	for _, attributes := range [...]pcommon.Map{e.Attributes(), span, e.Source.Resource.Attributes()} {
		var ok bool
		if c.who, ok = enc.find(attributes); ok {
			return
		}
	}
	c.who = enc.makeUp(e.SessionID, pcommon.TraceID{}, c.uuid)
}

// findUsual is the fast path of find: most records have a user id, and no distinct id of PostHog's.
func (enc *encoder) findUsual(c *capture, e *appevent.Event) bool {
	id := appevent.ValidText(e.User.ID)
	if isIllegalID(id) {
		return false
	}
	if _, better := e.Attribute(attrDistinctID); better {
		return false
	}
	c.who.id = id
	return true
}

// appendAttributes appends the attributes that are not fields of the event.
func (enc *encoder) appendAttributes(dst []byte, e *appevent.Event) []byte {
	special := enc.special | enc.ending.names
	for name, v := range e.Properties() {
		if special&nameBit(name) == 0 { // most are
			dst = enc.props.Append(dst, name, v)
		} else {
			dst = enc.appendAttribute(dst, name, v)
		}
	}
	return dst
}

// appendAttribute appends an attribute, unless it is more than a property.
func (enc *encoder) appendAttribute(dst []byte, name string, v pcommon.Value) []byte {
	if enc.takes(name, v) {
		return dst
	}
	if enc.hidesContent && isContent(name) {
		return enc.appendContent(dst, name, v)
	}
	enc.overridden = enc.overridden || enc.ending.has(name)
	return enc.props.Append(dst, name, v)
}

// takes reports whether an attribute is not a property: it is the distinct id, is lifted, or is dropped.
func (enc *encoder) takes(name string, v pcommon.Value) bool {
	switch {
	case name == attrDistinctID, name == attrVercelDistinctID, slices.Contains(enc.dropped, name):
		return true
	case enc.protocol == ProtocolV1:
		return enc.lifted.lift(name, v)
	}
	return false
}

// appendRecord appends the fields of a record that are not attributes.
func (enc *encoder) appendRecord(dst []byte, e *appevent.Event) []byte {
	if e.Body.Type() != pcommon.ValueTypeEmpty {
		dst = enc.appendBody(dst, e)
	}
	dst = enc.appendText(dst, "subject", e.Subject)
	if !e.IsEvent() {
		dst = enc.appendText(dst, "severity", e.Severity())
	}
	if e.IsException() {
		dst = enc.appendText(dst, appevent.AttrExceptionType, e.Exception.Type)
		dst = enc.appendText(dst, appevent.AttrExceptionMessage, e.Exception.Message)
	}
	return dst
}

// appendBody appends the body. That of an event of a language model is a prompt or an output.
func (enc *encoder) appendBody(dst []byte, e *appevent.Event) []byte {
	if enc.hidesContent && strings.HasPrefix(e.Name, prefixGenAI) {
		return enc.appendContent(dst, "body", e.Body)
	}
	return enc.props.Append(dst, "body", e.Body)
}

// appendContext appends the user, session, groups, address and trace, unless an attribute has PostHog's name for one.
func (enc *encoder) appendContext(dst []byte, e *appevent.Event, who *identity) []byte {
	dst = enc.appendUser(dst, e, who)
	if enc.protocol == ProtocolBatch {
		dst = enc.appendText(dst, propSession, e.SessionID)
	} else if enc.lifted.session == "" {
		enc.lifted.session = e.SessionID
	}
	dst = enc.appendGroups(dst, e.Groups)
	dst = enc.appendAddress(dst, e)
	if !e.TraceID.IsEmpty() {
		dst = enc.appendHex(dst, "trace_id", e.TraceID[:])
	}
	if !e.SpanID.IsEmpty() {
		dst = enc.appendHex(dst, "span_id", e.SpanID[:])
	}
	return dst
}

// appendUser appends the fields of the user other than the distinct id.
func (enc *encoder) appendUser(dst []byte, e *appevent.Event, who *identity) []byte {
	u := &e.User
	if u.ID != who.id {
		dst = enc.appendText(dst, appevent.AttrUserID, u.ID)
	}
	if u.AnonymousID != who.id {
		dst = enc.appendText(dst, appevent.AttrAnonymousID, u.AnonymousID)
	}
	if e.Kind == appevent.KindIdentify {
		return dst // the rest is set on the person
	}
	dst = enc.appendText(dst, appevent.AttrUserEmail, u.Email)
	dst = enc.appendText(dst, appevent.AttrUserName, u.Name)
	dst = enc.appendText(dst, appevent.AttrUserFullName, u.FullName)
	if u.Roles.Type() != pcommon.ValueTypeEmpty {
		dst = enc.props.Append(dst, appevent.AttrUserRoles, u.Roles)
	}
	return dst
}

// appendAddress appends the address that PostHog locates the person by or, without one, $geoip_disable: PostHog would locate this machine.
func (enc *encoder) appendAddress(dst []byte, e *appevent.Event) []byte {
	if enc.cfg.IPAttribute == "" {
		return dst // the properties of the source disable it
	}
	if v, ok := e.Attribute(enc.cfg.IPAttribute); ok && isAddress(v.AsString()) {
		return enc.appendText(dst, "$ip", v.AsString())
	}
	return enc.appendTrue(dst, propGeoIPDisable)
}
