// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import (
	"slices"
	"strconv"
	"strings"
)

// layerPrefix precedes the details of a layer.
const layerPrefix = "  | "

// layerReader reads an error that cockroachdb/errors printed: its message, then a numbered line for
// each layer, with its details, and last the types of the layers.
type layerReader struct {
	*builder
	lines   lines
	current int
	header  header
	// typ is the type of the current layer, and types are those of the layers that follow.
	types, typ string
	// details is the kind of the current layer's details.
	details layerDetails
	// branches are the open layers of joined errors; the first is the trunk.
	branches [maxBranches]layerBranch
	depth    int
	// elided has a bit for each exception whose last frames were not printed, because its cause has
	// the same ones.
	elided uint64
}

type layerDetails uint8

const (
	layerOther layerDetails = iota
	layerMessage
	layerStack
)

// layerBranch is an open layer of an exception. members counts the errors that the layer joins.
type layerBranch struct {
	indent, exception, members int
	joins                      bool
}

// typesOfLayers returns the types that cockroachdb/errors prints last. ok is false for other texts.
func typesOfLayers(text string) (types string, ok bool) {
	_, types, ok = strings.Cut(text, "\nError types: ")
	types, _, _ = strings.Cut(types, "\n")
	return types, ok && strings.HasPrefix(types, "(1) ")
}

func readLayers(b *builder, types string) {
	r := layerReader{builder: b, lines: lines{text: b.text}, current: none, types: types}
	for r.lines.scan() {
		r.read(r.lines.line)
	}
	for i := range slices.Backward(r.exceptions) {
		if r.elided&(1<<i) != 0 && !r.repeat(i) {
			r.incomplete = true
		}
	}
}

func (r *layerReader) read(line string) {
	indent, text, isLayer := cutLayer(line)
	detail, isDetail := strings.CutPrefix(line, layerPrefix)
	switch {
	case len(r.exceptions) == 0:
		r.current = r.begin(noParent, "")
		r.branches[0] = layerBranch{indent: -1, exception: r.current}
		r.header = header{index: r.current, start: r.lines.start, open: true}
		r.exception(r.current).Message = line
		if r.skipKnown(&r.lines, r.lines.start) {
			r.exception(r.current).Message = r.message
		}
	case isLayer:
		r.layer(indent, text)
	case r.header.extend(r.builder, &r.lines), isBlank(line):
	case strings.HasPrefix(line, "  -- stack trace:"):
		r.stack()
	case isDetail:
		r.detail(detail)
	case strings.HasPrefix(line, "Error types: (1) "):
		r.details = layerOther
	default:
		r.unread(r.current, line)
	}
}

// cutLayer cuts "(1) text", "Wraps: (2) text" or, of a joined error, "  └─ Wraps: (2) text". The
// indent of the trunk is -1.
func cutLayer(line string) (indent int, text string, ok bool) {
	indent = -1
	if rest, isBranch := strings.CutPrefix(strings.TrimLeft(line, " "), "└─ "); isBranch {
		indent, line = spaces(line), rest
		ok = strings.HasPrefix(line, "Wraps: (")
	} else {
		ok = strings.HasPrefix(line, "(1) ")
	}
	line, isWrapped := strings.CutPrefix(line, "Wraps: ")
	number, text, found := strings.Cut(line, ") ")
	return indent, text, (ok || isWrapped) && found && strings.HasPrefix(number, "(") && isNumber(number[1:])
}

// layer enters the next layer.
func (r *layerReader) layer(indent int, text string) {
	r.header.open = false
	r.typ, r.types = nextLayerType(r.types)
	r.enterBranch(indent)
	r.details = layerOther
	if hasMessage(r.typ) {
		r.details = layerMessage
		r.addMessage(": ", text)
	}
}

// nextLayerType cuts the first of "(1) *withstack.withStack (2) *errutil.leafError".
func nextLayerType(types string) (typ, rest string) {
	_, types, _ = strings.Cut(types, ") ")
	typ, _, _ = strings.Cut(types, " (")
	return typ, types[len(typ):]
}

