// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package appevent

import (
	"iter"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// Event is a view of one application event: its strings, maps and values are those of the record it was read
// from, not copies. It is valid while that record is, and until the iteration that yielded it goes on.
type Event struct {
	// Source is the resource and scope of the record.
	Source *Source

	// UID is the id the producer gave, or empty; [Event.AppendID] always has one.
	UID string
	// Name is EventName, else the attribute that stood in for it. Empty for a plain log.
	Name string
	// Kind is KindTrack when the record names none, or one that does not exist.
	Kind Kind
	// Time is Timestamp, else ObservedTimestamp, else 0.
	Time pcommon.Timestamp

	SeverityNumber plog.SeverityNumber
	SeverityText   string
	// Body is the record's body, of any type; empty for span events. Its string is the event's message.
	Body pcommon.Value

	Subject    string
	SessionID  string
	User       User
	PreviousID string
	Exception  Exception

	// Groups, Traits, TraitsOnce and Destinations are empty maps where the record has none.
	Groups, Traits, TraitsOnce, Destinations pcommon.Map
	// Fingerprint is an array or a string, or empty.
	Fingerprint pcommon.Value

	TraceID pcommon.TraceID
	SpanID  pcommon.SpanID
	Flags   plog.LogRecordFlags

	record     plog.LogRecord
	attributes pcommon.Map
	hidden     bitset
	hasher     hasher
	madeID     string // what ID has made, once it has
}

// User is the actor of an event. Everything is empty where absent.
type User struct {
	ID, Email, Name, FullName string
	// AnonymousID identifies the actor where ID does not.
	AnonymousID string
	// Roles is an array of strings, or a single string, or empty.
	Roles pcommon.Value
}

// Exception is the exception that an event reports.
type Exception struct {
	Type, Message, Stacktrace string
	// Handled says whether the application caught it; it means something only when HandledKnown.
	Handled, HandledKnown bool
}

// IsException reports whether the event reports an exception.
func (e *Event) IsException() bool {
	return e.Exception.Type != "" || e.Exception.Message != "" || e.Exception.Stacktrace != ""
}

// IsEvent reports whether the record is an event: it has a name, reports an exception or is of a kind that needs
// no name. Any other record is a plain log.
func (e *Event) IsEvent() bool { return e.Name != "" || e.IsException() || e.Kind != KindTrack }

// HasOwnName reports whether the event's name says more than that there was an exception, as exception and names such as
// http.server.request.exception do (semantic conventions v1.44.0, exceptions in logs).
func (e *Event) HasOwnName() bool {
	return e.Name != "" && e.Name != ExceptionEventName && !strings.HasSuffix(e.Name, "."+ExceptionEventName)
}

// Severity is the severity in the words of the record, else the name of its number, else empty.
func (e *Event) Severity() string {
	if e.SeverityText != "" || e.SeverityNumber == plog.SeverityNumberUnspecified {
		return e.SeverityText
	}
	return strings.ToUpper(e.SeverityNumber.String())
}

// Message is the body where that is a string, else empty.
func (e *Event) Message() string {
	if e.Body.Type() == pcommon.ValueTypeStr {
		return e.Body.Str()
	}
	return ""
}

// Record is the record of an event read from log records.
func (e *Event) Record() plog.LogRecord { return e.record }

// Logs is a copy of the record alone, with its resource and scope. It is for events read from log records.
func (e *Event) Logs() plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	e.Source.Resource.CopyTo(rl.Resource())
	sl := rl.ScopeLogs().AppendEmpty()
	e.Source.Scope.CopyTo(sl.Scope())
	e.record.CopyTo(sl.LogRecords().AppendEmpty())
	return ld
}

// Properties yields every attribute that is not one of the event's own fields, in the record's order.
func (e *Event) Properties() iter.Seq2[string, pcommon.Value] {
	return func(yield func(string, pcommon.Value) bool) {
		i := 0
		for k, v := range e.attributes.All() {
			if !e.hidden.has(i) && !yield(k, v) {
				return
			}
			i++
		}
	}
}

// Attribute is the attribute of that name, whether or not it is one of the event's own fields.
func (e *Event) Attribute(name string) (pcommon.Value, bool) { return e.attributes.Get(name) }

// Attributes are all attributes, those of the event's own fields too.
func (e *Event) Attributes() pcommon.Map { return e.attributes }

// Logs yields an event for every record. The event is the same one each time: use it before going on.
func Logs(ld plog.Logs) iter.Seq[*Event] {
	return func(yield func(*Event) bool) {
		e := &Event{}
		for _, rl := range ld.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				e.Source = NewSource(rl.Resource(), sl.Scope())
				for _, record := range sl.LogRecords().All() {
					e.readRecord(record)
					if !yield(e) {
						return
					}
				}
			}
		}
	}
}

