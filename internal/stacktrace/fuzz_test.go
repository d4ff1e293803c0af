// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func FuzzJava(f *testing.F)       { fuzzLanguage(f, Java) }
func FuzzPython(f *testing.F)     { fuzzLanguage(f, Python) }
func FuzzJavaScript(f *testing.F) { fuzzLanguage(f, JavaScript) }
func FuzzGo(f *testing.F)         { fuzzLanguage(f, Go) }
func FuzzDotNet(f *testing.F)     { fuzzLanguage(f, DotNet) }
func FuzzPHP(f *testing.F)        { fuzzLanguage(f, PHP) }
func FuzzRuby(f *testing.F)       { fuzzLanguage(f, Ruby) }
func FuzzRust(f *testing.F)       { fuzzLanguage(f, Rust) }
func FuzzElixir(f *testing.F)     { fuzzLanguage(f, Elixir) }
func FuzzDart(f *testing.F)       { fuzzLanguage(f, Dart) }
func FuzzSwift(f *testing.F)      { fuzzLanguage(f, Swift) }

// FuzzSniff parses stacks of all languages without a hint.
func FuzzSniff(f *testing.F) { fuzzLanguage(f, Unknown) }

func fuzzLanguage(f *testing.F, language Language) {
	folder := language.String()
	if language == Unknown {
		folder = "*"
	}
	for _, s := range samples(f, folder) {
		if len(s.text) < 8192 { // longer ones only repeat themselves
			f.Add(s.typ, s.message, s.text)
		}
	}
	var p Parser
	f.Fuzz(func(t *testing.T, typ, message, text string) {
		p.check(t, p.Parse(language, typ, message, text), typ, message, text)
		p.checkSecondStack(t, language, text)
	})
}

// secondStacks are stacks of one frame below a header, by language. In Python, the header is below.
var secondStacks = map[Language]string{
	Python:     "Traceback (most recent call last):\n  File \"/zq/zq.py\", line 1, in zqFrame\nZqError: zq\n",
	Java:       "zq.ZqError: zq\n\tat zq.Zq.zqFrame(Zq.java:1)\n",
	JavaScript: "ZqError: zq\n    at zqFrame (/zq/zq.js:1:1)\n",
	Go:         "ZqError: zq\nzq.zqFrame\n\t/zq/zq.go:1\n",
	DotNet:     "Zq.ZqError: zq\n   at Zq.Zq.zqFrame() in /zq/zq.cs:line 1\n",
	PHP:        "ZqError: zq\n#0 /zq/zq.php(1): zqFrame()\n#1 {main}\n",
	Ruby:       "ZqError: zq\n/zq/zq.rb:1:in `zqFrame'\n",
	Rust:       "ZqError: zq\n   0: zq::zqFrame\n",
	Elixir:     "ZqError: zq\n    lib/zq.ex:1: Zq.zqFrame/1\n",
	Dart:       "ZqError: zq\n#0      zqFrame (package:zq/zq.dart:1:1)\n",
	Swift:      "ZqError: zq\n0   Zq   0x0000000104f0c3a4 zqFrame + 1\n",
}

// checkSecondStack checks that a frame below the header of a second stack belongs to no exception of
// the first.
func (p *Parser) checkSecondStack(t *testing.T, language Language, text string) {
	t.Helper()
	second, ok := secondStacks[language]
	if !ok || strings.Contains(text, "zq") {
		return
	}
	stack := p.Parse(language, "", "", text+"\n"+second)
	for i := range stack.Exceptions {
		e := &stack.Exceptions[i]
		isFrame := func(f Frame) bool { return strings.Contains(f.Function, "zqFrame") }
		for e.Parent != noParent && !strings.Contains(e.Type+e.Message, "zq") {
			e = &stack.Exceptions[e.Parent] // which may have frames in common
		}
		if slices.ContainsFunc(stack.Exceptions[i].Frames, isFrame) && !strings.Contains(e.Type+e.Message, "zq") {
			t.Fatalf("a frame of another stack in %s", render(stack))
		}
	}
}

