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

// What one event may hold. An event beyond it is rejected by itself.
const (
	// MaxDepth is how many objects and arrays may stand in each other.
	MaxDepth = 32
	// MaxMembers is how many members one object may have.
	MaxMembers = 1024
)

// Result is what became of the events of one body.
type Result struct {
	// Logs holds the accepted events, in the order of the body within each source.
	Logs plog.Logs
	// Accepted is their number.
	Accepted int
	// Records are the accepted events in the order of the body.
	Records []Accepted
	// Rejected tells of the others, in the order of the body.
	Rejected []Rejection
}

// Rejection is one event that was not accepted. Err names the member, what it should be and what it is; it never
// repeats a value.
type Rejection struct {
	// Index is the event's place in the body, from 0; a line that is blank is not counted.
	Index int
	// ID is the event's id where it could be read.
	ID  string
	Err error
}

// Accepted is one event that was accepted.
type Accepted struct {
	Record plog.LogRecord
	// Index is the event's place in the body, as in [Rejection].
	Index int
	// Anonymous is an event that had neither an id nor a time. The id that it was given is random: were the event sent again,
	// it would have another one.
	Anonymous bool
}

// MaxValues is how many values all events of one body may hold. A value of a byte in JSON takes many times that in memory.
const MaxValues = 1_000_000

// TooManyError says that a body holds more events or values than the decoder takes at once.
type TooManyError struct {
	What  string
	Limit int
}

func (e *TooManyError) Error() string {
	return fmt.Sprintf("the body holds more than %d %s; send it in parts", e.Limit, e.What)
}

func isTooMany(err error) bool {
	_, ok := errors.AsType[*TooManyError](err)
	return ok
}

// largestGuess bounds the memory that is taken for an object before its members are seen. Events of one sender are alike.
const largestGuess = 32

// leastEvent is how many bytes an event has at the least, but for a few: a body of n bytes is not taken to hold more than
// n/leastEvent events before they are seen.
const leastEvent = 64

// largeBody is the size from which on the memory that a body took is not kept for the next one.
const largeBody = 256 << 10

// Decoder reads events. Make one with [NewDecoder]; one Decoder serves one goroutine.
type Decoder struct {
	maxEvents int

	json     jsonread.Reader
	strings  arena
	unquoted []byte
	depth    int // of the objects and arrays that are being read, from the event on
	// How many members the last object had at each depth, at 0: how many attributes the last event; and items the last array.
	sizes, lengths [MaxDepth + 1]int
	guess          int // how many events there may be
	names          names
	hasher         appevent.Hasher
	received       pcommon.Timestamp

	result     Result
	index      int
	valueCount int
	groups     []group
	last       origin // of the event before, if known
	lastKnown  bool
	lastGroup  int

	event pending
	cloud cloudEvent
	// decodeOne reads an event of the body, as its form and its route want it.
	decodeOne func(*Decoder) error
	route     Route
	single    bool // the event is the body
	large     bool // the body is
}

// NewDecoder returns a decoder that takes up to maxEvents events from one body.
func NewDecoder(maxEvents int) *Decoder {
	return &Decoder{maxEvents: maxEvents, event: newPending()}
}

// Decode reads a body that is one event or an array of events. Events that are JSON but not events are rejected
// one by one; a body that is not JSON is an error as a whole, and so is one with more events than the decoder
// takes ([TooManyError]). The array may be the member events, or batch, of an object. received is the time of those events
// that do not tell theirs.
func (d *Decoder) Decode(body []byte, received time.Time) (Result, error) {
	d.begin(received, len(body))
	d.decodeOne = (*Decoder).decodeEvent
	return d.whole(body, d.readBodyValue)
}

// whole reads a body that is one JSON value.
func (d *Decoder) whole(body []byte, read func() error) (Result, error) {
	d.json.Reset(body)
	err := read()
	if err == nil && d.json.End() != nil {
		err = errors.New("the body goes on after its first value; send several events as an array, or one a line as application/x-ndjson")
	}
	return d.end(err)
}

// DecodeLines reads one event a line (NDJSON). A line that is not JSON is rejected like any other bad event.
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
		err = errors.New("the line goes on after its event")
	}
	return err
}