// SpanEvents yields an event for every span event. It has the trace and span id of its span and, where it names
// no actor or session, those of its span. The event is the same one each time: use it before going on.
func SpanEvents(td ptrace.Traces) iter.Seq[*Event] {
	return func(yield func(*Event) bool) {
		e := &Event{}
		for _, rs := range td.ResourceSpans().All() {
			for _, ss := range rs.ScopeSpans().All() {
				e.Source = NewSource(rs.Resource(), ss.Scope())
				for _, span := range ss.Spans().All() {
					for _, event := range span.Events().All() {
						e.readSpanEvent(span, event)
						if !yield(e) {
							return
						}
					}
				}
			}
		}
	}
}

func (e *Event) readRecord(record plog.LogRecord) {
	e.reset(record.Attributes())
	e.record = record
	e.Name = record.EventName()
	e.Time = record.Timestamp()
	if e.Time == 0 {
		e.Time = record.ObservedTimestamp()
	}
	e.SeverityNumber = record.SeverityNumber()
	e.SeverityText = record.SeverityText()
	e.Body = record.Body()
	e.TraceID = record.TraceID()
	e.SpanID = record.SpanID()
	e.Flags = record.Flags()
	e.readAttributes()
}

// ReadSpanEvent makes e, which can be used again, the view of a span event that [SpanEvents] would yield.
func (e *Event) ReadSpanEvent(source *Source, span ptrace.Span, event ptrace.SpanEvent) {
	e.Source = source
	e.readSpanEvent(span, event)
}

func (e *Event) readSpanEvent(span ptrace.Span, event ptrace.SpanEvent) {
	e.reset(event.Attributes())
	e.Name = event.Name()
	e.Time = event.Timestamp()
	e.TraceID = span.TraceID()
	e.SpanID = span.SpanID()
	e.readAttributes()
	e.inherit(span.Attributes())
}

// reset empties all but the source, and keeps the memory of the others.
func (e *Event) reset(attributes pcommon.Map) {
	source, hidden, hasher := e.Source, e.hidden.reset(), e.hasher
	*e = Event{} // in place, where a literal would be made elsewhere and copied
	e.Source, e.hidden, e.hasher = source, hidden, hasher
	e.Body, e.User.Roles, e.Fingerprint = noValue, noValue, noValue
	e.Groups, e.Traits, e.TraitsOnce, e.Destinations = noMap, noMap, noMap, noMap
	e.attributes = attributes
}

// noMap and noValue stand for what a record does not have. Nothing writes to them.
//
//nolint:gochecknoglobals // they are constants
var (
	noMap   = pcommon.NewMap()
	noValue = pcommon.NewValueEmpty()
)

// fallbacks remembers attributes that are used only when a better one is absent; -1 is none.
type fallbacks struct {
	eventName, legacyEventName, subject, userID int

	eventNameValue, legacyEventNameValue, subjectValue, userIDValue string
}

// readAttributes walks the attributes once, fills the fields they stand for, and hides these from Properties.
func (e *Event) readAttributes() {
	fb := fallbacks{eventName: -1, legacyEventName: -1, subject: -1, userID: -1}
	i := 0
	for k, v := range e.attributes.All() {
		if e.readAttribute(i, k, v, &fb) {
			e.hidden.set(i)
		}
		i++
	}
	e.settle(&fb)
}

// readAttribute fills the field that the attribute stands for, and reports whether the attribute is thereby
// told. One whose value has the wrong type is left among the properties, so that nothing is lost.
func (e *Event) readAttribute(i int, k string, v pcommon.Value, fb *fallbacks) bool {
	switch k {
	case AttrID:
		e.UID = text(v)
		return true
	case AttrSessionID:
		return readText(&e.SessionID, v)
	case AttrExceptionType:
		return readText(&e.Exception.Type, v)
	case AttrExceptionMessage:
		return readText(&e.Exception.Message, v)
	case AttrExceptionStacktrace:
		return readText(&e.Exception.Stacktrace, v)
	case AttrUserID, AttrUserEmail, AttrUserName, AttrUserFullName, AttrUserRoles, AttrAnonymousID:
		return e.User.read(k, v)
	case AttrEventName, AttrLegacyEventName, AttrCloudEventsSubject, AttrEndUserID:
		return fb.read(i, k, v)
	}
	if strings.HasPrefix(k, FanoutPrefix) {
		e.readFanoutAttribute(k, v)
		return true
	}
	return false
}

