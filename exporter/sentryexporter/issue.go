// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"encoding/hex"
	"net/netip"
	"strings"

	"github.com/zeebo/xxh3"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
	"github.com/otelcol-fanout/otelcol-fanout/internal/pattern"
	"github.com/otelcol-fanout/otelcol-fanout/internal/stacktrace"
)

// issue is an event that becomes an Issue.
type issue struct {
	*appevent.Event
	source      *source
	destination string
	id          eventID
	at          pcommon.Timestamp
	// span is that of a span event; nil for a record.
	span *spanContext

	stack *stacktrace.Stack
	http  httpRequest
	// attributes are the properties of the event, and where it is a span event those of its span.
	attributes []attribute
}

// attribute is one of the event's.
type attribute struct {
	name  string
	value pcommon.Value
}

// spanContext is what an Issue says about the span in which it happened.
type spanContext struct {
	parent      pcommon.SpanID
	op, status  string
	transaction string // the name of the segment, where that is in the batch
	attributes  pcommon.Map
}

// noKey is the key of what is not paired.
//
//nolint:gochecknoglobals // it is a constant
var noKey = xxh3.Uint128{}

// issues is the state of an encoder for Issues.
type issues struct {
	parser stacktrace.Parser
	crumbs breadcrumbs
	cfg    *IssuesConfig
	// attributes is reused memory for the attributes of an Issue.
	attributes []attribute
}

func newIssues(cfg *Config, destination func(*appevent.Event) string) issues {
	return issues{
		parser: stacktrace.Parser{Rules: cfg.InApp},
		crumbs: breadcrumbs{limit: cfg.Issues.MaxBreadcrumbs, destination: destination},
		cfg:    &cfg.Issues,
	}
}

// maxKept is the number of attributes up to which the memory is kept for the next batch.
const maxKept = 256

// reset forgets the pdata.
func (is *issues) reset() {
	is.crumbs.reset()
	if cap(is.attributes) > maxKept {
		is.attributes = nil
	}
	clear(is.attributes[:cap(is.attributes)])
}

// read finds what is written of the issue in several places.
func (is *issues) read(i *issue) {
	x := &i.Exception
	i.stack = is.parser.Parse(i.source.language, x.Type, x.Message, x.Stacktrace)
	is.attributes = is.attributes[:0]
	for name, v := range i.Properties() {
		is.attributes = append(is.attributes, attribute{name, v})
	}
	if i.span != nil {
		for name, v := range i.span.attributes.All() {
			is.attributes = append(is.attributes, attribute{name, v})
		}
	}
	i.attributes = is.attributes
	for n := range i.attributes {
		i.http.readAttribute(i.attributes[n].name, i.attributes[n].value)
	}
}

// What Sentry takes of these fields (Sentry's SDK documentation, "Event Payloads").
const (
	maxTag     = 200 // of its key, and of its value
	maxTags    = 100
	maxMessage = 8192
	maxShort   = 200 // of logger, transaction and server_name
)

// appendIssue appends the payload of an item of type event (Sentry's SDK documentation, "Event
// Payloads").
func (enc *encoder) appendIssue(dst []byte, i *issue, t trim) []byte {
	dst = append(dst, `{"event_id":"`...)
	dst = hex.AppendEncode(dst, i.id[:])
	dst = append(dst, `","timestamp":`...)
	dst = appendSeconds(dst, i.at)
	dst = textMember(dst, "platform", i.platform())
	dst = textMember(dst, "level", appevent.IssueLevel(i.SeverityLevel()))
	dst = enc.appendNames(dst, i)
	dst = append(append(dst, ','), enc.sdk...)
	if len(i.stack.Exceptions) > 0 {
		dst = appendExceptions(dst, i, t)
	}
	dst = enc.appendMessage(dst, i, t)
	dst = appendThreads(dst, i.stack.Threads, t)
	dst = enc.appendFingerprint(dst, i)
	if t < trimAttributes {
		dst = enc.appendUser(dst, i)
		dst = enc.appendRequest(dst, &i.http)
	}
	dst = enc.appendTags(dst, i, t)
	dst = enc.appendContexts(dst, i, t)
	if t < trimLong {
		dst = enc.appendBreadcrumbs(dst, i)
	}
	dst = enc.appendExtra(dst, i, t)
	return append(dst, '}')
}

func (i *issue) platform() string {
	if i.source.platform == "other" {
		return platformOfStack(i.stack)
	}
	return i.source.platform
}

