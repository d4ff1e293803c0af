// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
)

// WriteText prints the result for a person.
func (r *Result) WriteText(w io.Writer) error {
	p := &printer{}
	p.events(r)
	for i := range r.Pipelines {
		p.pipeline(&r.Pipelines[i])
	}
	p.routes(r)
	for i := range r.Backends {
		p.backend(&r.Backends[i])
	}
	_, err := io.WriteString(w, Visible(p.String()))
	return err
}

// WriteJSON prints the result for a program.
func (r *Result) WriteJSON(w io.Writer) error {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(r); err != nil {
		return err
	}
	_, err := io.WriteString(w, Visible(text.String()))
	return err
}

// WriteCurl prints the requests as commands. What has no request is a comment.
func (r *Result) WriteCurl(w io.Writer) error {
	p := &printer{}
	for i := range r.Backends {
		b := &r.Backends[i]
		p.line("# %s", Visible(inOneLine(b.ID+b.summary()))) // the next line would be a command
		for j := range b.Requests {
			if curl := b.Requests[j].Curl; curl != "" {
				p.line("%s", curl)
			}
		}
		p.line("")
	}
	_, err := io.WriteString(w, p.String())
	return err
}

// printer collects lines.
type printer struct{ strings.Builder }

func (p *printer) line(format string, values ...any) {
	p.WriteString(fmt.Sprintf(format, values...) + "\n")
}

func (p *printer) events(r *Result) {
	for _, e := range r.Events {
		p.line("%s -> %s", e, r.Receiver)
	}
	for _, text := range r.Rejected {
		p.line("%s did not accept %s", r.Receiver, text)
	}
	p.line("")
}

// String describes an event in a line.
func (e Event) String() string {
	kind := map[string]string{"logs": "event", "traces": "span", "metrics": "metric"}[e.Signal]
	switch {
	case e.Name == "" && e.Signal == "logs":
		kind = "log record"
	case e.Name != "":
		kind += " " + printable(e.Name)
	}
	if e.ID != "" {
		kind += " (" + printable(e.ID) + ")"
	}
	return kind
}

// Visible returns a text with escapes, as JSON has them, for characters that a terminal acts on and JSON
// need not escape.
func Visible(text string) string {
	var out strings.Builder
	for _, r := range text {
		if r != '\n' && r != '\t' && !unicode.IsPrint(r) {
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&out, `\u%04x`, unit)
			}
			continue
		}
		out.WriteRune(r)
	}
	return out.String()
}

// inOneLine returns a text with spaces in the place of line breaks.
func inOneLine(text string) string { return strings.Join(strings.FieldsFunc(text, isLineBreak), " ") }

func isLineBreak(r rune) bool { return r == '\n' || r == '\r' }

// printable returns a text without characters that a terminal acts on.
func printable(text string) string {
	quoted := fmt.Sprintf("%q", text)
	return quoted[1 : len(quoted)-1]
}

func (p *printer) pipeline(pl *Pipeline) {
	p.line("pipeline %s: %s in, %d out -> %s", pl.ID, count(len(pl.Events), "event"), pl.Passed, strings.Join(pl.Exporters, ", "))
	for _, processor := range pl.Processors {
		for _, e := range processor.Dropped {
			p.line("  %s dropped %s", processor.ID, e)
		}
		if processor.Waits {
			p.line("  %s holds events back for more than %s", processor.ID, maxWait)
		}
		if processor.Error != "" {
			p.line("  %s: %s", processor.ID, processor.Error)
		}
	}
}

func (p *printer) routes(r *Result) {
	for _, route := range r.Routes {
		p.line("%s: route %s -> %s: %s", route.Connector, printable(route.Route), route.Pipeline, count(int(route.Events), "event"))
	}
	for _, u := range r.Unrouted {
		p.line("%s: %s of %s went nowhere (%s)", u.Connector, count(int(u.Events), "event"), u.Signal, u.Reason)
	}
}

// summary says in a few words what a backend gets.
func (b *Backend) summary() string {
	switch {
	case b.Why != "":
		return " gets nothing: " + b.Why
	case b.Error != "":
		return " gets nothing: " + b.Error
	case len(b.Requests) == 0:
		return " gets nothing"
	case b.Requests[0].Method == "":
		return " would get " + count(len(b.Events), "event") + ", as OTLP"
	default:
		return " gets " + count(len(b.Requests), "request")
	}
}

func (p *printer) backend(b *Backend) {
	p.line("")
	p.line("== %s%s", b.ID, b.summary())
	for _, s := range b.Skipped {
		p.line("skipped %s: %s", count(int(s.Events), "event"), s.Reason)
	}
	for _, refused := range b.Refused {
		p.line("refused %s: %s: %s", refused.Event, refused.Reason, refused.Message)
	}
	for i := range b.Requests {
		p.request(&b.Requests[i])
	}
}

func (p *printer) request(r *Request) {
	p.line("")
	if r.Method != "" {
		p.line("%s %s", r.Method, r.URL)
		for _, name := range slices.Sorted(maps.Keys(r.Headers)) {
			for _, value := range r.Headers[name] {
				p.line("%s: %s", name, printable(value))
			}
		}
		if r.Auth != "" {
			p.line("(the extension %s adds its credentials)", r.Auth)
		}
		p.line("")
	}
	switch {
	case r.BodyBase64 != "":
		p.line("(%d characters of base64: the body is not text)", len(r.BodyBase64))
	case r.Body != "":
		p.line("%s", Pretty(r.Body))
	}
}

// Pretty indents a body that is JSON, or each of its lines that is. Numbers and strings keep their
// spelling.
func Pretty(body string) string {
	var out bytes.Buffer
	if json.Indent(&out, []byte(body), "", "  ") == nil {
		return out.String()
	}
	var lines []string
	for line := range strings.Lines(body) {
		line = strings.TrimSuffix(line, "\n")
		out.Reset()
		if json.Indent(&out, []byte(line), "", "  ") == nil {
			line = out.String()
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
