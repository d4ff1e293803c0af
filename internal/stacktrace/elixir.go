// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import "strings"

// elixirReader reads the results of Exception.format and Exception.format_stacktrace
// (https://hexdocs.pm/elixir/Exception.html), and exceptions as Erlang's shell prints them.
type elixirReader struct {
	*builder
	lines  lines
	header header
	// open are the exceptions that frames may belong to, by indentation. Between a header and its
	// frames there may be the exception of another process, which caused the exit.
	open  [elixirDepths]elixirException
	depth int
}

const elixirDepths = 16

type elixirException struct{ index, indent int }

func readElixir(b *builder) {
	if text := strings.TrimSpace(b.text); isErlangTerm(text) {
		readErlang(b, text)
		return
	}
	r := elixirReader{builder: b, lines: lines{text: b.text}}
	for r.lines.scan() {
		r.read(r.lines.line)
	}
}

func (r *elixirReader) read(line string) {
	body := unindented(line)
	indent := len(line) - len(body)
	switch {
	case strings.HasPrefix(body, "** (") && r.enter(indent, body[len("** ("):]):
	case len(r.exceptions) == 0 && isErlangException(body):
		r.beginAt(indent)
		header := strings.TrimPrefix(body, "** ")[len("exception "):]
		r.header = r.readHeader(&r.lines, r.open[0].index, header)
		r.incomplete = r.incomplete || isBlank(header)
	case indent > 0 && r.frameLine(indent, body):
	case indent > 0 && r.detailLine(body):
	case r.depth > 0 && indent < r.open[r.depth].indent && isExceptionHeader(body):
		r.header.open = false
		r.unread(r.open[r.depth].index, body)
	case r.header.extend(r.builder, &r.lines):
	case body == "":
	case len(r.exceptions) == 0 && isExceptionHeader(body):
		r.beginAt(indent)
		r.header = r.readThrown(&r.lines, r.open[0].index, body)
	default:
		r.unread(r.open[r.depth].index, body)
	}
}

// isErlangException reports whether the line is the header of an exception of Erlang's shell or of a
// crash report.
func isErlangException(body string) bool {
	class, ok := strings.CutPrefix(strings.TrimPrefix(body, "** "), "exception ")
	return ok && (strings.HasPrefix(body, "** ") || strings.HasPrefix(class, "error: ") || strings.HasPrefix(class, "exit: ") ||
		strings.HasPrefix(class, "throw: "))
}

// detailLine reads a line about the frame above it, or about the test that failed.
func (r *elixirReader) detailLine(body string) bool {
	switch {
	case len(r.exceptions) > 0 && body == "stacktrace:" && r.framesOf(r.open[r.depth].index) == 0:
		r.header.open = false
	case r.header.open && strings.HasPrefix(body, "code: "), len(r.exceptions) > 0 && r.framesOf(r.open[r.depth].index) > 0 &&
		(strings.HasPrefix(body, "called as ") || strings.HasPrefix(body, "*** argument ")):
		r.header.open, r.incomplete = false, true
	default:
		return false
	}
	return true
}

// enter reads "** (ArgumentError) message".
func (r *elixirReader) enter(indent int, line string) bool {
	typ, message, ok := strings.Cut(line, ") ")
	if !ok {
		typ, ok = strings.CutSuffix(line, ")")
	}
	if !ok || indent == 0 && len(r.exceptions) > 0 {
		return false
	}
	if typ == "EXIT" && strings.HasSuffix(message, "an exception was raised:") { // the cause, which follows
		r.header.open = false
		return true
	}
	if strings.HasPrefix(typ, "EXIT from #PID<") { // without the process, which differs each time
		typ, r.incomplete = "EXIT", true
	}
	r.beginAt(indent)
	index := r.open[r.depth].index
	e := r.exception(index)
	e.Type, e.Message = typ, message
	start := r.lines.end - len(message)
	r.header = header{index: index, start: start, open: true}
	if len(r.exceptions) == 1 && r.skipKnown(&r.lines, start) {
		e.Message = r.message
	}
	return true
}

// beginAt begins an exception at an indentation. It caused the exit of the one with less indentation.
func (r *elixirReader) beginAt(indent int) {
	if len(r.exceptions) == 0 {
		r.open[0] = elixirException{index: r.begin(noParent, ""), indent: indent}
		return
	}
	r.leave(indent)
	parent := r.open[r.depth].index
	r.depth = min(r.depth+1, elixirDepths-1)
	r.open[r.depth] = elixirException{index: r.begin(parent, "EXIT"), indent: indent}
}