// appendNames appends where the event comes from.
func (enc *encoder) appendNames(dst []byte, i *issue) []byte {
	dst = textMember(dst, "logger", cut(withoutBreaks(i.source.scope), maxShort))
	dst = textMember(dst, "transaction", cut(withoutBreaks(i.transaction()), maxShort))
	dst = textMember(dst, "server_name", cut(withoutBreaks(i.source.server), maxShort))
	dst = textMember(dst, "release", i.source.release)
	if i.source.release != "" {
		dst = textMember(dst, "dist", i.source.dist)
	}
	return textMember(dst, "environment", i.source.environment)
}

// transaction is the name of what was being done.
func (i *issue) transaction() string {
	switch {
	case i.span != nil && i.span.transaction != "":
		return i.span.transaction
	case i.http.route != "" && i.http.method != "":
		return i.http.method + " " + i.http.route
	default:
		return i.http.route
	}
}

// appendMessage appends what happened, for an event without an exception or one that says more than
// it.
func (enc *encoder) appendMessage(dst []byte, i *issue, t trim) []byte {
	message := ""
	if i.Body.Type() != pcommon.ValueTypeEmpty || !i.IsException() {
		message = enc.logBody(i.Event)
	}
	if message == "" || i.IsException() && message == i.Exception.Message {
		if i.IsException() {
			return dst
		}
		message = "(no message)"
	}
	dst = append(dst, `,"logentry":{"formatted":`...)
	dst = jsonappend.String(dst, t.text(cut(message, maxMessage)))
	dst = textMember(dst, "message", t.text(cut(i.messageTemplate(), maxMessage)))
	return append(dst, '}')
}

// messageTemplate is what the parameters of the message were put into: Sentry groups by it. It is
// looked for under Sentry's name, .NET's and Serilog's.
func (i *issue) messageTemplate() string {
	for _, name := range [...]string{"sentry.message.template", "{OriginalFormat}", "message_template.text"} {
		if v, ok := i.Attribute(name); ok && v.Type() == pcommon.ValueTypeStr && v.Str() != "" {
			return v.Str()
		}
	}
	return ""
}

// appendFingerprint appends what groups the event, where that is not left to Sentry.
func (enc *encoder) appendFingerprint(dst []byte, i *issue) []byte {
	switch i.Fingerprint.Type() {
	case pcommon.ValueTypeStr:
		return appendStrings(dst, `,"fingerprint":[`, i.Fingerprint.Str())
	case pcommon.ValueTypeSlice:
		var values []string
		for _, v := range i.Fingerprint.Slice().All() {
			values = append(values, v.AsString())
		}
		if len(values) > 0 {
			return appendStrings(dst, `,"fingerprint":[`, values...)
		}
	}
	if i.Name == "" || len(enc.issues.cfg.Fingerprints) == 0 {
		return dst
	}
	best := ""
	for p := range enc.issues.cfg.Fingerprints {
		if pattern.Match(p, i.Name) && (best == "" || len(p) > len(best) || len(p) == len(best) && p < best) {
			best = p
		}
	}
	if fingerprint := enc.issues.cfg.Fingerprints[best]; len(fingerprint) > 0 {
		return appendStrings(dst, `,"fingerprint":[`, fingerprint...)
	}
	return dst
}

// maxFingerprint is how many strings of a fingerprint are sent, each cut to the length of a tag.
const maxFingerprint = 20

func appendStrings(dst []byte, begin string, values ...string) []byte {
	dst = append(dst, begin...)
	for i, value := range values[:min(len(values), maxFingerprint)] {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = jsonappend.String(dst, cut(value, maxTag))
	}
	return append(dst, ']')
}

// appendUser appends who the actor is, where that may be told (Sentry's SDK documentation, "Event
// Payloads", "User Interface").
func (enc *encoder) appendUser(dst []byte, i *issue) []byte {
	if enc.attributes.privacy.personal {
		return dst
	}
	id, u := i.User.ID, &i.User
	if id == "" {
		id = u.AnonymousID
	}
	start := len(dst)
	dst = append(dst, `,"user":{`...)
	members := len(dst)
	dst = textMember(dst, "id", id)
	dst = textMember(dst, "email", u.Email)
	dst = textMember(dst, "username", u.Name)
	dst = textMember(dst, "name", u.FullName)
	if _, err := netip.ParseAddr(i.http.clientAddress); err == nil { // it may be a name
		dst = textMember(dst, "ip_address", i.http.clientAddress)
	}
	if u.Roles.Type() != pcommon.ValueTypeEmpty || i.Traits.Len() > 0 {
		dst = append(memberName(dst, "data"), '{')
		m := enc.attributes.json.Members()
		if u.Roles.Type() != pcommon.ValueTypeEmpty {
			dst = m.Append(dst, "roles", u.Roles)
		}
		for name, v := range i.Traits.All() {
			dst = m.Append(dst, name, v)
		}
		m.End()
		dst = append(dst, '}')
	}
	if len(dst) == members {
		return dst[:start]
	}
	return append(dst, '}')
}

