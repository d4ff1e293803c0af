// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import "strings"

// cutV8Call cuts a frame of V8. The function is empty if it is anonymous.
func cutV8Call(call string) (function, location string, ok bool) {
	call = strings.TrimRight(call, " {,")
	call = strings.TrimPrefix(call, "async ")
	location = call
	if strings.HasSuffix(call, ")") {
		if i := strings.Index(call, " ("); i >= 0 {
			function, location = call[:i], call[i+len(" ("):len(call)-1]
		}
	}
	path, line, _ := cutPosition(location)
	isPlace := line > 0 || isV8Location(location) || function != "" && isScriptFile(path) && strings.IndexByte(path, ' ') < 0
	if !isPlace {
		return cutOtherCall(call)
	}
	if function == "" && path == "" {
		return "", "", false
	}
	function, _, _ = strings.Cut(function, " [as ")
	switch function {
	case "<anonymous>", "anonymous", "Anonymous function": // Hermes and Edge print words
		function = ""
	}
	return function, location, true
}

// cutOtherCall cuts a frame of Rhino, "cart.js:12 (add)", or of Google Apps Script, "add(Code:12:34)".
func cutOtherCall(call string) (function, location string, ok bool) {
	before, inside, ok := strings.Cut(call, "(")
	inside, closed := strings.CutSuffix(inside, ")")
	if !ok || !closed {
		return "", "", false
	}
	if _, line, column := cutPosition(inside); line > 0 && column > 0 && before != "" && !strings.ContainsAny(before, " <") {
		return before, inside, true
	}
	place, spaced := strings.CutSuffix(before, " ")
	_, line, column := cutPosition(place)
	return inside, place, spaced && line > 0 && column == 0 && isScriptName(inside)
}

// isV8Location reports whether V8 prints this in place of a file.
func isV8Location(location string) bool {
	return location == "<anonymous>" || location == "native" || location == unknownCode || location == ":0" || strings.HasPrefix(location, "index ") ||
		strings.HasPrefix(location, "eval at ") || strings.HasPrefix(location, "wasm://") || strings.Contains(location, wasmFunction)
}

func cutBare(line string) (function string, at, column int) {
	function, location, ok := strings.Cut(line, "@")
	if !ok {
		function, location = "", line
	} else if !isScriptName(function) {
		return "", 0, 0
	}
	at, rest, _ := number(location)
	before, column, ok := cutNumber(rest)
	if !ok || before != "" || column == 0 {
		return "", 0, 0
	}
	return function, at, column
}

// cutAtFrame cuts a frame of Firefox or Safari. Safari prints no location for native code and the code
// of eval, and JavaScriptCore prints no "@" for anonymous functions.
func cutAtFrame(line string) (function, location string, ok bool) {
	if isSafariCode(line) {
		return line, nativeCode, true
	}
	function, location, ok = strings.Cut(line, "@")
	switch {
	case isScriptURL(line), !ok:
		path, _, column := cutPosition(line)
		return "", line, column > 0 && strings.IndexByte(line, ' ') < 0 && (isScriptURL(line) || isScriptFile(path))
	case location == nativeCode, location == wasmCode:
		return function, location, true
	case location == "" && isSafariCode(function), location == "" && function != "" && !strings.ContainsAny(function, " :."):
		return function, nativeCode, true
	case strings.HasPrefix(location, debuggerCode), strings.HasPrefix(location, userScript):
		return function, location, true
	case strings.Contains(function, ": "), strings.Contains(location, " ") && !strings.Contains(location, " > "):
		return "", "", false
	}
	path, at, _ := cutPosition(location)
	return function, location, at > 0 && strings.ContainsAny(path, "/.<") || strings.Contains(location, wasmFunction)
}

// isScriptFile reports whether the path ends like that of a script or of a React Native bundle.
func isScriptFile(path string) bool {
	return hasAnySuffix(path, ".js", ".mjs", ".cjs", ".ts", ".jsx", ".tsx", "bundle", ".hbc")
}

// isScriptURL reports whether the line begins with a scheme.
func isScriptURL(line string) bool {
	scheme, _, ok := strings.Cut(line, "://")
	return ok && isScriptName(scheme) || strings.HasPrefix(line, "blob:")
}

// isSafariCode reports whether the line is a name that Safari prints in place of a frame.
func isSafariCode(line string) bool {
	return line == nativeCode || line == "eval code" || line == "global code" || line == "module code"
}

// setScript sets the location: a path, a URL or a placeholder of the engine. Code that eval runs has
// no source, so its location is the call of eval.
func (f *Frame) setScript(path string, line, column int) {
	if strings.HasPrefix(path, "eval at ") {
		path, line, column = evalCaller(path)
		f.Native = true
	}
	path = strings.TrimPrefix(path, "address at ") // Hermes
	if url, rest, ok := strings.Cut(path, " line "); ok && strings.Contains(rest, " > ") {
		path = url // Firefox: the caller of eval
		line, _, _ = number(rest)
		column = 0
		f.Native = true
	}
	if column == 0 && isNumber(path) { // Bun's own code has no file: "2:1"
		column = line
		line, _, _ = number(path)
		path = unknownCode
	}
	f.Line, f.Column = line, column
	switch {
	case path == "native", path == unknownCode, path == nativeCode, path == wasmCode, line == 0 && (path == "" || strings.HasPrefix(path, "index ")):
		f.Native = true
		if f.Function == "" {
			f.Filename = path
		}
		return
	case path == "<anonymous>" && line == 0, strings.Contains(path, wasmFunction):
		f.Native = true
	}
	f.setScriptPath(path)
}