// enterBranch finds the exception of a layer. Each error that another one joins is an exception.
func (r *layerReader) enterBranch(indent int) {
	for r.depth > 0 && r.branches[r.depth].indent >= indent {
		r.depth--
	}
	parent := &r.branches[r.depth]
	r.current = parent.exception
	joins := strings.Contains(r.typ, "join") || r.typ == "*fmt.wrapErrors"
	if indent < 0 {
		parent.joins = joins
		return
	}
	if parent.joins {
		if parent.exception != none {
			r.exception(parent.exception).Group = true
		}
		r.current = r.begin(parent.exception, "errors["+strconv.Itoa(parent.members)+"]")
		parent.members++
	}
	r.depth = min(r.depth+1, maxBranches-1)
	r.branches[r.depth] = layerBranch{indent: indent, exception: r.current, joins: joins}
}

// hasMessage reports whether a layer of that type adds to the message. Others attach details.
func hasMessage(typ string) bool {
	module, name, _ := strings.Cut(strings.TrimPrefix(typ, "*"), ".")
	switch module {
	case "withstack", "hintdetail", "safedetails", "secondary", "telemetrykeys", "issuelink", "contexttags", "assert", "domains", "markers",
		"exthttp", "extgrpc":
		return false
	default:
		return name != "withStack"
	}
}

// addMessage adds text to the message of a cause. The message of the thrown exception is complete
// already: it is printed first.
func (r *layerReader) addMessage(separator, text string) {
	if r.current <= 0 {
		return
	}
	e := r.exception(r.current)
	if len(e.Message) > maxAssembled {
		r.incomplete = true
		return
	}
	if e.Message != "" {
		text = e.Message + separator + text
	}
	e.Message = text
}

// stack begins a stack. A second one belongs to a cause, whose message follows in the layers below.
func (r *layerReader) stack() {
	r.details = layerStack
	if r.framesOf(r.current) > 0 {
		r.current = r.begin(r.current, "cause")
		r.branches[r.depth].exception = r.current
	}
}

// detail reads a frame or a further line of a message. Another error may be attached as details.
func (r *layerReader) detail(line string) {
	next, _ := strings.CutPrefix(r.lines.peek(), layerPrefix)
	path, at, isFrame := goLocation(next)
	isFrame = isFrame && line != "" && line[0] != ' ' && line[0] != '\t'
	if isFrame && r.details == layerMessage && (r.typ == "*errors.fundamental" || r.typ == "*errors.withStack") {
		message := r.exception(r.current).Message
		r.stack()
		if r.current > 0 {
			r.exception(r.current).Message = message
		}
	}
	switch {
	case isFrame && r.details == layerStack:
		r.lines.scan()
		f := r.frame(r.current)
		f.setGoFunction(line)
		f.Line = at
		f.setGoPath(path)
	case r.details == layerStack && line == "[...repeated from below...]" && r.current != none:
		r.elided |= 1 << r.current
	case r.details == layerMessage && !strings.HasPrefix(line, "-- ") && r.current > 0:
		r.addMessage("\n", line)
	case r.details == layerMessage && strings.Contains(r.exception(r.current).Message, line):
	default:
		r.details = layerOther
		r.incomplete = true
	}
}

// repeat appends the frames that were not printed because the cause has them too: those below the last
// call of the stack, which the cause must have exactly once.
func (r *layerReader) repeat(index int) bool {
	from := index + 1
	if from >= len(r.exceptions) || r.exceptions[from].Parent != index || r.framesOf(index) == 0 || r.framesOf(index) > maxFrames ||
		r.framesOf(from) > maxFrames {
		return false
	}
	last := r.lastFrame(index)
	cause := r.frames[r.exceptionFrames[from].start:r.exceptionFrames[from].end()]
	same := -1
	for i := range cause {
		if cause[i].Module != last.Module || cause[i].Function != last.Function {
			continue
		}
		if same >= 0 { // a recursion: which of the calls is meant is unknown
			return false
		}
		same = i
	}
	return same >= 0 && r.insertFrames(index, r.framesOf(index), from, same+1, len(cause)-same-1)
}
