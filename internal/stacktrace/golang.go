// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import "strings"

// goReader reads panics, the results of runtime.Stack and debug.Stack, goroutine dumps, and the
// stacks of zap and github.com/pkg/errors, which have no arguments
// (https://pkg.go.dev/runtime#Stack).
type goReader struct {
	*builder
	lines   lines
	current int
	header  header
	// thread is the goroutine whose frames follow, if inThread; else they belong to the exception.
	thread   int
	inThread bool
	// panics is true if the text has the message of a panic. The runtime then printed the stack, so it
	// has no frames of code that recorded it.
	panics bool
	// goroutines is the number of goroutine headers so far.
	goroutines int
}

func readGo(b *builder) {
	if types, ok := typesOfLayers(b.text); ok {
		readLayers(b, types)
		return
	}
	switch goFormOf(b.text) {
	case goEris:
		readEris(b)
	case goXerrors:
		readXerrors(b)
	case goSource:
		readGoSource(b)
	default:
		readGoRuntime(b)
	}
}

func readGoRuntime(b *builder) {
	r := goReader{builder: b, lines: lines{text: b.text}, current: none}
	for r.lines.scan() {
		r.read(r.lines.line)
	}
	r.joinRoot()
	r.dropRecording()
}

func (r *goReader) read(line string) {
	switch {
	case strings.HasPrefix(line, "goroutine ") && r.goroutine(line):
	case line == "runtime stack:": // printed before the goroutine's on a stack overflow
		r.enterThread(Thread{Name: "runtime"})
	case r.call(line):
	case strings.HasPrefix(line, "[signal ") && (r.header.open || !r.started()):
		r.extend()
	case r.panicked(line):
	case strings.HasPrefix(line, "PC=0x"), line == "signal arrived during cgo execution":
		r.header.open, r.incomplete = false, true
	case r.header.open && line != "":
		r.extend()
	case line == "":
	case !r.started():
		r.first(line)
	default:
		r.noFrame(line)
	}
}

// first reads the message above the stack of an error, as github.com/pkg/errors prints it.
func (r *goReader) first(line string) {
	r.current = r.begin(noParent, "")
	r.header = header{index: r.current, start: r.lines.start, open: true}
	e := r.exception(r.current)
	e.Message = line
	if r.skipKnown(&r.lines, r.lines.start) {
		e.Message = r.message
		return
	}
	if i := strings.LastIndex(line, " goroutine "); i > 0 && r.goroutine(line[i+1:]) { // echo
		e.Message = line[:i]
	}
	if name, what, ok := strings.Cut(line, ": "); ok && isSignal(name) {
		e.Type, e.Message = name, what
		r.header.start = r.lines.end - len(what)
	}
}

