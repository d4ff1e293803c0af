// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLanguageOf(t *testing.T) {
	for word, want := range map[string]Language{
		"java": Java, "python": Python, "nodejs": JavaScript, "webjs": JavaScript, "go": Go, "dotnet": DotNet, "php": PHP, "ruby": Ruby,
		"rust": Rust, "erlang": Elixir, "elixir": Elixir, "swift": Unknown, "cpp": Unknown, "": Unknown, "Java": Unknown,
	} {
		assert.Equal(t, want, LanguageOf(word), "%q", word)
	}
}

func TestTheTextTellsItsLanguage(t *testing.T) {
	var p Parser
	for _, s := range samples(t, "*") {
		t.Run(s.name, func(t *testing.T) {
			want := string(render(p.Parse(s.language, s.typ, s.message, s.text)))
			stack := p.Parse(Unknown, s.typ, s.message, s.text)
			if stack.Language == Unknown { // there was no frame to tell it by
				assert.Empty(t, stack.Exceptions[0].Frames)
				assert.NotContains(t, want, "in_app")
				return
			}
			assert.Equal(t, want, string(render(stack)))
		})
	}
}

func TestAHintThatIsWrongDoesNoHarm(t *testing.T) {
	var p Parser
	for _, s := range samples(t, "*") {
		want := p.Parse(s.language, s.typ, s.message, s.text).Language
		for hint := Unknown; hint <= Elixir; hint++ {
			stack := p.Parse(hint, s.typ, s.message, s.text)
			p.check(t, stack, s.typ, s.message, s.text)
			assert.True(t, stack.Language == want || stack.Unparsed != "" || frames(stack) > 0 || isHeader(s.text, s.typ, s.message), "%s as %s", s.name, hint)
		}
	}
}

func frames(s *Stack) int {
	n := 0
	for i := range s.Exceptions {
		n += len(s.Exceptions[i].Frames)
	}
	return n
}

func TestWithoutFrames(t *testing.T) {
	for _, test := range []struct {
		name, typ, message, text string
		language                 Language
		want                     Stack
	}{
		{name: "nothing is known"},
		{
			name: "a type and a message alone are an exception", typ: "E", message: "m",
			want: Stack{Exceptions: []Exception{{Type: "E", Message: "m", Parent: -1}}},
		},
		{
			name: "a message alone is an exception", message: "m",
			want: Stack{Exceptions: []Exception{{Message: "m", Parent: -1}}},
		},
		{
			name: "a text that repeats the type and the message is understood", typ: "E", message: "m\nn", text: "E: m\nn\n",
			want: Stack{Exceptions: []Exception{{Type: "E", Message: "m\nn", Parent: -1}}},
		},
		{
			name: "a text that is blank is understood", typ: "E", message: "m", text: " \n\n",
			want: Stack{Exceptions: []Exception{{Type: "E", Message: "m", Parent: -1}}},
		},
		{
			name: "a text of no language is kept", typ: "E", message: "m", text: "who knows",
			want: Stack{Exceptions: []Exception{{Type: "E", Message: "m", Parent: -1}}, Unparsed: "who knows"},
		},
		{
			name: "a header alone is read as its language writes it", language: Java, text: "java.lang.Error: m",
			want: Stack{Language: Java, Exceptions: []Exception{{Type: "java.lang.Error", Module: "java.lang", Message: "m", Parent: -1}}},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			var p Parser
			got := p.Parse(test.language, test.typ, test.message, test.text)
			for i := range got.Exceptions {
				got.Exceptions[i].Frames = nil
			}
			if len(got.Exceptions) == 0 {
				got.Exceptions = nil
			}
			got.Threads = nil
			assert.Equal(t, test.want, *got)
		})
	}
}

