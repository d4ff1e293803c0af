// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventjson

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
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

// Decoder reads events. Make one with [NewDecoder]; one Decoder serves one goroutine.
type Decoder struct {
	maxEvents int

	body     bytes.Buffer // the JSON reader parses the memory of a bytes.Buffer in place
	json     jsontext.Decoder
	names    map[string]string
	hasher   appevent.Hasher
	received pcommon.Timestamp

	result     Result
	index      int
	valueCount int
	groups     []group

	event pending
}

// NewDecoder returns a decoder that takes up to maxEvents events from one body.
func NewDecoder(maxEvents int) *Decoder {
	return &Decoder{maxEvents: maxEvents, names: map[string]string{}, event: newPending()}
}

// Decode reads a body that is one event or an array of events. Events that are JSON but not events are rejected
// one by one; a body that is not JSON is an error as a whole, and so is one with more events than the decoder
// takes ([TooManyError]). received is the time of those events that do not tell theirs.
func (d *Decoder) Decode(body []byte, received time.Time) (Result, error) {
	d.begin(received)
	d.read(body)
	err := d.readBodyValue()
	if err == nil {
		if _, tail := d.json.ReadToken(); !errors.Is(tail, io.EOF) {
			err = errors.New("the body goes on after its first value; send several events as an array, or one a line as application/x-ndjson")
		}
	}
	return d.end(err)
}

// DecodeLines reads one event a line (NDJSON). A line that is not JSON is rejected like any other bad event.
func (d *Decoder) DecodeLines(body []byte, received time.Time) (Result, error) {
	d.begin(received)
	for line := range bytes.Lines(body) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		if d.index == d.maxEvents {
			return d.end(&TooManyError{What: "events", Limit: d.maxEvents})
		}
		d.read(line)
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
	err := d.decodeEvent()
	if isRejection(err) {
		if skipErr := d.skipTo(0); skipErr != nil {
			return skipErr
		}
		return err
	}
	if err != nil {
		return err
	}
	if _, err := d.json.ReadToken(); !errors.Is(err, io.EOF) {
		return errors.New("the line goes on after its event")
	}
	return nil
}

func (d *Decoder) begin(received time.Time) {
	d.valueCount = 0
	d.received = pcommon.NewTimestampFromTime(received)
	d.result = Result{Logs: plog.NewLogs()}
	d.index = 0
	d.groups = d.groups[:0]
}

// end lets go of everything that belongs to the body. The next one may be another sender's.
func (d *Decoder) end(err error) (Result, error) {
	result := d.result
	d.result = Result{}
	clear(d.groups)
	d.groups = d.groups[:0]
	d.read(nil)
	if err != nil {
		d.event = newPending()
		return Result{}, err
	}
	return result, nil
}

func (d *Decoder) read(body []byte) {
	d.body = *bytes.NewBuffer(body)
	// Repeated names are found where the members are read, and cost only the event they are in.
	d.json.Reset(&d.body, jsontext.AllowDuplicateNames(true))
}

// readBodyValue reads the body's value: an event, or an array of them.
func (d *Decoder) readBodyValue() error {
	switch d.json.PeekKind() {
	case '{':
		return d.element()
	case '[':
		return d.array()
	}
	if _, err := d.json.ReadToken(); err != nil {
		return syntaxError(err)
	}
	return errors.New("the body is neither an object (one event) nor an array of objects (several)")
}

func (d *Decoder) array() error {
	if _, err := d.json.ReadToken(); err != nil {
		return syntaxError(err)
	}
	for d.json.PeekKind() != ']' {
		if d.index == d.maxEvents {
			return &TooManyError{What: "events", Limit: d.maxEvents}
		}
		if err := d.element(); err != nil {
			return err
		}
	}
	_, err := d.json.ReadToken()
	return syntaxError(err)
}

// element reads one event of the body. Only an error of syntax comes back.
func (d *Decoder) element() error {
	depth := d.json.StackDepth()
	err := d.decodeEvent()
	if err != nil && !isRejection(err) {
		return err
	}
	if err != nil {
		if skipErr := d.skipTo(depth); skipErr != nil {
			return skipErr
		}
	}
	d.settle(err)
	return nil
}

// settle counts the event that was read, as accepted or as rejected.
func (d *Decoder) settle(err error) {
	if err == nil {
		d.place()
		d.result.Accepted++
	} else {
		d.result.Rejected = append(d.result.Rejected, Rejection{Index: d.index, ID: d.event.id, Err: err})
		d.event = newPending() // what was read of it goes
	}
	d.index++
}

// skipTo leaves the event at the given depth, wherever in it the reading stopped, and picks up its id on the way.
func (d *Decoder) skipTo(depth int) error {
	for d.json.StackDepth() > depth {
		token, err := d.json.ReadToken()
		if err != nil {
			return syntaxError(err)
		}
		if !d.atName(depth+1) || token.String() != fieldID {
			continue
		}
		if kind := d.json.PeekKind(); kind == '"' || kind == '0' {
			id, err := d.id()
			if err != nil && !isRejection(err) {
				return err
			}
			d.event.id = id
		}
	}
	return nil
}

// atName reports whether the token just read is the name of a member of the object at the given depth.
func (d *Decoder) atName(depth int) bool {
	if d.json.StackDepth() != depth {
		return false
	}
	kind, length := d.json.StackIndex(depth)
	return kind == '{' && length%2 == 1
}

// group is the records of one resource and scope.
type group struct {
	id      appevent.Digest
	records plog.LogRecordSlice
}

// place moves the event that was read into the result, beside those of its source.
func (d *Decoder) place() {
	d.event.record.MoveTo(d.group().records.AppendEmpty())
}

// groupsSearched bounds the work that a body of many sources makes; two groups of one source do no harm.
const groupsSearched = 16

// group is the group of the event's resource and scope. Groups are known by digests: to compare maps takes time in the
// square of their size.
func (d *Decoder) group() *group {
	resource, scope := d.event.resource, d.event.scope
	id := d.hasher.Source(resource, scope)
	for i := len(d.groups) - 1; i >= max(0, len(d.groups)-groupsSearched); i-- {
		if d.groups[i].id == id {
			resource.Attributes().Clear()
			clearScope(scope)
			return &d.groups[i]
		}
	}
	rl := d.result.Logs.ResourceLogs().AppendEmpty()
	resource.MoveTo(rl.Resource())
	sl := rl.ScopeLogs().AppendEmpty()
	scope.MoveTo(sl.Scope())
	d.groups = append(d.groups, group{id: id, records: sl.LogRecords()})
	return &d.groups[len(d.groups)-1]
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
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.EOF):
		return errors.New("the body is empty; send a JSON object, or an array of them")
	default:
		return fmt.Errorf("not JSON: %s", strings.TrimPrefix(err.Error(), "jsontext: "))
	}
}
