// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import "strings"

// faultHeader is the end of a thread's header in a dump of faulthandler, in which the newest call comes
// first (https://docs.python.org/3/library/faulthandler.html).
const faultHeader = " (most recent call first):"

// isFaultHeader reports whether the line is the header of a thread.
func isFaultHeader(line string) bool { return strings.HasSuffix(line, faultHeader) }

// faultReader reads dumps of faulthandler. The exception is the thread that crashed, else the last
// thread, which is the main one.
type faultReader struct {
	*builder
	lines lines
	// crashed is an offset within the header of the thread that becomes the exception.
	crashed int
	// thread is the thread whose frames follow, if inThread; else they belong to the exception, if
	// inFrames.
	thread             int
	inThread, inFrames bool
}

func readFaulthandler(b *builder) {
	r := faultReader{builder: b, lines: lines{text: b.text}, crashed: strings.LastIndex(b.text, "Current thread 0x")}
	if r.crashed < 0 {
		r.crashed = strings.LastIndex(b.text, faultHeader)
	}
	r.begin(noParent, "")
	for r.lines.scan() {
		r.read(r.lines.line)
	}
}

func (r *faultReader) read(line string) {
	switch {
	case strings.HasPrefix(line, `  File "`) && r.frameLine(line):
	case isFaultHeader(line):
		r.header(line)
	case isBlank(line):
		r.inThread, r.inFrames = false, false
	case r.fatal(line):
	default: // such as the names of extension modules
		r.incomplete = true
	}
}

// fatal reads "Fatal Python error: Segmentation fault".
func (r *faultReader) fatal(line string) bool {
	typ, message, ok := strings.Cut(line, ": ")
	e := r.exception(0)
	if !ok || e.Type != "" || typ != "Fatal Python error" && typ != "Windows fatal exception" {
		return false
	}
	e.Type, e.Message = typ, message
	return true
}

// header reads "Current thread 0x00007f1a2c012345 [worker] (most recent call first):".
func (r *faultReader) header(line string) {
	r.inThread, r.inFrames = false, r.lines.start <= r.crashed && r.crashed < r.lines.end
	id, ok := strings.CutPrefix(strings.TrimSuffix(line, faultHeader), "Thread ")
	if r.inFrames || !ok {
		r.incomplete = true
		return
	}
	id, name, _ := strings.Cut(id, " [")
	r.thread, r.inThread = r.beginThread(Thread{ID: id, Name: strings.TrimSuffix(name, "]")}), true
}

// frameLine reads `  File "cart.py", line 12 in add`.
func (r *faultReader) frameLine(line string) bool {
	path, n, rest, ok := cutPythonLine(line)
	function, named := strings.CutPrefix(rest, " in ")
	if !ok || !named {
		return false
	}
	var f *Frame
	switch {
	case r.inThread:
		f = r.threadFrame(r.thread)
	case r.inFrames:
		f = r.frame(0)
	default:
		f = r.discardFrame()
	}
	f.Function, f.Line = function, n
	f.setPythonPath(path)
	return true
}