// leave closes the exceptions that are indented at least as far.
func (r *elixirReader) leave(indent int) {
	for r.depth > 0 && r.open[r.depth].indent >= indent {
		r.depth--
	}
}

// frameLine reads "(shop 0.1.0) lib/shop/cart.ex:12: Shop.Cart.add/1".
func (r *elixirReader) frameLine(indent int, body string) bool {
	var f Frame
	if !f.readElixir(body) && !f.readErlangShell(body) {
		return false
	}
	if len(r.exceptions) == 0 {
		r.beginAt(0)
	}
	r.leave(indent)
	r.header.open = false
	*r.frame(r.open[r.depth].index) = f
	return true
}

// readElixir reads a frame; ok is false for other lines, such as those of a message.
func (f *Frame) readElixir(body string) (ok bool) {
	call := body
	if strings.HasPrefix(body, "(") {
		if application, rest, ok := strings.Cut(body[1:], ") "); ok {
			f.Package, _, _ = strings.Cut(application, " ")
			call = rest
		}
	}
	if location, rest, ok := strings.Cut(call, ": "); ok {
		if path, line, ok := cutNumber(location); ok {
			f.Line, call = line, rest
			f.setPath(path)
		}
	}
	return f.setElixirFunction(call)
}

// setElixirFunction parses "Shop.Cart.add/1", "Shop.Cart.add(-1)", ":lists.map/2" or "anonymous
// fn/1 in Shop.Cart.fill/1".
func (f *Frame) setElixirFunction(call string) bool {
	if call == "(file)" || call == "(module)" || call == "(test)" {
		f.Function = call
		return f.Filename != ""
	}
	name := call
	if strings.HasPrefix(call, "anonymous fn/") {
		_, name, _ = strings.Cut(call, " in ")
	}
	if strings.HasSuffix(name, ")") {
		name, _, _ = strings.Cut(name, "(")
	} else if i := strings.LastIndexByte(name, '/'); i > 0 && isNumber(name[i+1:]) {
		name = name[:i]
	} else {
		return false
	}
	dot := strings.Index(name, `."`)
	if dot < 0 {
		dot = strings.LastIndexByte(name, '.')
	}
	if dot <= 0 || dot+1 == len(name) || strings.IndexByte(name[:dot], ' ') >= 0 || !isElixirModule(name) {
		return false
	}
	f.Module, f.Function = name[:dot], call[dot+1:]
	if len(call) > len(name) && strings.HasSuffix(call, ")") {
		f.Function = name[dot+1:]
	}
	if strings.HasPrefix(call, "anonymous fn/") {
		f.Function = call
	}
	return true
}

// isElixirModule reports whether the text begins as a module of Elixir or, with a colon, of Erlang.
func isElixirModule(name string) bool { return name[0] == ':' || name[0] >= 'A' && name[0] <= 'Z' }

// readErlangShell reads "in function shop:add/1 (shop.erl, line 12)", "in call from shop:fill/1
// (src/shop.erl:20)" or, for Erlang's operators, "in operator  +/2".
func (f *Frame) readErlangShell(body string) bool {
	call, ok := strings.CutPrefix(body, "in function ")
	if !ok {
		call, ok = strings.CutPrefix(body, "in call from ")
	}
	if !ok {
		call, ok = strings.CutPrefix(body, "in operator ")
	}
	if !ok {
		return false
	}
	call, location, _ := strings.Cut(strings.TrimLeft(call, " "), " (")
	call = strings.TrimSpace(call)
	module, function, ok := strings.Cut(call, ":")
	if !ok {
		module, function = "", call
		slash := strings.LastIndexByte(call, '/')
		ok = slash > 0 && isNumber(call[slash+1:])
	}
	if !ok || module == "" && function != call || function == "" || strings.IndexByte(module, ' ') >= 0 {
		return false
	}
	f.Module, f.Function = module, function
	location = strings.TrimSuffix(location, ")")
	if path, line, ok := strings.Cut(location, ", line "); ok {
		f.Line, _, _ = number(line)
		f.setPath(path)
	} else if path, line, ok := cutNumber(location); ok {
		f.Line = line
		f.setPath(path)
	}
	return true
}

// isErlangTerm reports whether the text is a list of tuples rather than JSON.
func isErlangTerm(text string) bool {
	return strings.HasPrefix(text, "[{") && !strings.HasPrefix(text, `[{"`)
}

