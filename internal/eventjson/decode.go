// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventjson

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonread"
)

// Limits of one event. An event beyond them is rejected; the others are not affected.
const (
	// MaxDepth is how deep objects and arrays may be nested.
	MaxDepth = 32
	// MaxMembers is the maximum number of members of one object.
	MaxMembers = 1024
)

// Result is the outcome of decoding one body.
type Result struct {
	// Logs holds the accepted events, in the order of the body within each source.
	Logs plog.Logs
	// Accepted is the number of accepted events.
	Accepted int
	// Records holds the accepted events in the order of the body.
	Records []Record
	// Rejected holds the rejected events in the order of the body.
	Rejected []Rejection
}

// Rejection is one event that was not accepted.
type Rejection struct {
	// Index is the event's position in the body, from 0. Blank lines do not count.
	Index int
	// ID is the event's id, or empty if it could not be read.
	ID string
	// Err names the member, what it should be and what it is. It never repeats a value.
	Err error
}

// Record is one accepted event.
type Record struct {
	Record plog.LogRecord
	// Index is the event's position in the body, as in [Rejection].
	Index int
	// RandomID is true if the event had neither an id nor a time. Its generated id is then random: if
	// a client sends the event again, it gets another id.
	RandomID bool
}

// MaxValues is the maximum number of values in all events of one body. A one-byte JSON value takes
// many times that in memory.
const MaxValues = 1_000_000

// TooManyError reports that a body has more events or values than the decoder accepts.
type TooManyError struct {
	What  string // "events" or "values"
	Limit int    // the largest accepted number
}

// Error implements error.
func (e *TooManyError) Error() string {
	return fmt.Sprintf("the body has more than %d %s; split it into several requests", e.Limit, e.What)
}

func isTooMany(err error) bool {
	_, ok := errors.AsType[*TooManyError](err)
	return ok
}

// maxCapacityHint limits the capacity reserved for an object or array before its items are read.
// Events of one sender are usually alike.
const maxCapacityHint = 32

// minEventSize is the assumed minimum size of an event in bytes. It limits how many events memory
// is reserved for.
const minEventSize = 64

// largeBody is the size in bytes from which a body's memory is not kept for the next one.
const largeBody = 256 << 10

// Decoder decodes events. Create one with [NewDecoder]; one Decoder serves one goroutine.
type Decoder struct {
	maxEvents int

	json     jsonread.Reader
	strings  arena
	unquoted []byte
	depth    int // nesting depth of what is being read; the event is 0
	// The sizes of the last object and array at each depth, used as capacity hints. sizes[0] is the
	// number of attributes of the last event.
	sizes, lengths [MaxDepth + 1]int
	eventsHint     int // expected number of events
	names          nameCache
	hasher         appevent.Hasher
	received       pcommon.Timestamp

	result     Result
	index      int
	valueCount int
	groups     []group
	last       origin // of the previous event, if lastKnown
	lastKnown  bool
	lastGroup  int

	event pending
	cloud cloudEvent
	// decodeOne decodes one event of the body, depending on the body's format and route.
	decodeOne func(*Decoder) error
	route     Route
	single    bool // the body is one event
	large     bool // the body has at least largeBody bytes
}

// NewDecoder returns a decoder that accepts up to maxEvents events per body.
func NewDecoder(maxEvents int) *Decoder {
	return &Decoder{maxEvents: maxEvents, event: newPending()}
}

// Decode reads a body that is one event, an array of events, or an object with such an array in
// events or batch. Invalid events are rejected individually; a body that is not JSON or has too
// many events ([TooManyError]) is an error. received is the time of events without one.
func (d *Decoder) Decode(body []byte, received time.Time) (Result, error) {
	d.begin(received, len(body))
	d.decodeOne = (*Decoder).decodeEvent
	return d.decodeWhole(body, d.readBodyValue)
}

// decodeWhole reads a body that is one JSON value.
func (d *Decoder) decodeWhole(body []byte, read func() error) (Result, error) {
	d.json.Reset(body)
	err := read()
	if err == nil && d.json.End() != nil {
		err = errors.New("the body has more data after its first value; send several events as an array, or one per line as application/x-ndjson")
	}
	return d.end(err)
}

// DecodeLines reads one event per line (NDJSON). A line that is not JSON is rejected like any other
// invalid event. received is the time of events without one.
func (d *Decoder) DecodeLines(body []byte, received time.Time) (Result, error) {
	d.begin(received, len(body))
	d.decodeOne = (*Decoder).decodeEvent
	for line := range bytes.Lines(body) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		if d.index == d.maxEvents {
			return d.end(&TooManyError{What: "events", Limit: d.maxEvents})
		}
		d.json.Reset(line)
		err := d.line()
		if isTooMany(err) {
			return d.end(err)
		}
		d.settle(err)
	}
	return d.end(nil)
}

