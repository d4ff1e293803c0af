// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package appevent

import (
	"cmp"
	"iter"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// Event is a view of one application event. Its strings, maps and values belong to the record it
// was read from; they are not copies. It is valid as long as the record is, and only until the
// iteration that yielded it continues.
type Event struct {
	// Source is the resource and scope of the record.
	Source *Source

	// UID is the id that the producer gave, or empty. [Event.AppendID] always returns one.
	UID string
	// Name is EventName, or the attribute used in its place. It is empty for a plain log.
	Name string
	// Kind is KindTrack if the record names no kind, or an unknown one.
	Kind Kind
	// Time is Timestamp, else ObservedTimestamp, else 0.
	Time pcommon.Timestamp

	SeverityNumber plog.SeverityNumber
	SeverityText   string
	// Body is the record's body, of any type; empty for span events. If it is a string, it is the
	// event's message.
	Body pcommon.Value

	Subject    string
	SessionID  string
	User       User
	PreviousID string
	Exception  Exception

	// Groups, Traits, TraitsOnce and Destinations are empty maps if the record lacks them.
	Groups, Traits, TraitsOnce, Destinations pcommon.Map
	// Fingerprint is an array, a string or empty.
	Fingerprint pcommon.Value

	TraceID pcommon.TraceID
	SpanID  pcommon.SpanID
	Flags   plog.LogRecordFlags

	// Malformed has the fanout attributes that cannot be read, because their values have the wrong type.
	Malformed Malformed

	record     plog.LogRecord
	attributes pcommon.Map
	hidden     bitset
	hasher     hasher
	derivedID  string // cached by ID
}

// User is the actor of an event. Fields the record lacks are empty.
type User struct {
	ID, Email, Name, FullName string
	// AnonymousID identifies an actor who has no ID yet.
	AnonymousID string
	// Roles is an array of strings, a single string or empty.
	Roles pcommon.Value
}

// Exception is the exception that an event reports. Fields the record lacks are empty.
type Exception struct {
	Type, Message, Stacktrace string
	// Cause is the cause that the application describes in attributes of its own. They stay
	// properties.
	Cause struct{ Type, Message, Stacktrace string }
	// Handled reports whether the application caught the exception. It is valid only if
	// HandledKnown is true.
	Handled, HandledKnown bool
}

// Chain returns the stack trace of a JavaScript exception with that of its cause, unless it has
// causes already. In other languages it returns the stack trace.
func (e *Event) Chain() string {
	x := &e.Exception
	if x.Cause.Stacktrace == "" && x.Cause.Message == "" || e.Source.Language != "nodejs" && e.Source.Language != "webjs" ||
		strings.Contains(x.Stacktrace, "[cause]: ") || strings.Contains(strings.ToLower(x.Stacktrace), "\ncaused by: ") {
		return x.Stacktrace
	}
	cause := x.Cause.Stacktrace
	if cause == "" {
		cause = cmp.Or(x.Cause.Type, "Error") + ": " + x.Cause.Message
	}
	return strings.TrimRight(x.Stacktrace, "\n") + "\ncaused by: " + cause
}

// IsException reports whether the event reports an exception.
func (e *Event) IsException() bool {
	return e.Exception.Type != "" || e.Exception.Message != "" || e.Exception.Stacktrace != ""
}

// IsEvent reports whether the record is an event: it has a name, reports an exception, or has a
// kind that needs no name. Any other record is a plain log.
func (e *Event) IsEvent() bool { return e.Name != "" || e.IsException() || e.Kind != KindTrack }

// HasOwnName reports whether the name says more than that an exception occurred, as "exception" and
// names like "http.server.request.exception" do (semantic conventions v1.44.0, exceptions in logs).
func (e *Event) HasOwnName() bool {
	return e.Name != "" && e.Name != ExceptionEventName && !strings.HasSuffix(e.Name, "."+ExceptionEventName)
}

// Severity returns SeverityText, else the name of SeverityNumber, else the empty string.
func (e *Event) Severity() string {
	if e.SeverityText != "" || e.SeverityNumber == plog.SeverityNumberUnspecified {
		return e.SeverityText
	}
	return strings.ToUpper(e.SeverityNumber.String())
}

// Message returns the body if it is a string, else the empty string.
func (e *Event) Message() string {
	if e.Body.Type() == pcommon.ValueTypeStr {
		return e.Body.Str()
	}
	return ""
}

// Record returns the log record of the event. The event must be read from log records.
func (e *Event) Record() plog.LogRecord { return e.record }

// Logs returns a copy of the record, with its resource and scope. The event must be read from log
// records.
func (e *Event) Logs() plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	e.Source.Resource.CopyTo(rl.Resource())
	sl := rl.ScopeLogs().AppendEmpty()
	e.Source.Scope.CopyTo(sl.Scope())
	e.record.CopyTo(sl.LogRecords().AppendEmpty())
	return ld
}

// Properties yields every attribute that is not one of the event's own fields, in the record's
// order.
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

// Attribute returns the attribute with the given name, whether or not it is one of the event's own
// fields.
func (e *Event) Attribute(name string) (pcommon.Value, bool) { return e.attributes.Get(name) }

// Attributes returns all attributes, including those of the event's own fields.
func (e *Event) Attributes() pcommon.Map { return e.attributes }

// Logs yields an event for every record. Each iteration reuses the same Event: use it before
// continuing.
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

// SpanEvents yields an event for every span event, with the trace and span id of its span. If the
// span event names no actor or session, the span's are used. Each iteration reuses the same Event:
// use it before continuing.
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

