// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import "strings"

// dotNetCall is a line of a stack: the word before the call, the call and the place.
type dotNetCall struct {
	word, image, class, method, path string
	line                             int
}

// cutDotNetCall reads a line by its shape, since .NET Framework translates "at", "in" and "line".
func cutDotNetCall(body string) (c dotNetCall, ok bool) {
	body = strings.TrimRight(body, " ")
	if c, ok = cutDotNetAddress(body); ok {
		return c, true
	}
	open := startOfArguments(body)
	if open <= 0 {
		return c, false
	}
	end := endOfArguments(body, open)
	name := strings.TrimRight(body[:open], " ")
	start := startOfName(name)
	if end < 0 || start == 0 {
		return c, false
	}
	arguments := body[open+1 : end-1]
	inAssembly := len(name) < open && c.cutAssembly(arguments)
	if !inAssembly && isForeignPlace(arguments) {
		return c, false
	}
	c.word = strings.TrimRight(name[:start], " ")
	modifiers, ok := strings.CutPrefix(c.word, "at ") // a wrapper, or what Demystifier prints before the method
	if ok {
		c.word = "at"
	}
	if !isDotNetWord(c.word) || inAssembly && end < len(body) || !inAssembly && !c.cutPlace(body[end:]) {
		return c, false
	}
	c.class, c.method = cutDotNetMethod(name[start:])
	if modifiers == "new" || modifiers == "static" { // the name is the class
		c.class = name[start:]
	}
	return c, c.method != ""
}

// cutPlace cuts what follows the arguments.
func (c *dotNetCall) cutPlace(rest string) (ok bool) {
	image, place := withoutOffset(withoutLambda(rest))
	if c.image = image; image != "" {
		place = ""
	}
	c.path, c.line, ok = dotNetPlace(place)
	return ok
}

// cutAssembly cuts what Application Insights prints in place of arguments: "Shop, Version=1.0.0.0,
// Culture=neutral, PublicKeyToken=null: /src/Cart.cs:12".
func (c *dotNetCall) cutAssembly(arguments string) bool {
	image, rest, ok := strings.Cut(arguments, ", Version=")
	_, token, found := strings.Cut(rest, ", PublicKeyToken=")
	if !ok || !found || image == "" {
		return false
	}
	c.image = image
	if _, place, ok := strings.Cut(token, ": "); ok {
		c.path, c.line, _ = cutNumber(place)
	}
	return true
}

// isForeignPlace reports whether the parentheses contain a position instead of arguments, as in Java
// and JavaScript, whose stacks occur in messages.
func isForeignPlace(arguments string) bool {
	_, line, _ := cutPosition(arguments)
	return line > 0
}

// startOfArguments returns the index of the parenthesis before the arguments, or -1. Other
// parentheses may precede it: "at (wrapper runtime-invoke) A.B()", "at Task<(int, bool)> A.B()".
func startOfArguments(body string) int {
	start := 0
	if strings.HasPrefix(body, "at (") {
		start = max(endOfArguments(body, len("at ")), 0)
	} else if open := strings.IndexByte(body, '('); open < 0 || strings.IndexByte(body[:open], '<') < 0 {
		return open
	}
	depth := 0
	for i := start; i < len(body); i++ {
		switch body[i] {
		case '<':
			depth++
		case '>':
			depth--
		case '(':
			if depth <= 0 {
				return i
			}
		}
	}
	return -1
}

// withoutLambda skips a lambda within the method, which Demystifier prints as "+() => { }".
func withoutLambda(rest string) string {
	if !strings.HasPrefix(rest, "+") {
		return rest
	}
	place := strings.Index(rest, " in ")
	if place < 0 {
		return ""
	}
	return rest[place:]
}

// cutDotNetAddress reads a frame of NativeAOT without a name: "at Shop!<BaseAddress>+0x1c2b3".
func cutDotNetAddress(body string) (c dotNetCall, ok bool) {
	if strings.IndexByte(body, '!') < 0 {
		return c, false
	}
	word, frame, _ := strings.Cut(body, " ")
	image, address, ok := strings.Cut(frame, "!<BaseAddress>+0x")
	if !ok || address == "" || strings.IndexByte(frame, ' ') >= 0 || !isDotNetWord(word) {
		return c, false
	}
	return dotNetCall{word: word, image: image, method: frame[len(image)+1:]}, true
}

// isDotNetWord reports whether the text may be the word, or the few words, for "at".
func isDotNetWord(word string) bool {
	return word == "at" || word != "" && len(word) <= 40 && strings.Count(word, " ") < 4 && !strings.ContainsAny(word, `.,;=<>[]{}/\"'#0123456789`)
}

// startOfName returns where the qualified name of the method begins: after the last space outside
// of brackets.
func startOfName(name string) int {
	if first := strings.IndexByte(name, ' '); first < 0 {
		return 0
	} else if strings.IndexByte(name[first+1:], ' ') < 0 && !strings.ContainsAny(name[:first], "[<") {
		return first + 1
	}
	depth := 0
	for i := len(name) - 1; i >= 0; i-- {
		switch name[i] {
		case ']', '>':
			depth++
		case '[', '<':
			depth--
		case ' ':
			if depth == 0 {
				return i + 1
			}
		}
	}
	return 0
}