// line reads the event of one line.
func (d *Decoder) line() error {
	err := d.decodeOne(d)
	if isRejection(err) {
		d.json.Return(0)
		if skipErr := d.skipEvent(); skipErr != nil {
			return skipErr
		}
		return err
	}
	if err == nil && d.json.End() != nil {
		err = errors.New("the line has more data after its event")
	}
	return err
}

func (d *Decoder) begin(received time.Time, size int) {
	d.valueCount = 0
	d.received = pcommon.NewTimestampFromTime(received)
	d.eventsHint = min(d.eventsHint, size/minEventSize)
	d.result = Result{Logs: plog.NewLogs(), Records: make([]Record, 0, d.eventsHint)}
	d.index = 0
	d.single = false
	d.large = size >= largeBody
	d.groups = d.groups[:0]
	d.strings.begin(size)
}

// end releases everything that belongs to the body; the next body may be from another sender.
func (d *Decoder) end(err error) (Result, error) {
	result := d.result
	d.result = Result{}
	d.eventsHint = result.Accepted
	clear(d.groups)
	d.groups = d.groups[:0]
	d.json.Reset(nil)
	d.strings.begin(0)
	d.last, d.lastKnown = origin{}, false
	d.cloud = cloudEvent{}
	d.decodeOne = nil
	d.event.clear()
	clear(d.event.valueTypes[:cap(d.event.valueTypes)])
	if d.large {
		d.unquoted, d.hasher = nil, appevent.Hasher{}
	}
	if err != nil {
		d.event = newPending()
		return Result{}, err
	}
	return result, nil
}

// readBodyValue reads an event, an array of events, or an object with such an array.
func (d *Decoder) readBodyValue() error {
	switch d.json.Kind() {
	case jsonread.Object:
		return d.bodyObject()
	case jsonread.Array:
		return d.array()
	}
	return d.notEvents()
}

// notEvents returns the error for a body that is neither an object nor an array.
func (d *Decoder) notEvents() error {
	if d.json.Left() == 0 {
		return errors.New("the body is empty; send a JSON object or an array of objects")
	}
	if err := d.json.Skip(); err != nil {
		return syntaxError(err)
	}
	return errors.New("the body is neither an object (one event) nor an array of objects (several)")
}

func (d *Decoder) array() error {
	d.json.Open()
	for first := true; ; first = false {
		more, err := d.json.Next(jsonread.EndArray, first)
		if err != nil || !more {
			return syntaxError(err)
		}
		if d.index == d.maxEvents {
			return &TooManyError{What: "events", Limit: d.maxEvents}
		}
		if err := d.element(); err != nil {
			return err
		}
	}
}

// element reads one event of the body. It returns only errors that end the body.
func (d *Decoder) element() error {
	begin := d.json.Offset()
	err := d.decodeOne(d)
	if err != nil && !isRejection(err) {
		return err
	}
	if err != nil {
		d.json.Return(begin)
		if skipErr := d.skipEvent(); skipErr != nil {
			return skipErr
		}
	}
	d.settle(err)
	return nil
}

// settle records the event that was read as accepted or rejected.
func (d *Decoder) settle(err error) {
	if err == nil {
		d.sizes[0] = min(d.event.record.Attributes().Len(), maxCapacityHint)
		d.appendRecord()
		d.result.Accepted++
	} else {
		d.result.Rejected = append(d.result.Rejected, Rejection{Index: d.index, ID: d.event.id, Err: err})
		d.event = newPending() // discard what was read
	}
	d.index++
}

// skipEvent skips a rejected event and reads its id.
func (d *Decoder) skipEvent() error {
	if d.json.Kind() != jsonread.Object {
		return syntaxError(d.json.Skip())
	}
	d.json.Open()
	for first := true; ; first = false {
		more, err := d.json.Next(jsonread.EndObject, first)
		if err != nil || !more {
			return syntaxError(err)
		}
		name, err := d.name()
		if err != nil {
			return err
		}
		if err := d.skipMember(name); err != nil {
			return err
		}
	}
}

func (d *Decoder) skipMember(name string) error {
	if name != fieldID || d.event.id != "" {
		return syntaxError(d.json.Skip())
	}
	begin := d.json.Offset()
	id, err := d.id()
	if !isRejection(err) {
		d.event.id = id
		return err
	}
	d.json.Return(begin)
	return syntaxError(d.json.Skip())
}

