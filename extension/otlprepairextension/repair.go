// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package otlprepairextension

import (
	"bytes"
	"encoding/json"
	"strings"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

const (
	// maxDepth is the maximum nesting of objects and arrays in a body that is repaired: four for each of
	// 500 values in values.
	maxDepth = 2100
	// maxPath is the maximum number of names in a path.
	maxPath = 10
	// A repaired body may have maxGrowth times the size of the original, and extraGrowth bytes more.
	maxGrowth, extraGrowth = 2, 64 << 10
	// Of objects, maxAhead times the size of the body and extraAhead bytes more may be read in advance.
	maxAhead, extraAhead = 2, 1 << 20
)

// repairBody returns an export request with each bad value repaired, and the repairs. It returns nil if
// the OTLP receiver accepts the original body, or would refuse the repaired one too.
func repairBody(body []byte) ([]byte, map[finding]int) {
	w := &walker{in: bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), out: make([]byte, 0, len(body)+len(body)/8), found: map[finding]int{}}
	if len(w.in) < len(body) {
		w.note(faultSyntax)
	}
	w.message(request)
	if w.failed || len(w.found) == 0 || accepts(w.signal, body) || !accepts(w.signal, w.out) {
		return nil, nil
	}
	return w.out, w.found
}

// accepts reports whether the OTLP receiver accepts the body.
func accepts(signal string, body []byte) bool {
	switch signal {
	case "resourceLogs":
		return plogotlp.NewExportRequest().UnmarshalJSON(body) == nil
	case "resourceSpans":
		return ptraceotlp.NewExportRequest().UnmarshalJSON(body) == nil
	case "resourceMetrics":
		return pmetricotlp.NewExportRequest().UnmarshalJSON(body) == nil
	default:
		return false
	}
}

// walker reads JSON that may be malformed and writes JSON that OTLP allows, in one pass. It leaves out
// members that OTLP does not know, which the receiver ignores.
type walker struct {
	in  []byte
	pos int
	out []byte

	// failed is set if the body cannot be repaired. It ends the reading.
	failed bool
	depth  int
	path   []string
	signal string // the last member of the request
	found  map[finding]int

	ahead int // how many bytes isUntyped has read
}

// note counts a fault at the current member. Paths have at most maxPath names, so values that are nested
// more deeply share one.
func (w *walker) note(f fault) {
	finding{f, strings.Join(w.path[:min(len(w.path), maxPath)], ".")}.addTo(w.found, 1)
}

func (w *walker) fail() {
	w.failed = true
	w.pos = len(w.in)
}

