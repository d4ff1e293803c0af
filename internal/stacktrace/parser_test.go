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
		"rust": Rust, "erlang": Elixir, "elixir": Elixir, "swift": Swift, "dart": Dart, "cpp": Unknown, "": Unknown, "Java": Unknown,
	} {
		assert.Equal(t, want, LanguageOf(word), "%q", word)
	}
}

func TestLanguageIsDetected(t *testing.T) {
	var p Parser
	for _, s := range samples(t, "*") {
		t.Run(s.name, func(t *testing.T) {
			want := string(render(p.Parse(s.language, s.typ, s.message, s.text)))
			stack := p.Parse(Unknown, s.typ, s.message, s.text)
			if stack.Language == Unknown { // no frame to detect it by
				assert.Empty(t, stack.Exceptions[0].Frames)
				assert.NotContains(t, want, "in_app")
				return
			}
			assert.Equal(t, want, string(render(stack)))
		})
	}
}

func TestWrongLanguageHintIsHarmless(t *testing.T) {
	var p Parser
	for _, s := range samples(t, "*") {
		want := p.Parse(s.language, s.typ, s.message, s.text).Language
		for hint := Unknown; hint <= Swift; hint++ {
			stack := p.Parse(hint, s.typ, s.message, s.text)
			p.check(t, stack, s.typ, s.message, s.text)
			_, rest, _ := strings.Cut(s.text, "\n")
			inMessage := len(stack.Exceptions) > 0 && strings.Contains(stack.Exceptions[0].Message, strings.TrimSpace(rest)) // as notes of Python
			assert.True(t, stack.Language == want || stack.Unparsed != "" || frames(stack) > 0 || isHeader(s.text, s.typ, s.message) || inMessage, "%s as %s", s.name, hint)
		}
	}
}

