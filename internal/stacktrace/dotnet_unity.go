// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import "strings"

// unityState is the state of a stack in the format of Unity
// (https://docs.unity3d.com/ScriptReference/StackTraceUtility.html).
type unityState struct {
	frames    bool // a frame was read
	rethrown  bool
	innermost int
}

// unityRethrown begins the header of an exception that was caused by the one above.
const unityRethrown = "Rethrow as "

// unityFrame reads "Shop.Cart.Add (System.String item) (at Assets/Cart.cs:12)" or
// "Shop.Cart:Add(String)". A line without a location is a frame only next to another frame.
func (r *dotNetReader) unityFrame(body string) bool {
	if len(body) != len(r.lines.line) || strings.IndexByte(body, '(') <= 0 {
		return false
	}
	c, located, ok := cutUnityFrame(body)
	if !ok || !located && !r.unity.frames && !r.beginsUnity(&c) {
		return false
	}
	r.unity.frames = true
	r.addCall(&c)
	return true
}

// beginsUnity reports whether a call without a location is the first frame: it is Unity's own, or a
// frame follows. In a text with frames that begin with "at", it belongs to a message.
func (r *dotNetReader) beginsUnity(c *dotNetCall) bool {
	_, _, next := cutUnityFrame(r.lines.peek())
	return (next || strings.HasPrefix(c.class, "UnityEngine.")) && !r.isEnglish()
}

// cutUnityFrame cuts a frame of Unity. located is true if it ends with "(at path:12)".
func cutUnityFrame(line string) (c dotNetCall, located, ok bool) {
	line = strings.TrimRight(line, " ")
	open := strings.IndexByte(line, '(')
	if open <= 0 || line[0] < 'A' || line[0] > 'Z' {
		return c, false, false
	}
	end := endOfArguments(line, open)
	name := strings.TrimRight(line[:open], " ")
	if end < 0 || startOfName(name) > 0 || name == line[:open] && strings.IndexByte(name, ':') < 0 {
		return c, false, false
	}
	place, located := strings.CutPrefix(strings.TrimLeft(line[end:], " "), "(at ")
	if located {
		place, located = strings.CutSuffix(place, ")")
	}
	if !located && end < len(line) || isForeignPlace(line[open+1:end-1]) {
		return c, false, false
	}
	c.class, c.method = cutDotNetMethod(name)
	if path, at, ok := cutNumber(place); ok && !strings.HasPrefix(path, "<") { // "<0000>" without symbols
		c.path, c.line = path, at
	}
	return c, located, c.class != "" && c.method != ""
}

// rethrown reads "Rethrow as OrderException: message": the exception above is the inner one.
func (r *dotNetReader) rethrown(body string) bool {
	header, ok := strings.CutPrefix(body, unityRethrown)
	inner := r.current()
	if !ok || inner == none || !r.unity.frames || !isExceptionHeader(header) {
		return false
	}
	if !r.unity.rethrown {
		r.unity.innermost = inner
	}
	outer := r.begin(noParent, "")
	if outer == none {
		return false
	}
	e := r.exception(inner)
	e.Parent, e.Relation = outer, "InnerException"
	r.open[0], r.depth = outer, 1
	r.unity.rethrown = true
	r.header = r.readThrown(&r.lines, outer, header)
	return true
}

// settleRethrown ignores the given type and message if they are those of the innermost exception, as
// in Unity's log callback: the outermost exception is the one that was thrown.

func (r *dotNetReader) settleRethrown() {
	if r.unity.rethrown && r.message != "" && r.exceptions[r.unity.innermost].Message == r.message {
		r.typ, r.message = "", ""
	}
}