// peek skips white space and returns the next byte, or 0 at the end.
func (w *walker) peek() byte {
	for ; w.pos < len(w.in); w.pos++ {
		switch c := w.in[w.pos]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

// each calls element at each element of an object or array, up to and including its closing bracket.
// It skips additional commas.
func (w *walker) each(closing byte, element func()) {
	w.pos++
	if w.depth++; w.depth > maxDepth || len(w.out) > maxGrowth*len(w.in)+extraGrowth {
		w.fail()
	}
	for first := true; !w.failed; first = false {
		commas := 0
		for ; w.peek() == ','; w.pos++ {
			commas++
		}
		closes := w.peek() == closing
		if commas > 1 || commas == 1 && (first || closes) {
			w.note(faultSyntax)
		}
		if closes {
			w.pos++
			break
		}
		if w.peek() == 0 || commas == 0 && !first {
			w.fail()
			return
		}
		element()
	}
	w.depth--
}

// separate writes a comma unless an element is the first of its object or array.
func (w *walker) separate() {
	if last := w.out[len(w.out)-1]; last != '{' && last != '[' {
		w.out = append(w.out, ',')
	}
}

// value reads a member's value and writes the member. It writes nothing if no value is left. A scalar
// that keeps another kind becomes the alternative member of that kind, such as doubleValue.
func (w *walker) value(name string, m member, of message) {
	w.path = append(w.path, name)
	switch {
	case m.isList:
		w.begin(name)
		w.list(m)
	case m.kind == kindMessage:
		w.begin(name)
		w.messageOrValue(m.message)
	default:
		w.scalar(name, m, of)
	}
	w.path = w.path[:len(w.path)-1]
}

func (w *walker) scalar(name string, m member, of message) {
	result := convert(w.token(), m)
	if result.fault != "" {
		w.note(result.fault)
	}
	if result.kind != m.kind {
		name = memberOf(of, result.kind)
	}
	if result.json != nil && name != "" {
		w.begin(name)
		w.out = append(w.out, result.json...)
	}
}

// begin writes the name of a member.
func (w *walker) begin(name string) {
	w.separate()
	w.out = append(append(append(w.out, '"'), name...), `":`...)
}

// memberOf returns the member of a message with alternatives, such as AnyValue, that holds a kind of
// value.
func memberOf(of message, k kind) string {
	for _, name := range []string{"stringValue", "boolValue", "intValue", "doubleValue", "asInt", "asDouble"} {
		if m, ok := of[name]; ok && m.kind == k {
			return name
		}
	}
	return ""
}

func (w *walker) messageOrValue(name string) {
	switch {
	case name == anyValue:
		w.anyValue()
	case name == valueList && w.peek() == '{' && w.isUntyped(name):
		w.note(faultType)
		w.valueList()
	default:
		w.message(name)
	}
}

// message reads and writes a message.
func (w *walker) message(name string) {
	switch w.peek() {
	case '{':
		w.members(name)
	case '[':
		w.arrayForMessage(name)
	default:
		if t := w.token(); !t.isNull() {
			w.fail()
		} else if t.text != "null" {
			w.note(faultNull)
		}
		w.out = append(w.out, "null"...)
	}
}

func (w *walker) members(name string) {
	known := messages[name]
	w.out = append(w.out, '{')
	start, null := len(w.out), ""
	w.each('}', func() {
		memberName := camelCase(w.name())
		m, ok := known[memberName]
		switch {
		case w.failed:
		case !ok:
			w.skipUnknown()
		case name == anyValue && acceptsNull(m) && w.peekNull():
			w.token()
			null = memberName
		default:
			if name == request {
				w.signal = memberName
			}
			w.value(memberName, m, known)
		}
	})
	if null != "" && len(w.out) == start { // next to another member, the null would override it
		w.begin(null)
		w.out = append(w.out, "null"...)
	}
	w.out = append(w.out, '}')
}

// acceptsNull reports whether the receiver reads null as an empty value.
func acceptsNull(m member) bool { return m.kind == kindString || m.kind == kindMessage }

func (w *walker) peekNull() bool {
	return w.peek() == 'n' && bytes.HasPrefix(w.in[w.pos:], []byte("null"))
}

// skipUnknown skips the value of a member that OTLP does not know.
func (w *walker) skipUnknown() {
	w.peek()
	start := w.pos
	w.token()
	if !w.failed && !json.Valid(w.in[start:w.pos]) {
		w.note(faultSyntax)
	}
}

// name reads a member's name and the colon after it.
func (w *walker) name() string {
	if w.peek() != '"' {
		w.fail()
		return ""
	}
	t := w.token()
	if w.peek() != ':' {
		w.fail()
		return ""
	}
	w.pos++
	return t.text
}

// camelCase converts the name of a member from snake_case, which the receiver accepts too.

func camelCase(name string) string {
	if !strings.Contains(name, "_") {
		return name
	}
	parts := strings.Split(name, "_")
	for i, part := range parts {
		if i > 0 && part != "" {
			parts[i] = strings.ToUpper(part[:1]) + part[1:]
		}
	}
	return strings.Join(parts, "")
}

// arrayForMessage reads an array in place of a message: the values of an ArrayValue or a KeyValueList,
// or the empty array that PHP writes for an empty object.
func (w *walker) arrayForMessage(name string) {
	w.note(faultType)
	if name == array || name == valueList {
		w.out = append(w.out, `{"values":`...)
		w.list(messages[name]["values"])
		w.out = append(w.out, '}')
		return
	}
	w.each(']', w.fail)
	w.out = append(w.out, `{}`...)
}

// list reads and writes a list.
func (w *walker) list(m member) {
	switch w.peek() {
	case '[':
	case '{':
		w.note(faultType)
		w.objectForList(m)
		return
	default:
		if t := w.token(); !t.isNull() {
			w.fail()
		} else if t.text != "null" {
			w.note(faultNull)
		}
		w.out = append(w.out, "null"...)
		return
	}
	w.out = append(w.out, '[')
	w.each(']', func() {
		w.separate()
		if m.kind == kindMessage {
			w.messageOrValue(m.message)
			return
		}
		w.element(m)
	})
	w.out = append(w.out, ']')
}

// element reads and writes a scalar in a list. If no value is left, it writes a zero or an empty string,
// so that the others keep their places.
func (w *walker) element(m member) {
	result := convert(w.token(), m)
	if result.fault != "" {
		w.note(result.fault)
	}
	switch {
	case result.json != nil && result.kind == m.kind:
		w.out = append(w.out, result.json...)
	case m.kind == kindString:
		w.out = append(w.out, `""`...)
	default:
		w.out = append(w.out, '0')
	}
}

// objectForList reads an object in place of a list of attributes: each member becomes an attribute. In
// place of any other list, it accepts only an empty object.
func (w *walker) objectForList(m member) {
	w.out = append(w.out, '[')
	w.each('}', func() {
		if m.message != keyValue {
			w.fail()
			return
		}
		w.separate()
		w.out = jsonappend.String(append(w.out, `{"key":`...), w.name())
		w.out = append(w.out, `,"value":`...)
		w.anyValue()
		w.out = append(w.out, '}')
	})
	w.out = append(w.out, ']')
}

// anyValue reads and writes an AnyValue. A value that is not wrapped in a typed member gets the type that
// it has in JSON.
func (w *walker) anyValue() {
	switch w.peek() {
	case '{':
		if w.isUntyped(anyValue) {
			w.note(faultType)
			w.out = append(w.out, `{"kvlistValue":`...)
			w.valueList()
			w.out = append(w.out, '}')
			return
		}
		w.members(anyValue)
		return
	case '[':
		w.out = append(w.out, `{"arrayValue":`...)
		w.arrayForMessage(array)
		w.out = append(w.out, '}')
		return
	}
	t := w.token()
	if t.text == "null" && t.kind == tokenWord {
		w.out = append(w.out, "null"...)
		return
	}
	result := plain(t)
	w.note(result.fault)
	w.out = append(w.out, '{')
	if name := memberOf(messages[anyValue], result.kind); result.json != nil && name != "" {
		w.begin(name)
		w.out = append(w.out, result.json...)
	}
	w.out = append(w.out, '}')
}

// isUntyped reports whether an object has members of its own in place of those of a message. The
// search for a member of the message is limited, because values within values repeat it.
func (w *walker) isUntyped(name string) bool {
	ahead, members := walker{in: w.in, pos: w.pos + 1}, 0
	for ; !ahead.failed && ahead.peek() != '}'; members++ {
		if ahead.peek() == ',' {
			ahead.pos++
		}
		if _, ok := messages[name][camelCase(ahead.name())]; ok {
			members = 0
			break
		}
		ahead.token()
	}
	if w.ahead += ahead.pos - w.pos; w.ahead > maxAhead*len(w.in)+extraAhead {
		w.fail()
	}
	return members > 0 && !ahead.failed
}

// valueList reads an object in place of a KeyValueList.
func (w *walker) valueList() {
	w.out = append(w.out, `{"values":`...)
	w.objectForList(messages[valueList]["values"])
	w.out = append(w.out, '}')
}