func TestALongStackKeepsItsEnds(t *testing.T) {
	for _, test := range []struct {
		name          string
		language      Language
		head, frame   string
		oldestPrinted bool // first
	}{
		{"the newest is printed first", Java, "E: m\n", "\tat a.B.c(D.java:%d)\n", false},
		{"the oldest is printed first", Python, "Traceback (most recent call last):\n", "  File \"a.py\", line %d, in f\n", true},
	} {
		for _, printed := range []int{999, 1000, 1001, 1499, 1500, 1501, 2000, 12345} {
			t.Run(fmt.Sprintf("%s, %d frames", test.name, printed), func(t *testing.T) {
				var b strings.Builder
				b.WriteString(test.head)
				for i := range printed {
					fmt.Fprintf(&b, test.frame, i+1)
				}
				var p Parser
				got := p.Parse(test.language, "", "", b.String())
				assert.Empty(t, got.Unparsed)
				require.Len(t, got.Exceptions, 1)
				frames := got.Exceptions[0].Frames
				require.Len(t, frames, min(printed, 1000))
				if !test.oldestPrinted {
					slices.Reverse(frames)
				}
				for i := range frames {
					want := i + 1
					if i >= 500 {
						want = printed - len(frames) + i + 1
					}
					require.Equal(t, want, frames[i].Line, "frame %d in the order of the text", i)
				}
			})
		}
	}
}

func TestBounds(t *testing.T) {
	var p Parser

	causes := "E: m\n\tat a.B.c(D.java:1)\n" + strings.Repeat("Caused by: E: m\n\tat a.B.c(D.java:1)\n\t... 1 more\n", 60)
	got := p.Parse(Java, "", "", causes)
	assert.Len(t, got.Exceptions, 50)
	assert.Equal(t, causes, got.Unparsed)

	var goroutines strings.Builder
	for i := range 150 {
		fmt.Fprintf(&goroutines, "goroutine %d [running]:\nmain.main()\n\t/app/main.go:1 +0x1\n\n", i+1)
	}
	got = p.Parse(Go, "", "", goroutines.String())
	assert.Len(t, got.Threads, 100)
	assert.Equal(t, goroutines.String(), got.Unparsed)
	assert.Equal(t, "101", got.Threads[99].ID)

	got = p.Parse(Java, "", "", "E: m\n\tat a.B.c(D.java:1)\n")
	assert.Len(t, got.Exceptions, 1)
	assert.Empty(t, got.Threads)
	assert.Empty(t, got.Unparsed)
}

func TestExceptionsWithoutFramesAreBoundedToo(t *testing.T) {
	var p Parser
	text := "E: m\n\tat a.B.c(D.java:1)\n" + strings.Repeat("Caused by: E: m\n", 60)
	got := p.Parse(Java, "", "", text)
	assert.Len(t, got.Exceptions, 50)
	assert.Equal(t, text, got.Unparsed)
}