// readFanoutAttribute reads one of our own attributes. They are never properties, so a wrong type is only ignored.
func (e *Event) readFanoutAttribute(k string, v pcommon.Value) {
	switch k {
	case AttrKind:
		if v.Type() == pcommon.ValueTypeStr {
			e.Kind, _ = ParseKind(v.Str())
		}
	case AttrSubject:
		readText(&e.Subject, v)
	case AttrPreviousID:
		readText(&e.PreviousID, v)
	case AttrGroups:
		readMap(&e.Groups, v)
	case AttrTraits:
		readMap(&e.Traits, v)
	case AttrTraitsOnce:
		readMap(&e.TraitsOnce, v)
	case AttrDestinations:
		readMap(&e.Destinations, v)
	case AttrFingerprint:
		readStrings(&e.Fingerprint, v)
	case AttrHandled:
		if v.Type() == pcommon.ValueTypeBool {
			e.Exception.Handled, e.Exception.HandledKnown = v.Bool(), true
		}
	}
}

// read keeps an attribute that may turn out to be needed, and reports whether it did.
func (fb *fallbacks) read(i int, k string, v pcommon.Value) bool {
	switch k {
	case AttrEventName:
		return keep(&fb.eventName, &fb.eventNameValue, i, v)
	case AttrLegacyEventName:
		return keep(&fb.legacyEventName, &fb.legacyEventNameValue, i, v)
	case AttrCloudEventsSubject:
		return keep(&fb.subject, &fb.subjectValue, i, v)
	case AttrEndUserID:
		return keep(&fb.userID, &fb.userIDValue, i, v)
	}
	return false
}

func keep(at *int, value *string, i int, v pcommon.Value) bool {
	if !readText(value, v) {
		return false
	}
	*at = i
	return true
}

// settle puts each fallback where it is needed, and shows it among the properties where it says something else
// than what was used.
func (e *Event) settle(fb *fallbacks) {
	e.choose(&e.Name, fb.eventName, fb.eventNameValue)
	e.choose(&e.Name, fb.legacyEventName, fb.legacyEventNameValue)
	e.choose(&e.Subject, fb.subject, fb.subjectValue)
	e.choose(&e.User.ID, fb.userID, fb.userIDValue)
}

func (e *Event) choose(field *string, at int, value string) {
	if at < 0 {
		return
	}
	if *field == "" {
		*field = value
	}
	if *field != value {
		e.hidden.clear(at)
	}
}

// inherit takes the actor and the session from the span where the span event has none.
func (e *Event) inherit(attributes pcommon.Map) {
	hasUser := e.User.ID != "" || e.User.AnonymousID != ""
	endUserID := ""
	for k, v := range attributes.All() {
		switch k {
		case AttrSessionID:
			if e.SessionID == "" {
				readText(&e.SessionID, v)
			}
		case AttrEndUserID:
			readText(&endUserID, v)
		default:
			if !hasUser {
				e.User.read(k, v)
			}
		}
	}
	if !hasUser && e.User.ID == "" {
		e.User.ID = endUserID
	}
}

// read fills the part of the user that the attribute stands for, and reports whether it did.
func (u *User) read(k string, v pcommon.Value) bool {
	switch k {
	case AttrUserID:
		return readText(&u.ID, v)
	case AttrUserEmail:
		return readText(&u.Email, v)
	case AttrUserName:
		return readText(&u.Name, v)
	case AttrUserFullName:
		return readText(&u.FullName, v)
	case AttrAnonymousID:
		return readText(&u.AnonymousID, v)
	case AttrUserRoles:
		return readStrings(&u.Roles, v)
	}
	return false
}

// readText reads a string, number or bool; ids are often numbers.
func readText(field *string, v pcommon.Value) bool {
	if s := v.Str(); s != "" { // as most are
		*field = s
		return true
	}
	switch v.Type() {
	case pcommon.ValueTypeStr, pcommon.ValueTypeInt, pcommon.ValueTypeDouble, pcommon.ValueTypeBool:
		*field = text(v)
		return true
	default:
		return false
	}
}

// readStrings reads an array, whose items should be strings, or a single string.
func readStrings(field *pcommon.Value, v pcommon.Value) bool {
	if v.Type() != pcommon.ValueTypeSlice && v.Type() != pcommon.ValueTypeStr {
		return false
	}
	*field = v
	return true
}

func readMap(field *pcommon.Map, v pcommon.Value) {
	if v.Type() == pcommon.ValueTypeMap {
		*field = v.Map()
	}
}
