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

// The limits of one rendering.
const (
	maxOutput     = 256 << 10       // bytes
	maxIterations = 10_000          // of range
	maxTime       = 5 * time.Second // reached only on a busy machine
)

// Text is a parsed text template. Its methods are safe for concurrent use.
type Text struct {
	key string
	// literal is the text if it has no template.
	literal string
	parsed  *template.Template
}

// ParseText parses a template. key is its key in the configuration: errors begin with it, and name
// the line.
func ParseText(text, key string) (*Text, error) {
	if !strings.Contains(text, "{{") {
		return &Text{key: key, literal: text}, nil
	}
	t, err := template.New("").Funcs(functions()).Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %s", key, publicError(err))
	}
	if len(t.Templates()) > 1 || t.Tree == nil {
		return nil, fmt.Errorf("%s: define and block are not supported; write the text where it is needed", key)
	}
	if err := prepare(t.Tree, text); err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	return &Text{key: key, parsed: t}, nil
}

// Literal returns the text, and true, if it has no template and is therefore constant.
func (t *Text) Literal() (text string, ok bool) { return t.literal, t.parsed == nil }

// Render renders the template for a document. Its errors contain no values of the document.
func (t *Text) Render(document map[string]any) (string, error) { return t.render(newRun(document)) }

func (t *Text) render(r *run) (string, error) {
	if t.parsed == nil {
		return t.literal, r.spend(len(t.literal))
	}
	out := output{run: r}
	if err := t.parsed.Execute(&out, r); err != nil {
		return "", fmt.Errorf("%s: %s", t.key, publicError(err))
	}
	return strings.ToValidUTF8(out.text.String(), "\uFFFD"), nil
}

// output collects what a template writes, within the limits of its run.
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

// run is one rendering of a document, with what it has used of its limits. It is the dot of
// templates.
type run struct {
	document   map[string]any
	output     int
	iterations int
	started    time.Time
}

func newRun(document map[string]any) *run { return &run{document: document, started: time.Now()} }

// spend counts bytes of output.
func (r *run) spend(n int) error {
	if r.output += n; r.output > maxOutput {
		return problem(fmt.Sprintf("writes more than %d bytes", maxOutput))
	}
	return nil
}

// countIteration counts an iteration of range.
func (r *run) countIteration() (string, error) {
	if r.iterations++; r.iterations > maxIterations {
		return "", problem(fmt.Sprintf("takes more than %d iterations of range", maxIterations))
	}
	if time.Since(r.started) > maxTime {
		return "", problem(fmt.Sprintf("takes longer than %s", maxTime))
	}
	return "", nil
}

// problem is an error that contains no values of the document.
type problem string

func (p problem) Error() string { return string(p) }

// position matches the beginning of the errors of text/template for a template without a name.
var position = regexp.MustCompile(`^(?:template: )?:(\d+)(?::\d+)?: `)

// publicError returns the line and the message of an error of text/template. Errors of execution
// quote values, so of these it returns only the line, and the message of a problem.
func publicError(err error) string {
	match := position.FindStringSubmatch(err.Error())
	line := ""
	if match != nil {
		line = "line " + match[1] + ": "
	}
	if p, ok := errors.AsType[problem](err); ok {
		return line + p.Error()
	}
	if _, executing := errors.AsType[template.ExecError](err); executing {
		return line + "cannot be rendered: an argument has the wrong type"
	}
	if match == nil {
		return err.Error()
	}
	return line + strings.TrimPrefix(err.Error(), match[0])
}