// readErlang reads a stack as an Erlang term: [{shop,add,1,[{file,"src/shop.erl"},{line,12}]},...].
// The OpenTelemetry SDK records it, truncated to a number of characters.
func readErlang(b *builder, text string) {
	index := b.begin(noParent, "")
	rest := text[1:]
	for strings.HasPrefix(rest, "{") {
		end := endOfTerm(rest)
		if !b.erlangFrame(index, rest[1:max(end-1, 1)]) {
			b.incomplete = true
		}
		rest = strings.TrimLeft(rest[end:], " \r\n,")
	}
	if rest != "]" || strings.Contains(text, "...") {
		b.incomplete = true
	}
}

// erlangFrame reads "shop,add,1,[{file,"src/shop.erl"},{line,12}]".
func (b *builder) erlangFrame(index int, entry string) bool {
	module, rest := cutTerm(entry)
	function, rest := cutTerm(rest)
	_, where := cutTerm(rest)
	module, function = strings.Trim(module, "'"), strings.Trim(function, "'")
	if module == "" || function == "" || module == "..." || function == "..." || strings.Contains(module, "\n") || strings.Contains(function, "\n") {
		return false
	}
	f := b.frame(index)
	f.Module, f.Function = strings.TrimPrefix(module, "Elixir."), function
	if _, file, ok := strings.Cut(where, `{file,"`); ok {
		path, _, _ := strings.Cut(file, `"`)
		f.setPath(path)
	}
	if _, line, ok := strings.Cut(where, "{line,"); ok {
		f.Line, _, _ = number(line)
	}
	return true
}

// cutTerm cuts the first of several terms separated by commas.
func cutTerm(terms string) (term, rest string) {
	end := endOfTerm(terms)
	return terms[:end], strings.TrimLeft(strings.TrimPrefix(terms[end:], ","), " \r\n")
}

// endOfTerm returns where the first term ends.
func endOfTerm(text string) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '"', '\'':
			i = endOfQuoted(text, i)
		case '{', '[', '(':
			depth++
		case '}', ']', ')':
			depth--
			if depth < 0 {
				return i
			}
			if depth == 0 {
				return i + 1
			}
		case ',', '|':
			if depth == 0 {
				return i
			}
		}
	}
	return len(text)
}

// endOfQuoted returns the index of the quote that closes the one at start.
func endOfQuoted(text string, start int) int {
	for i := start + 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case text[start]:
			return i
		}
	}
	return len(text)
}

// isElixirLibrary reports whether the code belongs to Erlang, Elixir or a common package.
func (f *Frame) isElixirLibrary() bool {
	switch f.Package {
	case "elixir", "stdlib", "kernel", "erts", "mix", "ex_unit", "iex", "logger", "eex", "compiler", "crypto", "ssl", "inets", "runtime_tools",
		"absinthe", "bandit", "broadway", "cowboy", "cowlib", "db_connection", "ecto", "ecto_sql", "finch", "gen_stage", "hackney", "jason", "mint",
		"oban", "opentelemetry", "opentelemetry_api", "phoenix", "phoenix_ecto", "phoenix_html", "phoenix_live_view", "phoenix_pubsub", "plug",
		"plug_cowboy", "postgrex", "ranch", "sentry", "telemetry", "tesla", "thousand_island":
		return true
	case "":
		return f.Module == "" && f.Filename == "" || f.isElixirCore() || strings.HasPrefix(f.path(), "/usr/lib/") || strings.Contains(f.path(), "/deps/")
	default:
		return false
	}
}

// isElixirCore reports whether the module is one of Erlang's or Elixir's own, for frames that do
// not name their application.
func (f *Frame) isElixirCore() bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(f.Module, ":"), ".")
	switch first {
	case "erlang", "lists", "maps", "gen", "gen_server", "gen_statem", "init", "proc_lib", "supervisor", "timer", "ets", "erl_eval", "elixir",
		"elixir_compiler", "elixir_lexical", "elixir_dispatch", "elixir_expand",
		"Access", "Agent", "Code", "Enum", "ExUnit", "File", "Float", "GenServer", "IEx", "IO", "Integer", "Kernel", "Keyword", "List", "Logger",
		"Map", "MapSet", "Mix", "Module", "Path", "Process", "Range", "Regex", "Registry", "Stream", "String", "Supervisor", "System", "Task",
		"Tuple", "URI":
		return true
	default:
		return false
	}
}
