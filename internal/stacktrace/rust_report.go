// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// rustTree is the state of reading a report of the crate error-stack, which draws its errors as a tree
// (https://docs.rs/error-stack/latest/error_stack/fmt/index.html).
type rustTree struct {
	// ascii is true if the tree is drawn with ASCII characters.
	ascii bool
	// current is the error that attachments belong to. extending is true while its message may
	// continue.
	current   int
	extending bool
	// groups are the open errors with several sources.
	groups [maxBranches]rustGroup
	depth  int
	// backtraces are the errors that the backtraces below the tree belong to, by number.
	backtraces [maxExceptions + 1]int
}

// rustGroup is an error with several sources, whose branches begin in a column.
type rustGroup struct{ column, exception, members int }

// rustBranch is a line of the tree.
type rustBranch struct {
	kind   rustBranchKind
	column int
	text   string
}

type rustBranchKind uint8

const (
	branchText       rustBranchKind = iota // the rest of a message, or of an attachment
	branchAttachment                       // something attached to the current error
	branchSource                           // the source of the current error
	branchFirst                            // the first of several sources
	branchNext                             // a further source
)

// hasASCIITree reports whether the text has a tree that is drawn with ASCII characters.
func hasASCIITree(text string) bool { return strings.Contains(text, "\n|-at ") }

// cutRustBranch cuts "│   ├╴at src/main.rs:14:92" or, with ASCII characters, "|   |-at src/main.rs:14:92".
func cutRustBranch(line, next string, ascii bool) (branch rustBranch, ok bool) {
	rest := strings.TrimLeft(line, " │")
	if ascii {
		rest = strings.TrimLeft(line, " ")
		for strings.HasPrefix(rest, "| ") {
			rest = strings.TrimLeft(rest[1:], " ")
		}
	}
	branch.column = utf8.RuneCountInString(line[:len(line)-len(rest)])
	drawn := len(rest) < len(line)
	for _, mark := range [...]struct {
		text  string
		kind  rustBranchKind
		ascii bool
	}{
		{"├╴", branchAttachment, false}, {"╰╴", branchAttachment, false}, {"├─▶ ", branchSource, false}, {"╰─▶ ", branchSource, false},
		{"├┬▶ ", branchFirst, false}, {"╰┬▶ ", branchFirst, false}, {"├▶ ", branchNext, false}, {"╰▶ ", branchNext, false},
		{"|-> ", branchSource, true}, {"|-", branchAttachment, true}, {"|> ", branchNext, true},
	} {
		if text, isMark := strings.CutPrefix(rest, mark.text); isMark && mark.ascii == ascii {
			branch.kind, branch.text = mark.kind, text
			if ascii && mark.kind == branchSource && hasMarkAt(next, branch.column+1) {
				branch.kind = branchFirst
			}
			return branch, true
		}
	}
	if ascii && rest == "|" {
		rest = ""
	}
	branch.text = rest
	return branch, drawn || rest == ""
}

// hasMarkAt reports whether the first character of an ASCII tree's line is in the column.
func hasMarkAt(line string, column int) bool {
	return len(line) > column && line[column] == '|' && strings.Trim(line[:column], " |") == "" && line[column-1] == ' '
}

// branch reads a line of the tree.
func (r *rustReader) branch(line string) bool {
	if r.section > rustReport || r.current == none {
		return false
	}
	branch, ok := cutRustBranch(line, r.lines.peek(), r.tree.ascii)
	if !ok || r.section != rustReport && branch.kind == branchText {
		return false
	}
	if r.section != rustReport {
		r.enterSection(rustReport)
		r.tree.current = r.current
	}
	switch branch.kind {
	case branchAttachment:
		r.tree.extending = false
		r.attachment(branch.text)
	case branchText:
		r.extendBranch(branch.text)
	case branchNext:
		r.nextSource(branch)
	default:
		r.source(branch)
	}
	return true
}

// attachment reads an attachment of the current error: the location where it was created, the number
// of its backtrace, or data of the application.
func (r *rustReader) attachment(text string) {
	location, isPlace := strings.CutPrefix(text, "at ")
	path, line, column := cutPosition(location)
	n, isBacktrace := cutReference(text, "backtrace (")
	switch {
	case r.tree.current == none:
		r.incomplete = true
	case isPlace && line > 0 && path != "":
		if r.framesOf(r.tree.current) == 0 {
			f := r.frame(r.tree.current)
			f.Line, f.Column = line, column
			f.setRustPath(path)
		}
	case isBacktrace && n < len(r.tree.backtraces):
		r.tree.backtraces[n] = r.tree.current + 1
	default:
		r.incomplete = true
	}
}

// cutReference cuts the number of "backtrace (1)".
func cutReference(text, name string) (n int, ok bool) {
	rest, ok := strings.CutPrefix(text, name)
	n, rest, isNumber := number(rest)
	return n, ok && isNumber && rest == ")"
}

// extendBranch adds a line to the message of the current error. A line without text ends it.
func (r *rustReader) extendBranch(text string) {
	switch e := r.exception(r.tree.current); {
	case text == "":
		r.tree.extending = false
	case r.tree.extending && len(e.Message) < maxAssembled:
		e.Message += "\n" + text
	default:
		r.incomplete = true
	}
}

// source begins the source of the current error, or the first one of several.
func (r *rustReader) source(branch rustBranch) {
	t := &r.tree
	if t.current == none {
		r.incomplete = true
		return
	}
	if branch.kind == branchSource {
		t.current = r.begin(t.current, "source")
	} else {
		t.depth = min(t.depth+1, maxBranches-1)
		t.groups[t.depth] = rustGroup{column: branch.column + 1, exception: t.current}
		r.member(&t.groups[t.depth])
	}
	r.exception(t.current).Message, t.extending = branch.text, true
}

// nextSource begins a further source of an error with several.
func (r *rustReader) nextSource(branch rustBranch) {
	t := &r.tree
	for t.depth > 0 && t.groups[t.depth].column > branch.column {
		t.depth--
	}
	if t.depth == 0 || t.groups[t.depth].column != branch.column {
		t.current, t.extending = none, false
		r.incomplete = true
		return
	}
	r.member(&t.groups[t.depth])
	r.exception(t.current).Message, t.extending = branch.text, true
}

func (r *rustReader) member(group *rustGroup) {
	if group.exception != none {
		r.exception(group.exception).Group = true
	}
	r.tree.current = r.begin(group.exception, "sources["+strconv.Itoa(group.members)+"]")
	group.members++
}

// numberedBacktrace reads the title "backtrace no. 1", below the tree. Its frames replace the location
// where the error was created.
func (r *rustReader) numberedBacktrace(line string) bool {
	digits, ok := strings.CutPrefix(line, "backtrace no. ")
	if !ok || r.section < rustReport || !isNumber(digits) {
		return false
	}
	n, _, _ := number(digits)
	r.enterSection(rustFrames)
	r.numbered, r.owner = false, none
	if n < len(r.tree.backtraces) && r.tree.backtraces[n] > 0 {
		r.owner = r.tree.backtraces[n] - 1
		r.exceptionFrames[r.owner] = extent{}
	}
	return true
}
