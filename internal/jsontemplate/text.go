// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package jsontemplate

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"text/template"
	"time"
)

// The bounds of one rendering.
const (
	maxOutput = 256 << 10       // bytes
	maxTurns  = 10_000          // of range
	maxTime   = 5 * time.Second // of a machine that is busy; the turns are the bound otherwise
)

// Text is a template of text. Its methods are safe for concurrent use.
type Text struct {
	key string
	// literal is the text where there is no template.
	literal string
	parsed  *template.Template
}

// ParseText reads a template. key is where it stands in the configuration: errors begin with it, and name the line.
func ParseText(text, key string) (*Text, error) {
	if !strings.Contains(text, "{{") {
		return &Text{key: key, literal: text}, nil
	}
	t, err := template.New("").Funcs(functions()).Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %s", key, told(err))
	}
	if len(t.Templates()) > 1 || t.Tree == nil {
		return nil, fmt.Errorf("%s: define and block are not taken; write the text where it is needed", key)
	}
	if err := prepare(t.Tree, text); err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	return &Text{key: key, parsed: t}, nil
}

// Literal is the text where it is no template, and so the same for every document.
func (t *Text) Literal() (text string, ok bool) { return t.literal, t.parsed == nil }

// Render is the text that the template becomes for the document. Its errors hold no value of the document.
func (t *Text) Render(document map[string]any) (string, error) { return t.render(newRun(document)) }

func (t *Text) render(r *run) (string, error) {
	if t.parsed == nil {
		return t.literal, r.spend(len(t.literal))
	}
	out := output{run: r}
	if err := t.parsed.Execute(&out, r); err != nil {
		return "", fmt.Errorf("%s: %s", t.key, told(err))
	}
	return strings.ToValidUTF8(out.text.String(), "\uFFFD"), nil
}

// output is what a template writes, within the bounds of its run.
type output struct {
	run  *run
	text strings.Builder
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	if err := o.run.spend(len(p)); err != nil {
		return 0, err
	}
	return o.text.Write(p)
}

// run is one rendering of a document, and what it has used of its bounds. Templates have it as their dot.
type run struct {
	document map[string]any
	output   int
	turns    int
	started  time.Time
}

func newRun(document map[string]any) *run { return &run{document: document, started: time.Now()} }

// spend counts bytes that are written.
func (r *run) spend(n int) error {
	if r.output += n; r.output > maxOutput {
		return problem(fmt.Sprintf("writes more than %d bytes", maxOutput))
	}
	return nil
}

// turn counts a turn of range.
func (r *run) turn() (string, error) {
	if r.turns++; r.turns > maxTurns {
		return "", problem(fmt.Sprintf("takes more than %d turns of range", maxTurns))
	}
	if time.Since(r.started) > maxTime {
		return "", problem(fmt.Sprintf("takes longer than %s", maxTime))
	}
	return "", nil
}

// problem is an error of ours, which holds no value of a document.
type problem string

func (p problem) Error() string { return string(p) }

// position is what text/template begins its errors with, where the template has no name.
var position = regexp.MustCompile(`^(?:template: )?:(\d+)(?::\d+)?: `)

// told is an error of text/template, as the line and what is wrong there. Errors of executing quote values, so of those only the
// line is told, and what we have said ourselves.
func told(err error) string {
	match := position.FindStringSubmatch(err.Error())
	line := ""
	if match != nil {
		line = "line " + match[1] + ": "
	}
	if ours, ok := errors.AsType[problem](err); ok {
		return line + ours.Error()
	}
	if _, executing := errors.AsType[template.ExecError](err); executing {
		return line + "cannot be rendered: a value is of a type that is not taken there"
	}
	if match == nil {
		return err.Error()
	}
	return line + strings.TrimPrefix(err.Error(), match[0])
}