// evalCaller returns the location of the code that called eval: the innermost parentheses of "eval
// at f (eval at g (cart.js:1:2), ...)". The path may have parentheses too.
func evalCaller(location string) (path string, line, column int) {
	inner := location[strings.LastIndex(location, "eval at ")+len("eval at "):]
	open := strings.IndexByte(inner, '(')
	if end := endOfArguments(inner, max(open, 0)); open >= 0 && end > 0 {
		inner = inner[open+1 : end-1]
	}
	return cutPosition(inner)
}

// setScriptPath sets the path or URL. For bundles of webpack and Turbopack, Filename is the path of
// the source.
func (f *Frame) setScriptPath(path string) {
	path = withoutFileScheme(withoutReactServer(path))
	f.setPath(path)
	if scheme, rest, ok := strings.Cut(path, "://"); ok && (strings.HasPrefix(scheme, "webpack") || scheme == "turbopack") {
		f.Filename, f.AbsPath = webpackPath(rest), path
	}
	if !strings.Contains(path, "node_modules") {
		return
	}
	if library, ok := after(f.Filename, "node_modules"); ok && !strings.Contains(library, ".bundle") { // Metro's are the whole app
		library, _, _ = strings.Cut(library, "?")
		f.Filename, f.AbsPath, f.Package = library, path, npmPackage(library)
	}
}

// withoutReactServer returns the path that React reports for code on the server:
// "rsc://React/Server/file:///app/page.js?12".
func withoutReactServer(path string) string {
	for _, prefix := range [...]string{"rsc://React/", "about://React/"} {
		if rest, ok := strings.CutPrefix(path, prefix); ok {
			_, rest, _ = strings.Cut(rest, "/")
			rest, _, _ = strings.Cut(rest, "?")
			return rest
		}
	}
	return path
}

// webpackPath returns the path after the namespace: "shop/./src/cart.ts" and "/(rsc)/./src/cart.ts"
// are "src/cart.ts".
func webpackPath(rest string) string {
	if _, path, ok := strings.Cut(rest, "/./"); ok {
		rest = path
	} else {
		_, rest, _ = strings.Cut(rest, "/")
	}
	path, _, _ := strings.Cut(rest, "?")
	return strings.TrimPrefix(path, "[project]/") // Turbopack
}

// npmPackage returns the first folder of a path in node_modules, or the first two if the first is a
// scope.
func npmPackage(library string) string {
	name := firstElement(library)
	if strings.HasPrefix(name, "@") && len(name) < len(library) {
		name = library[:len(name)+1+len(firstElement(library[len(name)+1:]))]
	}
	return name
}

func (f *Frame) isJavaScriptLibrary() bool {
	if f.Native || f.Package != "" {
		return true
	}
	base := f.Filename[strings.LastIndexByte(f.Filename, '/')+1:]
	if strings.HasPrefix(base, "node_modules_") { // a chunk of Turbopack
		return true
	}
	switch base {
	case "<anonymous>", "eval code", debuggerCode: // evaluated
		return true
	case "InternalBytecode.js", "[eval]-wrapper", "[stdin]-wrapper", "[worker eval]-wrapper", ".pnp.cjs", ".pnp.js", ".pnp.loader.mjs", "webpack-runtime.js", "[turbopack]_runtime.js":
		return true
	}
	switch path := f.Filename; {
	case path == base && isOldNodeModule(base):
		return true
	case strings.HasPrefix(path, "/"):
		return strings.HasPrefix(path, awsLambda)
	case strings.HasPrefix(path, "http"):
		return hasAnyPrefix(path, "https://deno.land/", "https://jsr.io/", "https://esm.sh/", "https://unpkg.com/", "https://cdn.jsdelivr.net/")
	case hasAnyPrefix(path, "node:", "internal/", "ext:", "deno:", "bun:", "cloudflare:", "cloudflare-internal:", "electron/js2c/", "webpack/", "wasm://",
		"resource://", "chrome://", "webkit-masked-url:"):
		return true
	}
	scheme, _, ok := strings.Cut(f.path(), "://")
	return ok && strings.HasSuffix(scheme, "-extension")
}

// isOldNodeModule reports whether the file is a module of Node.js before version 16, which prints no
// "node:" before it.
func isOldNodeModule(name string) bool {
	switch name {
	case "bootstrap_node.js", "child_process.js", "dgram.js", "dns.js", "domain.js", "events.js", "fs.js", "module.js", "net.js", "readline.js",
		"timers.js", "tls.js", "vm.js", "zlib.js":
		return true
	default:
		return hasAnyPrefix(name, "_http_", "_stream_", "_tls_")
	}
}