// withoutOffset skips the offset of the code: Mono's "[0x00001]" or "<0x100e15d50 + 0x00029>", or
// NativeAOT's "+ 0x1d". If .NET prints an offset in place of a line, as in "in Shop.dll:token
// 0x6000012+0x1d", it also returns the image.
func withoutOffset(rest string) (image, place string) {
	rest = strings.TrimLeft(rest, " ")
	if !strings.Contains(rest, "0x") {
		return "", rest
	}
	if image, _, ok := strings.Cut(rest, ":token 0x"); ok {
		return image[strings.LastIndexByte(image, ' ')+1:], rest
	}
	for _, offset := range [...]struct{ open, end string }{{"[0x", "]"}, {"<0x", ">"}, {"+ 0x", " "}} {
		if strings.HasPrefix(rest, offset.open) {
			_, rest, _ = strings.Cut(rest[len(offset.open):], offset.end)
			break
		}
	}
	rest, _, _ = strings.Cut(rest, " + 0x")
	return "", rest
}

// dotNetPlace reads what follows the arguments: nothing, or a word, a path and ":line 12" in any
// language. ok is false if something else follows.
func dotNetPlace(rest string) (path string, line int, ok bool) {
	rest = strings.TrimLeft(rest, " ")
	if rest == "" {
		return "", 0, true
	}
	word, path, ok := strings.Cut(rest, " ")
	if start := startOfPath(rest); start >= 0 {
		word, path, ok = rest[:start], rest[start:], true
	}
	if !ok || len(word) > 40 {
		return "", 0, false
	}
	if strings.HasPrefix(path, "<") || strings.HasPrefix(path, ":") { // no symbols
		return "", 0, true
	}
	path, line = cutDotNetLine(path)
	return path, line, line > 0 || strings.TrimSpace(word) == "in"
}

// startOfPath returns the index of an absolute path, which may follow several words, or -1.
func startOfPath(rest string) int {
	for i := range len(rest) {
		switch rest[i] {
		case '/', '\\':
			return i
		case ':':
			if i > 0 && isSeparator(rest, i+1) { // of a drive or a scheme
				return strings.LastIndexByte(rest[:i], ' ') + 1
			}
		}
	}
	return -1
}

// cutDotNetLine cuts ":line 12", ":Zeile 12.", ": 行 12" or " içinde: satır 12" off a path.
func cutDotNetLine(place string) (path string, line int) {
	end := strings.TrimRight(place, ". ")
	digits := len(end)
	for digits > 0 && end[digits-1] >= '0' && end[digits-1] <= '9' {
		digits--
	}
	colon := strings.LastIndexByte(end, ':')
	if digits == len(end) || colon <= 1 || colon < lastSeparator(end) {
		return place, 0
	}
	line, _, _ = number(end[digits:])
	path = strings.TrimRight(end[:colon], " ,")
	if dot := strings.LastIndexByte(path, '.'); dot > 0 {
		extension, _, _ := strings.Cut(path[dot:], " ")
		path = path[:dot+len(strings.TrimRight(extension, ","))]
	}
	return path, line
}

// cutDotNetMethod cuts the qualified name of a method. It maps compiler-generated classes of async
// methods, iterators and closures to the source: "Shop.Cart.<Add>d__5.MoveNext" is Add of
// Shop.Cart.
func cutDotNetMethod(name string) (class, method string) {
	end := endOfMethod(name)
	dot := strings.LastIndexByte(name[:end], '.')
	if colon := strings.LastIndexByte(name[:end], ':'); colon > dot { // Mono's wrappers, and Unity
		dot = colon
	}
	if dot < 0 {
		return "", name
	}
	if dot > 0 && name[dot-1] == '.' { // ".ctor"
		dot--
	}
	class, method = name[:dot], strings.TrimSuffix(name[dot+1:], "@") // main@ of F#
	if method == "MoveNext" {
		class, method = cutStateMachine(class)
	}
	return cutClosure(class, method)
}

// cutClosure maps the class of a closure to the source: "Shop.Cart.<>c__DisplayClass3_0" and Visual
// Basic's "Shop.Cart._Closure$__1-0" become Shop.Cart, and F#'s "Shop.Cart.add@12" becomes its add.
func cutClosure(class, method string) (string, string) {
	if at := strings.LastIndexByte(class, '@'); at > 0 && at+1 < len(class) && isNumber(class[at+1:at+2]) {
		if dot := strings.LastIndexAny(class[:at], ".+"); dot > 0 {
			return class[:dot], class[dot+1 : at]
		}
	}
	closure := -1
	if strings.IndexByte(class, '<') >= 0 {
		closure = strings.Index(class, "<>c")
	} else if strings.IndexByte(class, '$') >= 0 {
		closure = strings.Index(class, "_Closure$__")
	}
	if closure > 1 && (class[closure-1] == '.' || class[closure-1] == '+') {
		class = class[:closure-1]
	}
	return class, method
}

// endOfMethod returns where the generic arguments of the method begin: "Map[System.Int32]". A class
// may have some too.
func endOfMethod(name string) int {
	if !strings.HasSuffix(name, "]") {
		return len(name)
	}
	depth := 0
	for i := len(name) - 1; i >= 0; i-- {
		switch name[i] {
		case ']':
			depth++
		case '[':
			depth--
		}
		if depth == 0 {
			return i
		}
	}
	return len(name)
}

func cutStateMachine(class string) (outer, method string) {
	if outer, machine, ok := strings.Cut(class, "VB$StateMachine_"); ok && len(outer) > 1 { // Visual Basic
		if _, method, ok := strings.Cut(machine, "_"); ok && method != "" {
			return outer[:len(outer)-1], method
		}
	}
	open, closing := strings.LastIndex(class, ".<"), strings.LastIndex(class, ">d")
	if open < 0 {
		open = strings.LastIndex(class, "+<")
	}
	if open <= 0 || closing < open+len(".<") {
		return class, "MoveNext"
	}
	return class[:open], class[open+len(".<") : closing]
}