// check checks the guarantees that hold for every stack.
func (p *Parser) check(t *testing.T, s *Stack, typ, message, text string) {
	t.Helper()
	typ, message, text = withoutColors(typ), withoutColors(message), withoutColors(text)
	if strings.ContainsRune(typ+message+text, escape) {
		t.Fatal("an escape code remains")
	}
	if len(s.Exceptions) > maxExceptions || len(s.Threads) > maxThreads {
		t.Fatalf("%d exceptions and %d threads exceed the limits", len(s.Exceptions), len(s.Threads))
	}
	if (len(s.Exceptions) == 0) != (typ == "" && message == "" && text == "") {
		t.Fatal("a stack must have an exception if anything is given")
	}
	if s.Unparsed != "" && s.Unparsed != text {
		t.Fatal("Unparsed is not the whole text")
	}
	read := text
	if s.Language == PHP {
		read += "\n" + withoutMonologJSON(text)
	}
	valid := utf8.ValidString(typ) && utf8.ValidString(message) && utf8.ValidString(text)
	for i := range s.Exceptions {
		e := &s.Exceptions[i]
		if (i == 0) != (e.Parent == noParent) || e.Parent >= i || (i == 0) != (e.Relation == "") {
			t.Fatalf("exception %d is %q of %d", i, e.Relation, e.Parent)
		}
		checkStrings(t, valid, e.Type, e.Module, e.Message, e.Relation)
		checkFrames(t, e.Frames, read, valid)
	}
	for i := range s.Threads {
		checkStrings(t, valid, s.Threads[i].ID, s.Threads[i].Name, s.Threads[i].State)
		checkFrames(t, s.Threads[i].Frames, read, valid)
	}
	if s.Unparsed == "" {
		p.checkComplete(t, s, typ, message, text)
	}
}