// ReadRecord reads a log record into e, as [Logs] does. e may be reused.
func (e *Event) ReadRecord(source *Source, record plog.LogRecord) {
	e.Source = source
	e.readRecord(record)
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

// ReadSpanEvent reads a span event into e, as [SpanEvents] does. e may be reused.
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

// reset clears everything but the source, and keeps allocated memory.
func (e *Event) reset(attributes pcommon.Map) {
	source, hidden, hasher := e.Source, e.hidden.reset(), e.hasher
	*e = Event{} // a literal with fields would be built elsewhere and copied
	e.Source, e.hidden, e.hasher = source, hidden, hasher
	e.Body, e.User.Roles, e.Fingerprint = noValue, noValue, noValue
	e.Groups, e.Traits, e.TraitsOnce, e.Destinations = noMap, noMap, noMap, noMap
	e.attributes = attributes
}

// noMap and noValue are the values of absent fields. Nothing writes to them.
//
//nolint:gochecknoglobals // constants
var (
	noMap   = pcommon.NewMap()
	noValue = pcommon.NewValueEmpty()
)

// fallbacks holds attributes that are used only if a better one is absent: the index of each, or
// -1, and its value.
type fallbacks struct {
	eventName, plainEventName, subject, userID int

	eventNameValue, plainEventNameValue, subjectValue, userIDValue string
}

// readAttributes reads all attributes once, fills the fields they map to, and hides those from
// Properties.
func (e *Event) readAttributes() {
	fb := fallbacks{eventName: -1, plainEventName: -1, subject: -1, userID: -1}
	i := 0
	for k, v := range e.attributes.All() {
		if e.readAttribute(i, k, v, &fb) {
			e.hidden.set(i)
		}
		i++
	}
	e.applyFallbacks(&fb)
}

// readAttribute fills the field that the attribute maps to, and reports whether it did. An
// attribute with a value of the wrong type stays a property, so that nothing is lost.
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
	case AttrCauseType:
		readText(&e.Exception.Cause.Type, v)
	case AttrCauseMessage:
		readText(&e.Exception.Cause.Message, v)
	case AttrCauseStacktrace:
		readText(&e.Exception.Cause.Stacktrace, v)
	case AttrUserID, AttrUserEmail, AttrUserName, AttrUserFullName, AttrUserRoles, AttrAnonymousID:
		return e.User.read(k, v)
	case AttrEventName, AttrPlainEventName, AttrCloudEventsSubject, AttrEndUserID:
		return fb.read(i, k, v)
	}
	if strings.HasPrefix(k, FanoutPrefix) {
		e.readFanoutAttribute(k, v)
		return true
	}
	return false
}

// readFanoutAttribute reads an attribute with the fanout prefix. These are never properties, so one
// of the wrong type is malformed.
func (e *Event) readFanoutAttribute(k string, v pcommon.Value) {
	switch k {
	case AttrKind:
		e.note(malformedKind, v, readKind(&e.Kind, v))
	case AttrSubject:
		e.note(malformedSubject, v, readText(&e.Subject, v))
	case AttrPreviousID:
		e.note(malformedPreviousID, v, readText(&e.PreviousID, v))
	case AttrGroups:
		e.note(malformedGroups, v, readMap(&e.Groups, v))
	case AttrTraits:
		e.note(malformedTraits, v, readMap(&e.Traits, v))
	case AttrTraitsOnce:
		e.note(malformedTraitsOnce, v, readMap(&e.TraitsOnce, v))
	case AttrDestinations:
		e.note(malformedDestinations, v, readMap(&e.Destinations, v))
	case AttrFingerprint:
		e.note(malformedFingerprint, v, readStrings(&e.Fingerprint, v))
	case AttrHandled:
		e.note(malformedHandled, v, e.Exception.readHandled(v))
	}
}

// note notes an attribute that was not read. An empty one is the same as none.
func (e *Event) note(attribute Malformed, v pcommon.Value, isRead bool) {
	if !isRead && v.Type() != pcommon.ValueTypeEmpty {
		e.Malformed |= attribute
	}
}

// read stores an attribute that may be needed later, and reports whether it did.
func (fb *fallbacks) read(i int, k string, v pcommon.Value) bool {
	switch k {
	case AttrEventName:
		return keep(&fb.eventName, &fb.eventNameValue, i, v)
	case AttrPlainEventName:
		return keep(&fb.plainEventName, &fb.plainEventNameValue, i, v)
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

// applyFallbacks uses each fallback whose field is empty. A fallback that differs from the value in
// use becomes a property.
func (e *Event) applyFallbacks(fb *fallbacks) {
	e.fallBack(&e.Name, fb.eventName, fb.eventNameValue)
	e.fallBack(&e.Name, fb.plainEventName, fb.plainEventNameValue)
	e.fallBack(&e.Subject, fb.subject, fb.subjectValue)
	e.fallBack(&e.User.ID, fb.userID, fb.userIDValue)
}

func (e *Event) fallBack(field *string, at int, value string) {
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

// inherit copies the actor and the session of the span if the span event has none.
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

// read fills the user field that the attribute maps to, and reports whether it did.
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
	if s := v.Str(); s != "" { // fast path
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

func readMap(field *pcommon.Map, v pcommon.Value) bool {
	if v.Type() != pcommon.ValueTypeMap {
		return false
	}
	*field = v.Map()
	return true
}

// readKind reads the name of a kind. An unknown one is not an error.
func readKind(field *Kind, v pcommon.Value) bool {
	if v.Type() != pcommon.ValueTypeStr {
		return false
	}
	*field, _ = ParseKind(v.Str())
	return true
}

func (x *Exception) readHandled(v pcommon.Value) bool {
	if v.Type() != pcommon.ValueTypeBool {
		return false
	}
	x.Handled, x.HandledKnown = v.Bool(), true
	return true
}