// The expected values are those that Sentry's SDK for the language sends.
func TestGivenTypeAndMessageWin(t *testing.T) {
	const node = "\n    at add (/srv/shop/cart.js:1:2)\n"
	const java = "\n\tat com.acme.Cart.add(Cart.java:1)\n"
	const python = "  File \"/srv/shop/cart.py\", line 1, in add\n    raise\n"
	for _, test := range []struct {
		name                           string
		language                       Language
		typ, message, text             string
		wantType, wantModule, wantText string
		unparsed                       bool
	}{
		{"own name after the class", JavaScript, "PaymentError", "failed", "Error [PaymentError]: failed" + node, "PaymentError", "", "failed", false},
		{"own name, nothing given", JavaScript, "", "", "Error [PaymentError]: failed" + node, "PaymentError", "", "failed", false},
		{"own name without a message", JavaScript, "", "", "Error [PaymentError]" + node, "PaymentError", "", "", false},
		{"class without an own name", JavaScript, "Error", "custom", "MyErr [Error]: custom" + node, "Error", "", "custom", false},
		{"name set after the stack was captured", JavaScript, "PaymentError", "failed", "Error: failed" + node, "PaymentError", "", "failed", false},
		{"message set after the stack was captured", JavaScript, "Error", "second", "Error: first" + node, "Error", "", "second", true},
		{"name with a Node.js code", JavaScript, "TypeError", "bad", "TypeError [ERR_INVALID_ARG_TYPE]: bad" + node, "TypeError", "", "bad", false},
		{"Node.js code as the given type", JavaScript, "ERR_INVALID_ARG_TYPE", "bad", "TypeError [ERR_INVALID_ARG_TYPE]: bad" + node, "TypeError", "", "bad", false},
		{"system error code", JavaScript, "ENOENT", "ENOENT: no file", "Error: ENOENT: no file" + node, "Error", "", "ENOENT: no file", false},
		{"library error code", JavaScript, "card_declined", "no", "PaymentError: no" + node, "PaymentError", "", "no", false},
		{"numeric code", JavaScript, "11000", "duplicate", "MongoServerError: duplicate" + node, "MongoServerError", "", "duplicate", false},
		{"code, no type printed", JavaScript, "ENOENT", "no file", node, "ENOENT", "", "no file", false},
		{"message with brackets is not a type", JavaScript, "", "", "Item [7]: sold out" + node, "", "", "Item [7]: sold out", false},
		{"message that looks like frames, with a code", JavaScript, "TypeError", "bad\n    at x (y.js:1:2)", "TypeError [ERR_X]: bad\n    at x (y.js:1:2)" + node, "TypeError", "", "bad\n    at x (y.js:1:2)", false},

		{"simple name given, qualified name printed", Java, "PaymentException", "m", "com.acme.PaymentException: m" + java, "com.acme.PaymentException", "com.acme", "m", false},
		{"canonical name of a nested class", Java, "com.acme.Cart.Full", "m", "com.acme.Cart$Full: m" + java, "com.acme.Cart$Full", "com.acme", "m", false},
		{"simple name of a nested class", Java, "Full", "m", "com.acme.Cart$Full: m" + java, "com.acme.Cart$Full", "com.acme", "m", false},
		{"class with an own toString", Java, "com.acme.PaymentException", "m", "payment: m" + java, "com.acme.PaymentException", "com.acme", "m", false},
		{"class without a stack", Java, "com.acme.PaymentException", "m", "", "com.acme.PaymentException", "com.acme", "m", false},
		{"another class with the same suffix", Java, "Exception", "m", "com.acme.PaymentException: m" + java, "Exception", "", "m", false},

		{"class of __main__, printed without a module", Python, "__main__.OutOfStock", "m", pythonTraceback + "\n" + python + "OutOfStock: m\n", "__main__.OutOfStock", "__main__", "m", false},
		{"name without its module", Python, "OutOfStock", "m", pythonTraceback + "\n" + python + "shop.errors.OutOfStock: m\n", "shop.errors.OutOfStock", "shop.errors", "m", false},
		{"class in a function", Python, "shop.cart.add.<locals>.Full", "m", pythonTraceback + "\n" + python + "shop.cart.add.<locals>.Full: m\n", "shop.cart.add.<locals>.Full", "shop.cart", "m", false},
		{"notes below the message", Python, "E", "m", pythonTraceback + "\n" + python + "E: m\nnote\n", "E", "", "m\nnote", false},
		{"location of a syntax error", Python, "SyntaxError", "invalid syntax (cart.py, line 1)", pythonTraceback + "\n" + python + "SyntaxError: invalid syntax\n", "SyntaxError", "", "invalid syntax (cart.py, line 1)", false},

		{"namespace printed with dots", PHP, `Acme\Shop\OutOfStock`, "m", "Acme.Shop.OutOfStock: m\n\tat Acme.Shop.Cart.add(Cart.php:1)\n", `Acme\Shop\OutOfStock`, `Acme\Shop`, "m", false},
		{"name without its namespace", PHP, "OutOfStock", "m", "Acme\\Shop\\OutOfStock: m in /srv/cart.php:1\nStack trace:\n#0 {main}\n", `Acme\Shop\OutOfStock`, `Acme\Shop`, "m", false},
		{"name without its modules", Ruby, "OutOfStock", "m", "/srv/cart.rb:1:in `add': m (Shop::OutOfStock)\n", "Shop::OutOfStock", "Shop", "m", false},
		{"name without its namespace", DotNet, "InvalidOperationException", "m", "System.InvalidOperationException: m\n   at Shop.Cart.Add()\n", "System.InvalidOperationException", "System", "m", false},
		{"text below the message is kept", DotNet, "System.IO.FileNotFoundException", "m", "System.IO.FileNotFoundException: m\nFile name: 'x'\n   at Shop.Cart.Add()\n", "System.IO.FileNotFoundException", "System.IO", "m", true},
		{"module with the Elixir prefix", Elixir, "Elixir.Shop.OutOfStock", "m", "** (Shop.OutOfStock) m\n    lib/cart.ex:1: Shop.Cart.add/1\n", "Shop.OutOfStock", "Shop", "m", false},
		{"type that a panic does not print", Go, "runtime.boundsError", "index out of range", "panic: index out of range\n\ngoroutine 1 [running]:\nmain.main()\n\t/srv/main.go:1 +0x1\n", "runtime.boundsError", "", "index out of range", false},
	} {
		t.Run(test.language.String()+": "+test.name, func(t *testing.T) {
			var p Parser
			got := p.Parse(test.language, test.typ, test.message, test.text)
			p.check(t, got, test.typ, test.message, test.text)
			assert.Equal(t, test.wantType, got.Exceptions[0].Type)
			assert.Equal(t, test.wantModule, got.Exceptions[0].Module)
			assert.Equal(t, test.wantText, got.Exceptions[0].Message)
			assert.Equal(t, test.unparsed, got.Unparsed != "")
		})
	}
}

