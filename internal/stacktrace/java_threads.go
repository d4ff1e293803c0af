// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import "strings"

// isJavaThread reports whether the line is the header of a thread in a dump:
//
//	"main" prio=5 tid=1 Native                                  Android
//	"main" #1 prio=5 os_prio=0 tid=0x7f1a nid=0x12 runnable     jstack
//	"main" prio=5 Id=1 RUNNABLE                                 ThreadInfo.toString
func isJavaThread(body string) bool {
	if body == "" || body[0] != '"' {
		return false
	}
	end := strings.LastIndexByte(body, '"')
	details := body[end+1:]
	return end > 0 && (strings.Contains(details, " tid=") || strings.Contains(details, " Id="))
}

// enterThread begins a thread. The main thread, else the first one, is the exception, if there is none
// with frames already. The other details of a dump are only in Stack.Unparsed.
func (r *javaReader) enterThread(body string) {
	r.incomplete = true
	r.header.open = false
	r.dumped++
	if r.isMainThread(body) {
		if !r.started() {
			r.current = r.begin(noParent, "")
		}
		if e := r.exception(r.current); e.Type == "" && e.Message == "" {
			e.Message = body
		}
		r.inThread = false
		return
	}
	r.thread, r.inThread = r.beginThread(javaThread(body)), true
}

func (r *javaReader) isMainThread(body string) bool {
	const mainThread = `"main" `
	if len(r.exceptions) > 1 || r.started() && r.framesOf(r.current) > 0 {
		return false
	}
	return strings.HasPrefix(body, mainThread) || r.dumped == 1 && !strings.Contains(r.text, "\n"+mainThread)
}

// javaThread reads the header of a thread.
func javaThread(body string) Thread {
	end := strings.LastIndexByte(body, '"')
	details := body[end+1:]
	thread := Thread{Name: body[1:end]}
	for _, key := range [...]string{" #", " Id=", " tid="} {
		_, value, _ := strings.Cut(details, key)
		_, rest, ok := number(value)
		if !ok || strings.HasPrefix(rest, "x") { // an address
			continue
		}
		thread.ID = value[:len(value)-len(rest)]
		if key != " #" { // jstack prints the state on the next line
			thread.State = strings.TrimSpace(rest)
		}
		break
	}
	return thread
}

// threadDetail reads a line about a thread other than a managed frame.
func (r *javaReader) threadDetail(body string) bool {
	const state = "java.lang.Thread.State: "
	switch {
	case strings.HasPrefix(body, state):
		if r.inThread && r.thread != none {
			r.threads[r.thread].State = body[len(state):]
		}
	case strings.HasPrefix(body, "native: "):
		r.nativeFrame(body[len("native: "):])
	case strings.HasPrefix(body, "| "), strings.HasPrefix(body, "- "), body == "(no managed stack frames)":
	default:
		return false
	}
	r.incomplete = true
	return true
}

// nativeFrame reads "#00 pc 00000000000d3a38  /system/lib64/libc.so (read+8) (BuildId: 1a2b)".
func (r *javaReader) nativeFrame(line string) {
	_, line, ok := strings.Cut(line, "pc ")
	_, line, found := strings.Cut(line, " ")
	if !ok || !found {
		return
	}
	library, symbol, _ := strings.Cut(strings.TrimLeft(line, " "), " (")
	symbol, _, _ = strings.Cut(symbol, " (BuildId: ")
	if strings.HasPrefix(symbol, "offset 0x") { // of the library in an APK
		_, symbol, _ = strings.Cut(symbol, ") (")
	}
	symbol = strings.TrimSuffix(symbol, ")")
	if i := strings.LastIndexByte(symbol, '+'); i >= 0 && isNumber(symbol[i+1:]) {
		symbol = symbol[:i]
	}
	f := r.next(false)
	f.Package, f.Native = library, true
	if symbol != "???" && !strings.HasPrefix(symbol, "BuildId: ") {
		f.Function = symbol
	}
}

// isAndroidNative reports whether a native frame belongs to Android.
func (f *Frame) isAndroidNative() bool {
	return f.Native && strings.HasPrefix(f.Package, "/") && !strings.HasPrefix(f.Package, "/data/")
}

// withoutLogcat removes what logcat prints before each line of an uncaught exception, and reports
// whether it did:
//
//	E/AndroidRuntime( 1234): 	at com.acme.Cart.add(Cart.kt:12)
//	06-01 12:00:00.000  1234  1234 E AndroidRuntime: 	at com.acme.Cart.add(Cart.kt:12)
//	2024-06-01 12:00:00.000  1234-1234  AndroidRuntime  com.acme  E  	at com.acme.Cart.add(Cart.kt:12)
func withoutLogcat(text string) (stack string, ok bool) { return withoutPrefixes(text, cutLogcat) }

// withoutPrefixes cuts each line of a text whose first line has a prefix.
func withoutPrefixes(text string, cut func(line string) (rest string, ok bool)) (stack string, ok bool) {
	end, _ := lineEnd(text, 0)
	if _, ok := cut(text[:end]); !ok {
		return text, false
	}
	var b strings.Builder
	b.Grow(len(text))
	for l := (lines{text: text}); l.scan(); {
		line, ok := cut(l.line)
		if !ok {
			line = l.line
		}
		b.WriteString(line)
		b.WriteByte('\n')
	}
	return b.String(), true
}

// cutLogcat cuts off logcat's prefix.
func cutLogcat(line string) (rest string, ok bool) {
	before, after, ok := strings.Cut(line, logcatTag)
	if !ok {
		return line, false
	}
	if strings.HasSuffix(before, "E ") || strings.HasSuffix(before, "E/") {
		process, rest, ok := strings.Cut(after, ":")
		if !ok || strings.Trim(process, "( 0123456789)") != "" {
			return line, false
		}
		return strings.TrimPrefix(rest, " "), true
	}
	if before == "" || before[0] < '0' || before[0] > '9' {
		return line, false
	}
	process, rest, ok := strings.Cut(after, " E  ")
	if !ok || !strings.HasPrefix(process, " ") {
		return line, false
	}
	return rest, true
}

// logcatTag is the tag of uncaught exceptions.
const logcatTag = "AndroidRuntime"