// isSignal reports whether the word is a signal, such as SIGSEGV.
func isSignal(word string) bool {
	name, ok := strings.CutPrefix(word, "SIG")
	return ok && name != "" && strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// noFrame reads a line below frames that is not a frame. Below a panic, go run and shells print how
// the program ended.
func (r *goReader) noFrame(line string) {
	switch {
	case strings.HasPrefix(line, "exit status "), strings.HasPrefix(line, "signal: "), strings.HasPrefix(line, "\tgoroutine running on other thread"):
	case r.framesOf(r.current) > 0 && !r.inThread && r.wrappingMessage(line):
	case r.inThread:
		r.unreadInThread(r.thread, line)
	default:
		r.unread(r.current, line)
	}
}

func (r *goReader) started() bool { return len(r.exceptions) > 0 }

// extend adds a line to the message.
func (r *goReader) extend() {
	if !r.started() {
		r.incomplete = true
		return
	}
	r.exception(r.current).Message = r.text[r.header.start:r.lines.end]
}

// panicked reads "panic: message". If a deferred function panics as well, its panic is printed
// below the first: it is the one that was thrown, and the first belongs to it.
func (r *goReader) panicked(line string) bool {
	body := unindented(line)
	typ, message, ok := strings.Cut(body, ": ")
	if !ok || len(r.frames) > 0 || typ != "panic" && typ != "fatal error" {
		return false
	}
	inner := r.current
	if inner != none && !r.panics { // other output before it
		r.incomplete = true
	} else {
		r.current = r.begin(noParent, "")
	}
	if r.panics && inner != none && r.current != none {
		r.exception(inner).Parent, r.exception(inner).Relation = r.current, "recovered"
	}
	r.panics = true
	r.header = header{index: r.current, start: r.lines.end - len(message), open: true}
	if i := strings.LastIndex(message, " [recovered"); i >= 0 && strings.HasSuffix(message, "]") {
		message = message[:i]
	}
	e := r.exception(r.current)
	e.Message = message
	if r.typ == "" || len(r.exceptions) > 1 {
		e.Type = typ
	}
	return true
}

// goroutine reads "goroutine 18 [chan receive, 5 minutes]:". The first one is the one that
// panicked.
func (r *goReader) goroutine(line string) bool {
	id, rest, ok := number(line[len("goroutine "):])
	open, end := strings.IndexByte(rest, '['), strings.IndexByte(rest, ']')
	if !ok || open < 0 || end < open || !strings.HasSuffix(rest, ":") || id < 0 || !isGoLabels(rest[end+1:len(rest)-1]) {
		return false
	}
	r.goroutines++
	r.header.open = false
	if r.goroutines == 1 && r.framesOf(r.current) == 0 {
		r.inThread = false
		return true
	}
	digits := line[len("goroutine ") : len(line)-len(rest)]
	r.enterThread(Thread{ID: digits, State: rest[open+1 : end]})
	return true
}

// isGoLabels reports whether the text may stand between the state of a goroutine and the colon: the
// labels of pprof, or nothing.
func isGoLabels(text string) bool {
	labels := strings.TrimLeft(text, " ")
	return text == "" || strings.HasPrefix(labels, "{") && strings.HasSuffix(labels, "}")
}

func (r *goReader) enterThread(thread Thread) {
	r.header.open = false
	r.thread, r.inThread = r.beginThread(thread), true
}

// call reads a function and the location below it. The runtime truncates a stack that exceeds its
// buffer, so the last line may be incomplete.
func (r *goReader) call(line string) bool {
	line = strings.TrimPrefix(line, " at ") // errorx
	if line == "" || line[0] == '\t' || line[0] == ' ' {
		return false
	}
	file := r.lines.peek()
	path, at, ok := goLocation(file)
	cut := r.goroutines > 0 && r.cutOff(file)
	if !ok && !cut {
		return false
	}
	if file != "" {
		r.lines.scan()
	}
	r.wrapSilently()
	f := r.add()
	f.setGoFunction(strings.TrimPrefix(line, "created by "))
	f.Line = at
	if path != "" {
		f.setGoPath(path)
	}
	return true
}

// cutOff reports whether the text ends with the current line, or within the location below it.
func (r *goReader) cutOff(file string) bool {
	if strings.HasSuffix(r.text, "\n") {
		return false
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(r.lines.line, "created by "), "(")
	if strings.ContainsAny(name, " \t") { // such as "exit status 2"
		return false
	}
	return r.lines.last() || r.lines.next+len(file) == len(r.text) && strings.HasPrefix(file, "\t")
}

func (r *goReader) add() *Frame {
	r.header.open = false
	if r.inThread {
		return r.threadFrame(r.thread)
	}
	if !r.started() {
		r.current = r.begin(noParent, "")
	}
	return r.frame(r.current)
}

// goLocation reads "\t/app/cart.go:12 +0x1d".
func goLocation(line string) (path string, at int, ok bool) {
	if line == "" || line[0] != '\t' {
		return "", 0, false
	}
	location := line[1:]
	if i := strings.LastIndex(location, " fp=0x"); i >= 0 {
		location = location[:i]
	}
	if i := strings.LastIndex(location, " +0x"); i >= 0 {
		location = location[:i]
	}
	path, at, ok = cutNumber(location)
	return path, at, ok && path != ""
}

// setGoFunction parses "github.com/acme/shop/cart.(*Cart).Add(0xc000012345)". The package ends at
// the first dot after the last slash.
func (f *Frame) setGoFunction(call string) {
	if i := strings.LastIndex(call, " in goroutine "); i >= 0 {
		call = call[:i]
	}
	if i := strings.LastIndexByte(call, '('); i > 0 && call[i-1] != '.' {
		call = call[:i]
	}
	slash := strings.LastIndexByte(call, '/') + 1
	dot := strings.IndexByte(call[slash:], '.')
	if dot < 0 || slash+dot+1 == len(call) {
		f.Function = call
		return
	}
	f.Module, f.Function = call[:slash+dot], call[slash+dot+1:]
}

// setGoPath makes the path relative to the package, as far as the last folders of both agree.
func (f *Frame) setGoPath(path string) {
	f.AbsPath = path
	base := strings.LastIndexByte(path, '/') + 1
	folders, module := path[:max(base-1, 0)], f.Module
	for folders != "" && module != "" {
		folder := folders[strings.LastIndexByte(folders, '/')+1:]
		if module[strings.LastIndexByte(module, '/')+1:] != folder || folder == "" {
			break
		}
		base = len(folders) - len(folder)
		folders, module = folders[:max(base-1, 0)], beforeLast(module, '/')
	}
	f.Filename = path[base:]
	if f.Filename == "" {
		f.Filename = path
	}
	if f.Filename == path {
		f.AbsPath = ""
	}
}

// dropRecording removes the frames above the one that threw: first those that recorded the stack (the
// OpenTelemetry SDK, debug.Stack), then the deferred function that recorded a panic, and the runtime's
// frames that raised it.
func (r *goReader) dropRecording() {
	r.dropTop(r.current, func(*Frame) bool { return false }, (*Frame).recordsStack)
	panics := (*Frame).panics
	if r.panics { // the runtime printed the stack: a call of panic further down was recovered
		panics = func(*Frame) bool { return false }
	}
	r.dropTop(r.current, panics, (*Frame).raisesPanic)
}

// panics reports whether the function is the one that a panic calls.
func (f *Frame) panics() bool {
	return f.Function == "panic" && f.Module == "" || f.Function == "gopanic" && f.isGoRuntime()
}

// isGoRuntime reports whether the function belongs to the runtime.
func (f *Frame) isGoRuntime() bool {
	return f.Module == "runtime" || f.Module == "" && strings.HasSuffix(beforeLast(f.path(), '/'), "/src/runtime")
}

func (f *Frame) recordsStack() bool {
	return f.Module == "runtime/debug" || strings.HasPrefix(f.Module, "go.opentelemetry.io/otel/") ||
		f.Module == "runtime" && (f.Function == "Stack" || f.Function == "Callers")
}

// raisesPanic reports whether the function is one that the runtime calls to raise a panic.
func (f *Frame) raisesPanic() bool {
	if !f.isGoRuntime() {
		return f.Module == "" && f.Function == "panic"
	}
	return strings.HasPrefix(f.Function, "panic") || strings.HasPrefix(f.Function, "goPanic") || f.Function == "sigpanic" ||
		f.Function == "gopanic"
}

// isGoLibrary reports whether the package belongs to the standard library or another module. The
// application is main, or a module outside of the module cache.
func (f *Frame) isGoLibrary() bool {
	if f.Module == "main" {
		return false
	}
	path := f.path()
	if strings.Contains(path, "/pkg/mod/") || strings.Contains(path, "/vendor/") || strings.IndexByte(path, '@') >= 0 {
		return true
	}
	if f.Module == "" { // a builtin, or a stack whose functions have no package
		return path == "" || f.isInGoRoot()
	}
	return isGoStandard(f.Module)
}

// isInGoRoot reports whether the source belongs to the standard library, whose packages are directly
// below a folder named src.
func (f *Frame) isInGoRoot() bool {
	file, ok := after(f.path(), "src")
	return ok && isGoStandard(file) && strings.Contains(file, "/")
}

// isGoStandard reports whether the package belongs to the standard library. It compares names, because
// the path of a private module may lack a dot too.
func isGoStandard(module string) bool {
	first, _, _ := strings.Cut(module, "/")
	switch first {
	case "archive", "bufio", "builtin", "bytes", "cmp", "compress", "container", "context", "crypto", "database", "debug", "embed",
		"encoding", "errors", "expvar", "flag", "fmt", "go", "hash", "html", "image", "index", "internal", "io", "iter", "log", "maps",
		"math", "mime", "net", "os", "path", "plugin", "reflect", "regexp", "runtime", "simd", "slices", "sort", "strconv", "strings",
		"structs", "sync", "syscall", "testing", "text", "time", "unicode", "unique", "vendor", "weak":
		return true
	default:
		return false
	}
}