func TestGivenTypeAppliesOnlyToTheThrownException(t *testing.T) {
	var p Parser
	got := p.Parse(JavaScript, "OrderError", "order failed",
		"Error: order failed\n    at a (/srv/a.js:1:2) {\n  [cause]: TypeError [ERR_X]: bad\n      at b (/srv/b.js:1:2)\n}\n")
	require.Len(t, got.Exceptions, 2)
	assert.Equal(t, [2]string{"OrderError", "order failed"}, [2]string{got.Exceptions[0].Type, got.Exceptions[0].Message})
	assert.Equal(t, [2]string{"TypeError", "bad"}, [2]string{got.Exceptions[1].Type, got.Exceptions[1].Message})
}

func TestPaths(t *testing.T) {
	for _, test := range []struct {
		name              string
		language          Language
		line              string
		filename, absPath string
	}{
		{"Node.js: whole path", JavaScript, "    at add (/srv/shop/index.js:1:2)", "/srv/shop/index.js", ""},
		{"module: no scheme", JavaScript, "    at add (file:///srv/shop/cart.mjs:1:2)", "/srv/shop/cart.mjs", ""},
		{"module on Windows: no scheme", JavaScript, "    at add (file:///C:/shop/cart.mjs:1:2)", "C:/shop/cart.mjs", ""},
		{"Windows: slashes", JavaScript, `    at add (C:\shop\cart.js:1:2)`, "C:/shop/cart.js", `C:\shop\cart.js`},
		{"library: relative to node_modules", JavaScript, "    at add (file:///srv/node_modules/@acme/cart/index.js:1:2)", "@acme/cart/index.js", "/srv/node_modules/@acme/cart/index.js"},
		{"Node.js module: unchanged", JavaScript, "    at add (node:internal/fs:1:2)", "node:internal/fs", ""},
		{"URL: unchanged", JavaScript, "    at add (https://cdn.example.com/js/main.js?v=3:1:2)", "https://cdn.example.com/js/main.js?v=3", ""},
		{"webpack: path of the source", JavaScript, "    at add (webpack://shop/./src/cart.ts:1:2)", "src/cart.ts", "webpack://shop/./src/cart.ts"},
		{"webpack without a path: unchanged", JavaScript, "    at add (webpack:///:1:2)", "webpack:///", ""},
		{"whole path", Python, `  File "/srv/shop/cart.py", line 1, in add`, "/srv/shop/cart.py", ""},
		{"Windows: slashes", Python, `  File "C:\shop\cart.py", line 1, in add`, "C:/shop/cart.py", `C:\shop\cart.py`},
		{"library: relative to site-packages", Python, `  File "/usr/lib/python3.12/site-packages/flask/app.py", line 1, in add`, "flask/app.py", "/usr/lib/python3.12/site-packages/flask/app.py"},
		{"whole path", PHP, "#0 /var/www/app/cart.php(1): add()\n#1 {main}", "/var/www/app/cart.php", ""},
		{"library: relative to vendor", PHP, "#0 /var/www/vendor/acme/cart/cart.php(1): add()\n#1 {main}", "acme/cart/cart.php", "/var/www/vendor/acme/cart/cart.php"},
		{"whole path", Ruby, "/srv/shop/app/cart.rb:1:in `add'", "/srv/shop/app/cart.rb", ""},
		{"library: relative to its gem", Ruby, "/usr/gems/rack-2.2.4/lib/rack.rb:1:in `add'", "rack.rb", "/usr/gems/rack-2.2.4/lib/rack.rb"},
		{"whole path", Elixir, "    (shop 0.1.0) lib/shop/cart.ex:1: Shop.Cart.add/1", "lib/shop/cart.ex", ""},
		{"base name", DotNet, `   at Shop.Cart.Add() in C:\src\Cart.cs:line 1`, "Cart.cs", `C:\src\Cart.cs`},
	} {
		t.Run(test.language.String()+": "+test.name, func(t *testing.T) {
			var p Parser
			frames := p.Parse(test.language, "", "", test.line).Exceptions[0].Frames
			require.NotEmpty(t, frames)
			assert.Equal(t, test.filename, frames[0].Filename)
			assert.Equal(t, test.absPath, frames[0].AbsPath)
		})
	}
}