// group holds the records of one resource and scope.
type group struct {
	id      appevent.Digest
	records plog.LogRecordSlice
}

// origin is the source, resource and scope of an event, as written.
type origin struct{ source, resource, scope span }

// span is a part of the body: its offset and text. The zero span is absent.
type span struct {
	at   int
	text []byte
}

func (o *origin) equal(p *origin) bool {
	return bytes.Equal(o.source.text, p.source.text) && bytes.Equal(o.resource.text, p.resource.text) && bytes.Equal(o.scope.text, p.scope.text)
}

// capture skips a part of the origin, to be decoded later. It usually equals the previous event's;
// comparing the prefix is enough, since an object or a string delimits itself.
func (s *span) capture(d *Decoder, previous span) error {
	d.json.Kind() // skip white space
	s.at = d.json.Offset()
	if previous.text != nil && d.json.Take(previous.text) {
		s.text = previous.text
		return nil
	}
	var err error
	s.text, err = d.json.Value()
	return syntaxError(err)
}

// readOrigin decodes the captured parts, unless they equal those of the previous event.
func (d *Decoder) readOrigin() error {
	e := &d.event
	e.sameOrigin = d.lastKnown && len(e.valueTypes) == 0 && e.origin.equal(&d.last)
	if e.sameOrigin {
		return nil
	}
	end := d.json.Offset()
	defer func() { d.json.Return(end) }()
	for _, part := range []struct {
		name string
		span span
		read func(*Decoder) error
	}{
		{fieldSource, e.origin.source, (*Decoder).readSource},
		{fieldResource, e.origin.resource, (*Decoder).readResource},
		{fieldScope, e.origin.scope, (*Decoder).readScope},
	} {
		if part.span.text == nil {
			continue
		}
		d.json.Return(part.span.at)
		d.depth = 1
		if err := part.read(d); err != nil {
			return within(part.name, err)
		}
	}
	return nil
}

// appendRecord moves the event that was read into the group of its resource and scope.
func (d *Decoder) appendRecord() {
	if !d.event.sameOrigin {
		d.lastGroup = d.group()
		d.last, d.lastKnown = d.event.origin, len(d.event.valueTypes) == 0
	}
	record := d.groups[d.lastGroup].records.AppendEmpty()
	d.event.record.MoveTo(record)
	d.result.Records = append(d.result.Records, Record{Record: record, Index: d.index, RandomID: d.event.randomID})
}

// groupsSearched limits the search in a body with many sources. Two groups with the same source do
// no harm.
const groupsSearched = 16

// group returns the index of the group for the event's resource and scope. It compares digests,
// since comparing maps takes quadratic time.
func (d *Decoder) group() int {
	resource, scope := d.event.resource, d.event.scope
	id := d.hasher.Source(resource, scope)
	for i := len(d.groups) - 1; i >= max(0, len(d.groups)-groupsSearched); i-- {
		if d.groups[i].id == id {
			resource.Attributes().Clear()
			clearScope(scope)
			return i
		}
	}
	rl := d.result.Logs.ResourceLogs().AppendEmpty()
	resource.MoveTo(rl.Resource())
	sl := rl.ScopeLogs().AppendEmpty()
	scope.MoveTo(sl.Scope())
	if len(d.groups) == 0 {
		sl.LogRecords().EnsureCapacity(d.eventsHint)
	}
	d.groups = append(d.groups, group{id: id, records: sl.LogRecords()})
	return len(d.groups) - 1
}

func clearScope(scope pcommon.InstrumentationScope) {
	scope.SetName("")
	scope.SetVersion("")
	scope.Attributes().Clear()
}

// rejection is the error of one event whose JSON is valid, so that decoding can continue after it.
type rejection struct {
	path    string
	problem string
}

func (r *rejection) Error() string {
	if r.path == "" {
		return r.problem
	}
	return r.path + ": " + r.problem
}

func reject(format string, args ...any) error {
	return &rejection{problem: fmt.Sprintf(format, args...)}
}

func isRejection(err error) bool {
	_, ok := errors.AsType[*rejection](err)
	return ok
}

// within prepends the name of a member to the path of a rejection.
func within(name string, err error) error {
	r, ok := err.(*rejection) //nolint:errorlint // rejections are never wrapped
	if !ok {
		return err
	}
	if len(name) > 64 {
		name = strings.ToValidUTF8(name[:64], "") + "..."
	}
	switch {
	case r.path == "":
		r.path = name
	case r.path[0] == '[':
		r.path = name + r.path
	default:
		r.path = name + "." + r.path
	}
	return r
}

// syntaxError wraps an error of the JSON reader.
func syntaxError(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("not JSON: %w", err)
}