func TestDetails(t *testing.T) {
	for _, test := range []struct {
		name                string
		language            Language
		typ, message, text  string
		parents             []int
		messages, relations []string
		frames              []int
		unparsed            bool
	}{
		{
			name: "a message that looks like a stack ends where the message beside the text ends", language: Java,
			typ: "E", message: "m\n\tat a.B.c(D.java:1)\nCaused by: F: n", text: "E: m\n\tat a.B.c(D.java:1)\nCaused by: F: n\n\tat a.B.d(D.java:2)\n",
			parents: []int{-1}, messages: []string{"m\n\tat a.B.c(D.java:1)\nCaused by: F: n"}, relations: []string{""}, frames: []int{1},
		},
		{
			name: "a message beside the text that is another one is not used", language: Java,
			typ: "E", message: "other", text: "E: m\nn\n\tat a.B.c(D.java:1)\n",
			parents: []int{-1}, messages: []string{"m\nn"}, relations: []string{""}, frames: []int{1},
		},
		{
			name: "a circle that older versions of Java print a tab deeper belongs to the exception above it", language: Java,
			text:    "E: m\n\tat a.B.c(D.java:1)\n\tSuppressed: S: s\n\t\tat a.B.c(D.java:1)\n\t[CIRCULAR REFERENCE:E: m]\n",
			parents: []int{-1, 0, 0}, messages: []string{"m", "s", "m"}, relations: []string{"", "suppressed[0]", "cause"}, frames: []int{1, 1, 0},
		},
		{
			name: "four spaces are as good as a tab", language: Java,
			text:    "E: m\n    at a.B.c(D.java:1)\n    Suppressed: S: s\n        at a.B.c(D.java:1)\n    Caused by: F: n\n        at a.B.c(D.java:1)\n        ... 1 more\nCaused by: G: o\n    ... 1 more\n",
			parents: []int{-1, 0, 1, 0}, messages: []string{"m", "s", "n", "o"}, relations: []string{"", "suppressed[0]", "cause", "cause"}, frames: []int{1, 1, 2, 1},
		},
		{
			name: "frames are shared once", language: Java,
			text:    "E: m\n\tat a.B.c(D.java:1)\nCaused by: F: n\n\t... 1 more\n\t... 1 more\n",
			parents: []int{-1, 0}, messages: []string{"m", "n"}, relations: []string{"", "cause"}, frames: []int{1, 1}, unparsed: true,
		},
		{
			name: "the exception that was thrown shares frames with none", language: Java,
			text:    "E: m\n\tat a.B.c(D.java:1)\n\t... 1 more\n",
			parents: []int{-1}, messages: []string{"m"}, relations: []string{""}, frames: []int{1}, unparsed: true,
		},
		{
			name: "a line behind the members of a group is not of its message", language: Python,
			text:    "  + " + pythonGroup + "\n  |   File \"a.py\", line 1, in f\n  | ExceptionGroup: m\n  +-+---------------- 1 ----------------\n    | E: n\n    +------------------------------------\n  | more\n",
			parents: []int{-1, 0}, messages: []string{"m", "n"}, relations: []string{"", "exceptions[0]"}, frames: []int{1, 0}, unparsed: true,
		},
		{
			name: "a line that is repeated too often is repeated often enough", language: Python,
			text:    pythonTraceback + "\n  File \"a.py\", line 1, in f\n  [Previous line repeated 99999999999999999999 more times]\nE: m\n",
			parents: []int{-1}, messages: []string{"m"}, relations: []string{""}, frames: []int{1000},
		},
		{
			name: "a line of a log is not the exception's", language: Python,
			text:    "could not load\n" + pythonTraceback + "\n  File \"a.py\", line 1, in f\nE: m\n",
			parents: []int{-1}, messages: []string{"m"}, relations: []string{""}, frames: []int{1}, unparsed: true,
		},
		{
			name: "the frames of a second stack are not the first one's", language: PHP,
			text:    "E: m in a.php:1\nStack trace:\n#0 a.php(2): f()\n#1 {main}\n#0 a.php(2): f()\n",
			parents: []int{-1}, messages: []string{"m"}, relations: []string{""}, frames: []int{2}, unparsed: true,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			var p Parser
			got := p.Parse(test.language, test.typ, test.message, test.text)
			p.check(t, got, test.typ, test.message, test.text)
			var parents, frames []int
			var messages, relations []string
			for i := range got.Exceptions {
				e := &got.Exceptions[i]
				parents, frames = append(parents, e.Parent), append(frames, len(e.Frames))
				messages, relations = append(messages, e.Message), append(relations, e.Relation)
			}
			assert.Equal(t, test.parents, parents)
			assert.Equal(t, test.messages, messages)
			assert.Equal(t, test.relations, relations)
			assert.Equal(t, test.frames, frames)
			assert.Equal(t, test.unparsed, got.Unparsed != "")
		})
	}
}

func TestWhatIsSharedIsTrimmedToo(t *testing.T) {
	var b strings.Builder
	b.WriteString("E: m\n")
	for i := range 1200 {
		fmt.Fprintf(&b, "\tat a.B.c(D.java:%d)\n", i+1)
	}
	b.WriteString("Caused by: F: n\n\tat a.B.d(D.java:5000)\n\t... 1100 more\n")
	var p Parser
	got := p.Parse(Java, "", "", b.String())
	require.Len(t, got.Exceptions, 2)
	frames := got.Exceptions[1].Frames
	require.Len(t, frames, 1000)
	assert.Equal(t, 1200, frames[0].Line)
	assert.Equal(t, 5000, frames[999].Line)
}

func TestParseDoesNotAllocate(t *testing.T) {
	var p Parser
	for _, name := range []string{"java/caused_by", "python/context", "javascript/express", "go/http_handler", "dotnet/written_inner", "php/previous", "rust/panic", "elixir/task"} {
		s := readSample(t, "testdata/"+name+".txt")
		p.Parse(s.language, s.typ, s.message, s.text)
		assert.Zero(t, testing.AllocsPerRun(10, func() { p.Parse(s.language, s.typ, s.message, s.text) }), name)
	}
}