// The expected values are those of Sentry's SDK for Node.js.
func TestScriptModules(t *testing.T) {
	for _, test := range []struct{ name, root, line, want string }{
		{"below the main script", "/srv/shop", "    at add (/srv/shop/dist/api/cart.js:1:2)", "dist.api:cart"},
		{"next to the main script", "/srv/shop", "    at add (/srv/shop/cart.mjs:1:2)", "cart"},
		{"elsewhere", "/srv/shop", "    at add (/srv/shopping/cart.cjs:1:2)", "cart"},
		{"no main script known", "", "    at add (/srv/shop/dist/cart.js:1:2)", "cart"},
		{"TypeScript keeps its extension", "/srv", "    at add (/srv/shop/cart.ts:1:2)", "shop:cart.ts"},
		{"library", "/srv/shop", "    at add (/srv/shop/node_modules/@acme/pay/lib/index.js:1:2)", "@acme.pay.lib:index"},
		{"library of a library", "", "    at add (/srv/node_modules/a/node_modules/b/index.js:1:2)", "b:index"},
		{"module", "/srv/shop", "    at add (file:///srv/shop/lib/cart.mjs:1:2)", "lib:cart"},
		{"Windows", `C:\srv\shop`, `    at add (C:\srv\shop\lib\cart.js:1:2)`, "lib:cart"},
		{"Node.js", "/srv/shop", "    at add (node:internal/fs/utils:1:2)", "utils"},
		{"URL", "/srv/shop", "    at add (https://shop.example/cart.js:1:2)", ""},
		{"bundle", "/srv/shop", "add@index.android.bundle:1:2", ""},
		{"eval", "/srv/shop", "    at eval (eval at add (/srv/shop/cart.js:1:2), <anonymous>:1:1)", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := Parser{Root: test.root}
			frames := p.Parse(JavaScript, "", "", test.line).Exceptions[0].Frames
			require.NotEmpty(t, frames)
			assert.Equal(t, test.want, frames[0].Module)
		})
	}
}

func TestIsNode(t *testing.T) {
	for _, test := range []struct {
		name     string
		language Language
		line     string
		want     bool
	}{
		{"a file", JavaScript, "    at add (/srv/shop/cart.js:1:2)", true},
		{"a file on Windows", JavaScript, `    at add (C:\shop\cart.js:1:2)`, true},
		{"a module", JavaScript, "    at add (file:///srv/shop/cart.mjs:1:2)", true},
		{"Node itself", JavaScript, "    at add (node:internal/fs:1:2)", true},
		{"a library's file", JavaScript, "    at add (/srv/node_modules/express/index.js:1:2)", true},
		{"a URL", JavaScript, "    at add (https://example.com/cart.js:1:2)", false},
		{"a frame of Firefox", JavaScript, "add@https://example.com/cart.js:1:2", false},
		{"a bundle in an app", JavaScript, "    at add (app:///index.bundle:1:2)", false},
		{"no file", JavaScript, "    at add (<anonymous>)", false},
		{"a file of another language", Python, `  File "/srv/shop/cart.py", line 1, in add`, false},
	} {
		var p Parser
		assert.Equal(t, test.want, p.Parse(test.language, "", "", test.line).IsNode(), test.name)
	}
}