func (d *Decoder) begin(received time.Time, size int) {
	d.valueCount = 0
	d.received = pcommon.NewTimestampFromTime(received)
	d.guess = min(d.guess, size/leastEvent)
	d.result = Result{Logs: plog.NewLogs(), Records: make([]Accepted, 0, d.guess)}
	d.index = 0
	d.single = false
	d.large = size >= largeBody
	d.groups = d.groups[:0]
	d.strings.begin(size)
}

// end lets go of everything that belongs to the body. The next one may be another sender's.
func (d *Decoder) end(err error) (Result, error) {
	result := d.result
	d.result = Result{}
	d.guess = result.Accepted
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

// readBodyValue reads the body's value: an event, or an array of them.
func (d *Decoder) readBodyValue() error {
	switch d.json.Kind() {
	case jsonread.Object:
		return d.bodyObject()
	case jsonread.Array:
		return d.array()
	}
	return d.notEvents()
}

// notEvents is the error for a body that is neither an object nor an array.
func (d *Decoder) notEvents() error {
	if d.json.Left() == 0 {
		return errors.New("the body is empty; send a JSON object, or an array of them")
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

// element reads one event of the body. Only an error of syntax comes back.
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

// settle counts the event that was read, as accepted or as rejected.
func (d *Decoder) settle(err error) {
	if err == nil {
		d.sizes[0] = min(d.event.record.Attributes().Len(), largestGuess)
		d.place()
		d.result.Accepted++
	} else {
		d.result.Rejected = append(d.result.Rejected, Rejection{Index: d.index, ID: d.event.id, Err: err})
		d.event = newPending() // what was read of it goes
	}
	d.index++
}

// skipEvent passes an event that was rejected, and picks up its id on the way.
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

// group is the records of one resource and scope.
type group struct {
	id      appevent.Digest
	records plog.LogRecordSlice
}

// origin is what an event says of its resource and scope, as it is written.
type origin struct{ source, resource, scope span }

// span is a part of the body. The zero span is none.
type span struct {
	at   int
	text []byte
}

func (o *origin) equal(p *origin) bool {
	return bytes.Equal(o.source.text, p.source.text) && bytes.Equal(o.resource.text, p.resource.text) && bytes.Equal(o.scope.text, p.scope.text)
}

// put puts off reading a part of the origin: most often it is that of the event before, which is an object or a string.
func (s *span) put(d *Decoder, before span) error {
	d.json.Kind() // so that it begins with the value
	s.at = d.json.Offset()
	if before.text != nil && d.json.Take(before.text) {
		s.text = before.text
		return nil
	}
	var err error
	s.text, err = d.json.Value()
	return syntaxError(err)
}

// readOrigin reads what was put off, unless it is known from the event before.
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

// place moves the event that was read into the result, beside those of its source.
func (d *Decoder) place() {
	if !d.event.sameOrigin {
		d.lastGroup = d.group()
		d.last, d.lastKnown = d.event.origin, len(d.event.valueTypes) == 0
	}
	record := d.groups[d.lastGroup].records.AppendEmpty()
	d.event.record.MoveTo(record)
	d.result.Records = append(d.result.Records, Accepted{Record: record, Index: d.index, Anonymous: d.event.anonymous})
}

// groupsSearched bounds the work that a body of many sources makes; two groups of one source do no harm.
const groupsSearched = 16

// group is the place of the group of the event's resource and scope. Groups are known by digests: to compare maps takes
// time in the square of their size.
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
		sl.LogRecords().EnsureCapacity(d.guess)
	}
	d.groups = append(d.groups, group{id: id, records: sl.LogRecords()})
	return len(d.groups) - 1
}

func clearScope(scope pcommon.InstrumentationScope) {
	scope.SetName("")
	scope.SetVersion("")
	scope.Attributes().Clear()
}

// rejection is an error of one event: its JSON is sound and the reading can go on after it.
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

// within puts the name of a member before the path of a rejection.
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

// syntaxError rewords an error of the JSON reader.
func syntaxError(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("not JSON: %w", err)
}