func checkFrames(t *testing.T, frames []Frame, text string, valid bool) {
	t.Helper()
	if len(frames) > maxFrames {
		t.Fatalf("%d frames exceed the limit", len(frames))
	}
	for i := range frames {
		f := &frames[i]
		if f.Line < 0 || f.Column < 0 {
			t.Fatalf("frame %d is in line %d, column %d", i, f.Line, f.Column)
		}
		if f.Function == "" && f.Filename == "" || f.Filename == "" && f.AbsPath != "" {
			t.Fatalf("frame %d has neither a function nor a file", i)
		}
		if f.Function == unknownFunction {
			continue
		}
		module := f.Module
		if strings.ContainsRune(module, ':') && isNodePath(f.path()) { // the parts of a path
			module = f.Filename[max(strings.LastIndexAny(f.Filename, "/")+1, 0):]
		}
		for _, part := range []string{f.Function, module, f.Package, f.Filename, f.AbsPath, f.ContextLine} {
			if !strings.Contains(text, part) && !strings.Contains(strings.ReplaceAll(text, `\`, "/"), part) && !strings.Contains(withoutMonologJSON(text), part) &&
				!strings.Contains(withoutCrateHashes(text), part) {
				t.Fatalf("%q is not in the text", part)
			}
		}
		checkStrings(t, valid, f.Function, f.Module, f.Package, f.Filename, f.AbsPath, f.ContextLine)
	}
}

// checkStrings checks that substrings are valid UTF-8 if the whole text is.
func checkStrings(t *testing.T, whole bool, parts ...string) {
	t.Helper()
	if !whole {
		return
	}
	for _, part := range parts {
		if !utf8.ValidString(part) {
			t.Fatalf("%q was cut within a character", part)
		}
	}
}

// checkComplete checks that each line of an understood text is in the stack. Frames that were
// removed on purpose are still in the builder.
func (p *Parser) checkComplete(t *testing.T, s *Stack, typ, message, text string) {
	t.Helper()
	trimmed := func(frames []Frame) bool { return len(frames) == maxFrames }
	if slices.ContainsFunc(s.Exceptions, func(e Exception) bool { return trimmed(e.Frames) }) ||
		slices.ContainsFunc(s.Threads, func(th Thread) bool { return trimmed(th.Frames) }) {
		return
	}
	if strings.HasPrefix(strings.TrimSpace(text), "[{") { // an Erlang term has no lines
		return
	}
	thrown := ""
	var printed Parser // the printed type, where the given one replaced it
	if exceptions := printed.Parse(s.Language, "", message, text).Exceptions; len(exceptions) > 0 {
		thrown = exceptions[0].Type
	}
	if s.Language == PHP {
		text = withoutMonologJSON(text)
	}
	for line := range strings.Lines(text) {
		line = strings.Trim(line, " \t\r\n")
		if thrown != "" && strings.Contains(line, thrown) || p.represents(s, line) {
			continue
		}
		if s.Language == Python || s.Language == Go {
			line = strings.Trim(line, "| ")
		}
		switch s.Language { // Rails and Monolog print messages in parentheses
		case Ruby:
			line = strings.TrimRight(line, "): ")
		case PHP:
			line = strings.TrimSuffix(line, ")")
		case Go: // a message of xerrors ends with a colon, as titles do
			if !isStructure(Go, line) {
				line = strings.TrimSuffix(line, ":")
			}
		case Rust:
			line = withoutCrateHashes(line)
			if _, message, ok := number(line); ok { // of a list of errors
				line = strings.TrimPrefix(message, ": ")
			}
		}
		if strings.TrimSpace(line) != "" && !isStructure(s.Language, line) && !p.represents(s, line) && !isHeader(text, typ, message) {
			t.Fatalf("line %q of %s is not in %s, and Unparsed is empty", line, s.Language, render(s))
		}
	}
}

// isStructure reports whether a line has no content of its own.
func isStructure(language Language, line string) bool {
	for _, word := range map[Language][]string{
		Java:       {"... ", "[CIRCULAR", "Caused by: ", "Suppressed: ", "Wrapped by: ", "ComposedException "},
		PHP:        {"Stack trace:", "[stacktrace]", "\"}", "[previous exception]", "thrown in ", "... ", "[CIRCULAR", "Caused by: ", "Suppressed: ", "Wrapped by: ", "ComposedException "},
		Python:     {"Traceback (", pythonStack, "Exception Group Traceback (", "+ Exception Group", "+--", "+-+--", "The above exception", "During handling", "[Previous line"},
		JavaScript: {"... ", "[errors]: [", "at ", "caused by: "},
		Go:         {"goroutine ", "runtime stack:", "created by ", "panic:", "fatal error:", "exit status ", "signal: ", "Wraps: (", "Error types:", "-- stack trace:", "(1) ", "[...repeated"},
		DotNet:     {"Unhandled exception.", "--- ", "<---", "at ", "Server stack trace:", "Exception rethrown at [", "Rethrow as ", azureEndInner},
		Ruby:       {"Traceback (", "from :", "Information for ", "Caused by", "Causes"},
		Rust:       {"stack backtrace:", "Stack backtrace:", "Caused by:", "note: ", "thread '", "Location:", "Message:", "The application panicked", "Run with ", "Backtrace omitted", "━", "⋮", "Error:", "Caused by th", "Backtrace:", "├", "╰", "│", "|", "===="},
		Dart:       {"<asynchronous suspension>", "===== asynchronous gap", "Unhandled exception:", "══", "The following "},
		Swift:      {"Thread ", "Last Exception Backtrace:", "*** First throw call stack:", "Current stack trace:", "*** Call stack at first throw:", "libc++abi: "},
		Elixir:     {"** (EXIT)", "** (", "[", "{", "stacktrace:"},
	}[language] {
		word = strings.TrimSpace(word)
		if len(line) >= len(word) && strings.EqualFold(line[:len(word)], word) {
			return true
		}
	}
	if language == Swift && strings.Contains(line, "*** Terminating app due to uncaught exception ") { // below the time of a log
		return true
	}
	if _, source, _ := number(line); (language == Rust || language == Swift) && strings.HasPrefix(unindented(source), "│") {
		return true
	}
	return strings.Trim(line, "{}[](), ~^-<>") == "" || (language == Java || language == PHP) && isCoroutineBoundary(line)
}

func (p *Parser) represents(s *Stack, line string) bool {
	in := func(part string) bool { return part != "" && strings.Contains(line, strings.TrimSpace(part)) }
	for i := range s.Exceptions {
		e := &s.Exceptions[i]
		first, _, _ := strings.Cut(e.Message, "\n")
		list, _, _ := strings.Cut(e.Relation, "[") // "errors" of "errors[0]"
		if in(list) || in(e.Type) || in(strings.TrimSpace(first)) || strings.Contains(e.Message, line) ||
			s.Language == Swift && strings.Contains(e.Message, strings.TrimSuffix(line, "'")) { // the quote behind a reason
			return true
		}
	}
	for i := range s.Threads {
		if in(s.Threads[i].ID) {
			return true
		}
	}
	for _, f := range p.builder.frames {
		if in(f.Function) || in(f.Module) || in(f.Filename) || in(f.AbsPath) || in(f.ContextLine) || f.Native || f.Filename == "" && f.Line > 0 {
			return true
		}
	}
	// Python prints further source lines and markers below a frame.
	return s.Language == Python
}
