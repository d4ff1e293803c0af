// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"bytes"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

// head is what is counted of a letter.
type head struct {
	exporter string
	reason   deadletter.Reason
	failedAt time.Time
}

// glancer reads heads of letters, several times as fast as they are parsed. It goes its own way only where a line is
// as we write it, and leaves all else to deadletter.ParseLine, so that the two agree on what is a letter.
type glancer struct {
	in      bytes.Reader
	decoder *jsontext.Decoder
	head    head
	text    []byte
	words   [4]string
	next    int
	ignored time.Time
}

func newGlancer() *glancer {
	return &glancer{decoder: new(jsontext.Decoder)}
}

func (g *glancer) read(text []byte) (head, error) {
	if h, ok := g.glance(text); ok {
		return h, nil
	}
	letter, err := deadletter.ParseLine(text)
	return head{letter.Exporter, letter.Reason, letter.FailedAt}, err
}

func (g *glancer) glance(text []byte) (head, bool) {
	g.head = head{}
	g.in.Reset(text)
	g.decoder.Reset(&g.in, jsontext.AllowDuplicateNames(true))
	if open, err := g.decoder.ReadToken(); err != nil || open.Kind() != '{' {
		return head{}, false
	}
	content := false
	for g.decoder.PeekKind() == '"' {
		name, err := g.decoder.ReadValue()
		if err != nil {
			return head{}, false
		}
		switch name := string(name[1 : len(name)-1]); name {
		case "payload", "otlp":
			content = g.isContent()
			if !content {
				return head{}, false
			}
		default:
			if !g.member(name) {
				return head{}, false
			}
		}
	}
	end, err := g.decoder.ReadToken()
	whole := err == nil && end.Kind() == '}' && g.decoder.InputOffset() == int64(len(text))
	return g.head, whole && content && g.head.exporter != ""
}

// isContent reads over what is to be delivered. SkipValue would take twice as long.
func (g *glancer) isContent() bool {
	kind := g.decoder.PeekKind()
	_, err := g.decoder.ReadValue()
	return err == nil && (kind == '{' || kind == '[')
}

// member reads one of the other members.
func (g *glancer) member(name string) bool {
	value, err := g.decoder.ReadValue()
	if err != nil {
		return false
	}
	if name == "status" || name == "attempts" {
		_, err := strconv.Atoi(string(value))
		return err == nil
	}
	if value.Kind() != '"' {
		return false
	}
	switch name {
	case "exporter":
		return g.string(value, &g.head.exporter)
	case "reason":
		return g.string(value, (*string)(&g.head.reason))
	case "failed_at":
		return g.time(value, &g.head.failedAt)
	case "time":
		return g.time(value, &g.ignored)
	case "signal", "id", "name", "message", "category", "destination":
		return true
	}
	return false
}

func (g *glancer) string(value jsontext.Value, to *string) (ok bool) {
	var err error
	if g.text, err = jsontext.AppendUnquote(g.text[:0], value); err != nil {
		return false
	}
	// The words are the same few again and again.
	for _, word := range g.words {
		if word == string(g.text) {
			*to = word
			return true
		}
	}
	*to = string(g.text)
	g.words[g.next], g.next = *to, (g.next+1)%len(g.words)
	return true
}

func (g *glancer) time(value jsontext.Value, to *time.Time) bool {
	var err error
	g.text, err = jsontext.AppendUnquote(g.text[:0], value)
	return err == nil && to.UnmarshalText(g.text) == nil
}