// TestHostileTextsTakeLinearTime would run into the timeout of the tests if the time grew with the square of the length.
func TestHostileTextsTakeLinearTime(t *testing.T) {
	const length = 1 << 20
	for _, test := range []struct {
		language Language
		head     string
		repeated []string
		tail     string
	}{
		{Java, "E: m\n\tat a.B.c(D.java:1)\n", []string{
			"\tat a.B.c(D.java:1)\n", "\t... 1000 more\n", "Caused by: E: m\n", "\tSuppressed: E: m\n", "Caused by: E: m\n\t... 1000 more\n", "\t", "at ", "(", "/", "a/0x",
			"[CIRCULAR REFERENCE:", " ~[", "\tat a.b(c)\n\t... 1 more\n", "Wrapped by: E\n", ": ", "x\n",
		}, ""},
		{Python, "Traceback (most recent call last):\n  File \"a\", line 1, in f\n", []string{
			"  [Previous line repeated 1000 more times]\n", "  File \"a\", line 1, in f\n", "    x\n", "E: m\n", "\", line 1", "E: m\n\n" + pythonCause + "\n\n" + pythonTraceback + "\n",
			"  +-+---------------- 1 ----------------\n", "    +---------------- 1 ----------------\n", "  + " + pythonGroup + "\n  | E: m\n  +-+---------------- 1 ----------------\n    | E: m\n",
			"  | x\n", "  ", "\n", "site-packages/",
		}, "E: m\n"},
		{JavaScript, "E: m\n    at f (a.js:1:1)\n", []string{
			"    at f (a.js:1:1)\n", "    ... 1000 lines matching cause stack trace ...\n", "  [cause]: E: m\n      at f (a.js:1:1)\n", "  [errors]: [\n", "    Error: m\n", "eval at (", "@", "f@a.js:1:1\n",
			"node_modules/", ":1", " (", "    ... 3 lines matching cause stack trace ...\n  [cause]: E: m\n      at f (a.js:1:1)\n      at f (a.js:1:1)\n",
		}, ""},
		{Go, "panic: m\n\ngoroutine 1 [running]:\n", []string{
			"main.f()\n\t/a.go:1 +0x1\n", "goroutine 1 [running]:\n", "main.f()\n", "\t/a.go:1\n", "panic: m\n", "/", "a/", "(", " [recovered]", "created by main.f\n\t/a.go:1\n", "panic()\n\t/a.go:1\n",
		}, ""},
		{DotNet, "A.E: m\n", []string{
			" ---> A.E: m", " ---> A.E: m\n", "   at A.B.C()\n", "   at A.B.C()<---\n", dotNetEndInner + "\n", "<---", " ---> (Inner Exception #0) A.E: m\n   at A.B()<---\n", "[", "]", "(", ") in ", ".<", ">d", " ---> ",
		}, ""},
		{PHP, "E: m in a.php:1\nStack trace:\n", []string{
			"#0 a(1): b()\n", "#0 {main}\n\nNext E: m in a.php:1\nStack trace:\n", "Next E\n", " in ", "{closure:", "->", "vendor/", "(1): ",
		}, ""},
		{Ruby, "a.rb:1:in `f': m (E)\n", []string{
			"\tfrom a.rb:1:in `f'\n", "a.rb:1:in `f': m (E)\n", "x\n", ":in `", "': ", ".rb:", "/gems/", "\t1: from a.rb:1:in `f'\n", " (",
		}, ""},
		{Rust, "thread 'main' panicked at a.rs:1:1:\nm\nstack backtrace:\n", []string{
			"   0: a::b\n             at a.rs:1:1\n", "   0: ", "<", ">", "::{", "}", "::", "&dyn ", " as ", "      a::b\n", "Caused by:\n    0: m\n", "src/",
		}, ""},
		{Elixir, "** (E) m\n", []string{
			"    a.ex:1: A.b/1\n", "    ** (EXIT) m\n", "** (E) m\n", "(a) ", ": ", "\"", " in ", ".", "anonymous fn/1 in ", "    ** (E) m\n            a.ex:1: A.b/1\n",
		}, ""},
		{Elixir, "[{a,b,1,[]},", []string{"{a,b,1,[{file,\"f\"},{line,1}]},", "{", "[", "\"", "'", "{a", "{a,b,1,[{file,\""}, ""},
	} {
		for _, repeated := range test.repeated {
			text := test.head + strings.Repeat(repeated, length/len(repeated)) + test.tail
			for _, language := range []Language{test.language, Unknown} {
				var p Parser
				stack := p.Parse(language, "E", "m", text)
				require.LessOrEqual(t, len(stack.Exceptions), maxExceptions, "%q", repeated)
				require.NotEmpty(t, stack.Exceptions)
			}
		}
	}
}