// appendTags appends what Issues are searched by: short texts, numbers and booleans.
func (enc *encoder) appendTags(dst []byte, i *issue, t trim) []byte {
	dst = append(dst, `,"tags":{`...)
	m := enc.attributes.json.Members()
	defer m.End()
	for _, tag := range [...][2]string{
		{"event.name", i.Name}, {"service.name", i.source.service}, {"service.namespace", i.source.namespace},
		{appevent.AttrSessionID, i.SessionID}, {attrSubject, i.Subject}, {appevent.AttrExceptionType, i.otherType()},
	} {
		dst = appendTag(dst, &m, tag[0], tag[1])
	}
	if t < trimAttributes {
		for name, v := range i.Groups.All() {
			dst = enc.appendTagOf(dst, &m, prefixGroup+name, v)
		}
		for _, a := range i.attributes {
			dst = enc.appendTagOf(dst, &m, a.name, a.value)
		}
	}
	return append(dst, '}')
}

func (enc *encoder) appendTagOf(dst []byte, m *jsonappend.Members, name string, v pcommon.Value) []byte {
	if m.Len() >= maxTags || enc.attributes.name(name).treat != treatPlain || !pattern.Any(enc.issues.cfg.Tags, name) {
		return dst
	}
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return appendTag(dst, m, name, v.Str())
	case pcommon.ValueTypeInt, pcommon.ValueTypeBool, pcommon.ValueTypeDouble:
		return appendTag(dst, m, name, v.AsString())
	}
	return dst
}

// otherType is the type that the attribute names where the stack names another, such as
// ECONNREFUSED for an Error of Node's.
func (i *issue) otherType() string {
	if len(i.stack.Exceptions) == 0 || strings.HasSuffix(i.Exception.Type, i.stack.Exceptions[0].Type) || strings.HasSuffix(i.stack.Exceptions[0].Type, i.Exception.Type) {
		return ""
	}
	return i.Exception.Type
}

// appendTag leaves out what Sentry takes for no tag: the attribute is in the context all the same.
func appendTag(dst []byte, m *jsonappend.Members, name, value string) []byte {
	if value == "" || len(value) > maxTag || strings.ContainsAny(value, "\n\r") || !isTagKey(name) {
		return dst
	}
	dst, ok := m.Name(dst, name)
	if !ok {
		return dst
	}
	return jsonappend.String(dst, value)
}

func isTagKey(name string) bool {
	if name == "" || len(name) > maxTag {
		return false
	}
	for i := range len(name) {
		c := name[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '.' && c != ':' && c != '-' {
			return false
		}
	}
	return true
}

// appendExtra appends what has no other place: a stack that could not be read, and a body that is
// no text.
func (enc *encoder) appendExtra(dst []byte, i *issue, t trim) []byte {
	start := len(dst)
	dst = append(dst, `,"extra":{`...)
	m := enc.attributes.json.Members()
	defer m.End()
	var ok bool
	if unread := i.stack.Unparsed; unread != "" {
		if dst, ok = m.Name(dst, appevent.AttrExceptionStacktrace); ok {
			dst = jsonappend.String(dst, t.stack(unread))
		}
	}
	if body := i.Body.Type(); t < trimLong && body != pcommon.ValueTypeStr && body != pcommon.ValueTypeEmpty {
		dst = enc.attributes.appendPlainMember(dst, &m, attrBody, attrBody, i.Body, 0)
	}
	if t > trimNothing {
		if dst, ok = m.Name(dst, attrTrimmed); ok {
			dst = jsonappend.String(dst, t.note())
		}
	}
	if m.Len() == 0 {
		return dst[:start]
	}
	return append(dst, '}')
}

// stack is an unread stack as it is written under t.
func (t trim) stack(s string) string {
	switch {
	case t >= trimBody:
		return cut(s, shortText)
	case t >= trimFrames:
		return cut(s, fewStackBytes)
	}
	return s
}

const fewStackBytes = 8 << 10