func TestOtherRuntimesAreKeptWhole(t *testing.T) {
	for _, s := range samples(t, "unknown") {
		for hint := Unknown; hint <= Swift; hint++ {
			var p Parser
			stack := p.Parse(hint, "Error", "no stock", s.text)
			assert.Zero(t, frames(stack)+len(stack.Threads), "%s as %s: %s", s.name, hint, render(stack))
			if stack.Unparsed == "" { // Python may print notes below a message
				_, rest, _ := strings.Cut(s.text, "\n")
				assert.Contains(t, stack.Exceptions[0].Message, strings.TrimSpace(rest), "%s as %s", s.name, hint)
				continue
			}
			assert.Equal(t, s.text, stack.Unparsed, "%s as %s", s.name, hint)
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

func TestExceptionsWithoutFrames(t *testing.T) {
	for _, test := range []struct {
		name, typ, message, text string
		language                 Language
		want                     Stack
	}{
		{name: "nothing given"},
		{
			name: "type and message", typ: "E", message: "m",
			want: Stack{Exceptions: []Exception{{Type: "E", Message: "m", Parent: -1}}},
		},
		{
			name: "message only", message: "m",
			want: Stack{Exceptions: []Exception{{Message: "m", Parent: -1}}},
		},
		{
			name: "text repeats type and message", typ: "E", message: "m\nn", text: "E: m\nn\n",
			want: Stack{Exceptions: []Exception{{Type: "E", Message: "m\nn", Parent: -1}}},
		},
		{
			name: "blank text", typ: "E", message: "m", text: " \n\n",
			want: Stack{Exceptions: []Exception{{Type: "E", Message: "m", Parent: -1}}},
		},
		{
			name: "text of no language is kept", typ: "E", message: "m", text: "who knows",
			want: Stack{Exceptions: []Exception{{Type: "E", Message: "m", Parent: -1}}, Unparsed: "who knows"},
		},
		{
			name: "header only", language: Java, text: "java.lang.Error: m",
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

func TestLongStackKeepsBothEnds(t *testing.T) {
	for _, test := range []struct {
		name        string
		language    Language
		head, frame string
		oldestFirst bool
	}{
		{"newest first", Java, "E: m\n", "\tat a.B.c(D.java:%d)\n", false},
		{"oldest first", Python, "Traceback (most recent call last):\n", "  File \"a.py\", line %d, in f\n", true},
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
				if !test.oldestFirst {
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

func TestExceptionsAndThreadsAreBounded(t *testing.T) {
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

func TestExceptionsWithoutFramesAreBounded(t *testing.T) {
	var p Parser
	text := "E: m\n\tat a.B.c(D.java:1)\n" + strings.Repeat("Caused by: E: m\n", 60)
	got := p.Parse(Java, "", "", text)
	assert.Len(t, got.Exceptions, 50)
	assert.Equal(t, text, got.Unparsed)
}

func TestChainsAndMessages(t *testing.T) {
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
			name: "given message ends a message that looks like a stack", language: Java,
			typ: "E", message: "m\n\tat a.B.c(D.java:1)\nCaused by: F: n", text: "E: m\n\tat a.B.c(D.java:1)\nCaused by: F: n\n\tat a.B.d(D.java:2)\n",
			parents: []int{-1}, messages: []string{"m\n\tat a.B.c(D.java:1)\nCaused by: F: n"}, relations: []string{""}, frames: []int{1},
		},
		{
			name: "given message differs from the printed one", language: Java,
			typ: "E", message: "other", text: "E: m\nn\n\tat a.B.c(D.java:1)\n",
			parents: []int{-1}, messages: []string{"other"}, relations: []string{""}, frames: []int{1}, unparsed: true,
		},
		{
			name: "circular reference indented by older Java", language: Java,
			text:    "E: m\n\tat a.B.c(D.java:1)\n\tSuppressed: S: s\n\t\tat a.B.c(D.java:1)\n\t[CIRCULAR REFERENCE:E: m]\n",
			parents: []int{-1, 0, 0}, messages: []string{"m", "s", "m"}, relations: []string{"", "suppressed[0]", "cause"}, frames: []int{1, 1, 0},
		},
		{
			name: "four spaces count as a tab", language: Java,
			text:    "E: m\n    at a.B.c(D.java:1)\n    Suppressed: S: s\n        at a.B.c(D.java:1)\n    Caused by: F: n\n        at a.B.c(D.java:1)\n        ... 1 more\nCaused by: G: o\n    ... 1 more\n",
			parents: []int{-1, 0, 1, 0}, messages: []string{"m", "s", "n", "o"}, relations: []string{"", "suppressed[0]", "cause", "cause"}, frames: []int{1, 1, 2, 1},
		},
		{
			name: "frames are shared once", language: Java,
			text:    "E: m\n\tat a.B.c(D.java:1)\nCaused by: F: n\n\t... 1 more\n\t... 1 more\n",
			parents: []int{-1, 0}, messages: []string{"m", "n"}, relations: []string{"", "cause"}, frames: []int{1, 1}, unparsed: true,
		},
		{
			name: "thrown exception cannot share frames", language: Java,
			text:    "E: m\n\tat a.B.c(D.java:1)\n\t... 1 more\n",
			parents: []int{-1}, messages: []string{"m"}, relations: []string{""}, frames: []int{1}, unparsed: true,
		},
		{
			name: "line after a group's members", language: Python,
			text:    "  + " + pythonGroup + "\n  |   File \"a.py\", line 1, in f\n  | ExceptionGroup: m\n  +-+---------------- 1 ----------------\n    | E: n\n    +------------------------------------\n  | more\n",
			parents: []int{-1, 0}, messages: []string{"m", "n"}, relations: []string{"", "exceptions[0]"}, frames: []int{1, 0}, unparsed: true,
		},
		{
			name: "repetition is clamped", language: Python,
			text:    pythonTraceback + "\n  File \"a.py\", line 1, in f\n  [Previous line repeated 99999999999999999999 more times]\nE: m\n",
			parents: []int{-1}, messages: []string{"m"}, relations: []string{""}, frames: []int{1000},
		},
		{
			name: "log line before the traceback", language: Python,
			text:    "could not load\n" + pythonTraceback + "\n  File \"a.py\", line 1, in f\nE: m\n",
			parents: []int{-1}, messages: []string{"m"}, relations: []string{""}, frames: []int{1}, unparsed: true,
		},
		{
			name: "frames of a second stack", language: PHP,
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

func TestSharedFramesAreTrimmed(t *testing.T) {
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
	for _, name := range []string{"java/caused_by", "python/context", "javascript/express", "go/http_handler", "dotnet/written_inner", "php/previous", "rust/panic", "elixir/task",
		"javascript/written_react_native_bare", "javascript/written_driver_error", "dotnet/written_german", "dotnet/written_unity_rethrow", "dotnet/written_demystifier", "java/written_elements", "dart/written_vm", "swift/written_call_stack_symbols",
		"java/written_anr_threads", "java/written_shortened", "java/written_root_first_shared", "python/written_jupyter", "python/written_faulthandler", "php/written_closures",
		"ruby/written_labels", "ruby/written_jruby",
		"go/written_xerrors", "go/written_goerrors", "go/written_cgo_signal", "rust/written_panic_thread_id", "rust/written_windows", "dart/written_chain", "swift/written_apple_report",
		"elixir/written_erlang_shell_27"} {
		s := readSample(t, "testdata/"+name+".txt")
		p.Parse(s.language, s.typ, s.message, s.text)
		assert.Zero(t, testing.AllocsPerRun(10, func() { p.Parse(s.language, s.typ, s.message, s.text) }), name)
	}
}

// With quadratic time, this test would exceed the test timeout.
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
			"\t... 3 frames truncated\n", "\t... 1000 common frames omitted\nWrapped by: E: m\n", "Driver stacktrace:\n\tat a.B.c(D.java:1)\n", "  ComposedException 1 :\n\tE: m\n",
			"\"main\" tid=1 Native\n", "\"b\" tid=2 Native\n  at a.B.c(D.java:1)\n", "  native: #00 pc 00  /a.so (f+1)\n", "\"", " [3 skipped]", "<#",
		}, ""},
		{Java, "m\n", []string{"a.E: m\n", "<#1> a.E: m\n", "a.B.c(PG:1)\n"}, ""},
		{Java, "E AndroidRuntime: E: m\n", []string{"E AndroidRuntime: \tat a.B.c(D.java:1)\n", "E AndroidRuntime: x\n", "AndroidRuntime"}, ""},
		{Python, "Traceback (most recent call last):\n  File \"a\", line 1, in f\n", []string{
			"  [Previous line repeated 1000 more times]\n", "  File \"a\", line 1, in f\n", "    x\n", "E: m\n", "\", line 1", "E: m\n\n" + pythonCause + "\n\n" + pythonTraceback + "\n",
			"  +-+---------------- 1 ----------------\n", "    +---------------- 1 ----------------\n", "  + " + pythonGroup + "\n  | E: m\n  +-+---------------- 1 ----------------\n    | E: m\n",
			"  | x\n", "  ", "\n", "site-packages/",
		}, "E: m\n"},
		{Python, "Fatal Python error: m\n\n", []string{
			"Thread 0x1 (most recent call first):\n  File \"a\", line 1 in f\n", "Current thread 0x1 (most recent call first):\n", "  File \"a\", line 1 in f\n", "x\n",
		}, "Thread 0x1 (most recent call first):\n  File \"a\", line 1 in f\n"},
		{Python, strings.Repeat("-", 75) + "\nE  Traceback (most recent call last)\n", []string{
			"File a.py:1, in f(a)\n----> 1 x\n", "File ", "Cell In", "-", " ", "1", "a in f(a)\n",
		}, "E: m\n"},
		{Python, "E: m\n", []string{"E: m\n\n" + pythonCause + "\n\n", pythonTraceback + "\n", "x" + pythonTraceback + "\n"}, ""},
		{JavaScript, "E: m\n    at f (a.js:1:1)\n", []string{
			"    at f (a.js:1:1)\n", "    ... 1000 lines matching cause stack trace ...\n", "  [cause]: E: m\n      at f (a.js:1:1)\n", "  [errors]: [\n", "    Error: m\n", "eval at (", "@", "f@a.js:1:1\n",
			"  driverError: Error: m\n      at f (a.js:1:1)\n", "  a: b\n", "  a: [\n    Error: m\n", "    at eval (eval at f (eval at ", "[cause]: ", "  [cause]: 'm'\n",
			"node_modules/", ":1", " (", "    ... 3 lines matching cause stack trace ...\n  [cause]: E: m\n      at f (a.js:1:1)\n      at f (a.js:1:1)\n",
		}, ""},
		{JavaScript, "m\n", []string{"Error: m\n", "f@1:1\n", "1:1\n", "f@https://a/b.js:1:1\n", "https://a/b.js:1:1 at \n", " at \n", "<ref *1> ", " [E", "    ^\n", "(", "1 | m\n"}, ""},
		{JavaScript, "error: Uncaught Error: m\n", []string{"    throw m\n    ^\n", "    ^\n", "m\n"}, "    at f (a.js:1:1)\n"},
		{Go, "panic: m\n\ngoroutine 1 [running]:\n", []string{
			"main.f()\n\t/a.go:1 +0x1\n", "goroutine 1 [running]:\n", "main.f()\n", "\t/a.go:1\n", "panic: m\n", "/", "a/", "(", " [recovered]", "created by main.f\n\t/a.go:1\n", "panic()\n\t/a.go:1\n",
		}, ""},
		{DotNet, "A.E: m\n", []string{
			" ---> A.E: m", " ---> A.E: m\n", "   at A.B.C()\n", "   at A.B.C()<---\n", dotNetEndInner + "\n", "<---", " ---> (Inner Exception #0) A.E: m\n   at A.B()<---\n", "[", "]", "(", ") in ", ".<", ">d", " ---> ",
			"   bei A.B.C()\n", "   a A.B()\n   b A.B()\n", "<", ">", "@1", ":1", " A.E:", "|A.E: ", "Exception rethrown at [0]: \n", "A.E (0x1): ",
		}, ""},
		{DotNet, "", []string{"   bei A.B.C()\n", "m A.B.MException: ", "m\n", "A.B ()\n", "A:B()\n", "A.B () (at A/b.cs:1)\n", "A.B () (at A/b.cs:1)\nRethrow as AException: m\n", "A (", "A.MException: whose value is:\n"}, "   at A.B.C()\n"},
		{PHP, "E: m in a.php:1\nStack trace:\n", []string{
			"#0 a(1): b()\n", "#0 {main}\n\nNext E: m in a.php:1\nStack trace:\n", "Next E\n", " in ", "{closure:", "->", "vendor/", "(1): ",
		}, ""},
		{PHP, "[object] (E(code: 0): m at a.php:1", []string{
			", E(code: 0): m at a.php:1", "(code: ", ", ", "): ", `\\`, `\n[stacktrace]\n#0 `, "[object] (", " on line 1",
		}, ")\n[stacktrace]\n#0 {main}\n"},
		{Ruby, "E (m\n", []string{"x\n", " (", "E (m\n"}, ""},
		{Ruby, "E (m)\nCauses:\n", []string{"E (m)\n", "E: m\n", "Causes:\n", "Caused by:\nE: m\n", "  f at a.rb:1\n", " at ", ".erb:", "\n"}, "a.rb:1:in `f'\n"},
		{Ruby, "a.rb:1:in `f': m (E)\n", []string{
			"\tfrom a.rb:1:in `f'\n", "a.rb:1:in `f': m (E)\n", "x\n", ":in `", "': ", ".rb:", "/gems/", "\t1: from a.rb:1:in `f'\n", " (",
		}, ""},
		{Rust, "thread 'main' panicked at a.rs:1:1:\nm\nstack backtrace:\n", []string{
			"   0: a::b\n             at a.rs:1:1\n", "   0: ", "<", ">", "::{", "}", "::", "&dyn ", " as ", "      a::b\n", "Caused by:\n    0: m\n", "src/",
		}, ""},
		{Elixir, "** (E) m\n", []string{
			"    a.ex:1: A.b/1\n", "    ** (EXIT) m\n", "** (E) m\n", "(a) ", ": ", "\"", " in ", ".", "anonymous fn/1 in ", "    ** (E) m\n            a.ex:1: A.b/1\n",
		}, ""},
		{Go, "m\n(1) attached stack trace\n  -- stack trace:\n  | main.f\n  | \t/a.go:1\nError types: (1) *e\n", []string{
			"  | main.f\n  | \t/a.go:1\n", "Wraps: (2) m\n", "  -- stack trace:\n", "  -- stack trace:\n  | main.f\n  | \t/a.go:1\nWraps: (2) m\n",
		}, ""},
		{Go, "m\n\tmain.f:/a.go:1\n", []string{"m\n", "m\n\tmain.f:/a.go:1\n", "\tmain.f:/a.go:1\n"}, ""},
		{Rust, "Error:\n   0: m\n", []string{"   1: m\n", "      m\n", "Location:\n   a.rs:1\n", "  ━━━ SPANTRACE ━━━\n", "⋮\n"}, ""},
		{Go, "m\n(1) a\nError types: (1) *join.joinError (2) *errors.fundamental\n", []string{
			"└─ Wraps: (2) m\n", "  └─ Wraps: (2) m\n", "Wraps: (2) m\n  -- stack trace:\n  | main.f\n  | \t/a.go:1\n  | [...repeated from below...]\n", "  | m\n",
		}, ""},
		{Go, "m:\n    main.f\n        /a.go:1\n", []string{"  - m:\n", "    main.f\n        /a.go:1\n", "    m\n", "  - m:\n    main.f\n        /a.go:1\n"}, ""},
		{Go, "m\n/a.go:1 (0x1)\n", []string{"/a.go:1 (0x1)\n", "/a.go:1 (0x1)\n\tf: g\n", " (0x", "/src/"}, ""},
		{Go, "m\nmain.f\n\t/a.go:1\nruntime.goexit\n\t/a.s:1\n", []string{"runtime.goexit\n\t/a.s:1\n", "m\n", " goroutine "}, ""},
		{Rust, "m\n├╴at a.rs:1:1\n", []string{
			"├─▶ m\n", "╰┬▶ m\n", "├▶ m\n", "│  m\n", "├╴at a.rs:1:1\n", "├╴backtrace (1)\n", "backtrace no. 1\n   0: a::b\n", "│", "m\n",
		}, ""},
		{Rust, "m\n|-at a.rs:1:1\n", []string{"|-> m\n", "|> m\n", "|  m\n", "| ", "|-> m\n |-at a.rs:1:1\n"}, ""},
		{Rust, "m\nstack backtrace:\n   0: a::b\n             at a.rs:1:1\n", []string{"        1 > a\n", "stack backtrace:\n", "[0123456789abcdef]", "   0: a[0123456789abcdef]::b\n"}, ""},
		{Swift, "m\nThread 0 crashed:\n", []string{"Thread 1:\n", "Thread 0 Crashed:\n0 A 0x1234 f + 1\n", "Thread 1:\n0 A 0x1234 f + 1\n", "1 f + 1 in a at /a.swift:1:1\n", "1│ a\n", "Exception Type: a\n"}, ""},
		{Swift, "*** Terminating app due to uncaught exception 'E', reason: 'm\n", []string{"m\n", "'\n", "*** Program crashed: m\n"}, ""},
		{Dart, "══╡ EXCEPTION CAUGHT BY A ╞══\n", []string{"The following E was thrown\n", "m\n", "\n", "══"}, ""},
		{Elixir, "** exception error: m\n", []string{"  in function a:b/1 (a.erl:1)\n", "  called as m\n", "  in operator +/2\n", "  *** argument 1: m\n"}, ""},
		{Unknown, "m\n", []string{"\x1b", "\x1b[3", "\x1b]8;;", "\x1b[31m"}, ""},
		{Dart, "m\n", []string{"#1      f (package:a/b.dart:1:1)\n", "package:a/b.dart 1:1  f\n", "#1 ", " (", "<asynchronous suspension>\n"}, ""},
		{Swift, "m\n", []string{"1   A   0x0000000104f0c3a4 f + 1\n", "0 [", "0x", " in ", " + ", "1 [ra] 0x1234 f + 1 in a at /a.swift:1:1\n"}, ""},
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
