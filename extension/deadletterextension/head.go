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

// head is the part of a dead letter that is counted, and by which it is found.
type head struct {
	exporter string
	reason   deadletter.Reason
	failedAt time.Time
	status   int
	// id and name are valid until the next head is read.
	id, name []byte
}

// headReader reads heads several times faster than parsing whole lines. Its fast path handles only
// lines as this package writes them; all others go to deadletter.ParseLine, so both accept the same
// lines.
type headReader struct {
	in      bytes.Reader
	decoder *jsontext.Decoder
	head    head
	text    []byte
	words   [4]string
	next    int
	ignored time.Time
	// id and name are the buffers of the head's.
	id, name []byte
}

func newHeadReader() *headReader {
	return &headReader{decoder: new(jsontext.Decoder)}
}

func (r *headReader) read(text []byte) (head, error) {
	if h, ok := r.readFast(text); ok {
		return h, nil
	}
	letter, err := deadletter.ParseLine(text)
	return head{letter.Exporter, letter.Reason, letter.FailedAt, letter.Status, []byte(letter.ID), []byte(letter.Name)}, err
}

func (r *headReader) readFast(text []byte) (head, bool) {
	r.head = head{}
	r.in.Reset(text)
	r.decoder.Reset(&r.in, jsontext.AllowDuplicateNames(true))
	if open, err := r.decoder.ReadToken(); err != nil || open.Kind() != '{' {
		return head{}, false
	}
	content := false
	for r.decoder.PeekKind() == '"' {
		name, err := r.decoder.ReadValue()
		if err != nil {
			return head{}, false
		}
		switch name := string(name[1 : len(name)-1]); name {
		case "payload", "otlp":
			content = r.isContent()
			if !content {
				return head{}, false
			}
		default:
			if !r.member(name) {
				return head{}, false
			}
		}
	}
	end, err := r.decoder.ReadToken()
	whole := err == nil && end.Kind() == '}' && r.decoder.InputOffset() == int64(len(text))
	return r.head, whole && content && r.head.exporter != ""
}

// isContent skips the payload or record. It reads it as a value: SkipValue takes twice as long.
func (r *headReader) isContent() bool {
	kind := r.decoder.PeekKind()
	_, err := r.decoder.ReadValue()
	return err == nil && (kind == '{' || kind == '[')
}

// member reads any other member.
func (r *headReader) member(name string) bool {
	value, err := r.decoder.ReadValue()
	if err != nil {
		return false
	}
	if name == "status" || name == "attempts" {
		number, err := strconv.Atoi(string(value))
		if name == "status" {
			r.head.status = number
		}
		return err == nil
	}
	if value.Kind() != '"' {
		return false
	}
	switch name {
	case "exporter":
		return r.string(value, &r.head.exporter)
	case "reason":
		return r.string(value, (*string)(&r.head.reason))
	case "failed_at":
		return r.time(value, &r.head.failedAt)
	case "time":
		return r.time(value, &r.ignored)
	case "id":
		r.id, err = jsontext.AppendUnquote(r.id[:0], value)
		r.head.id = r.id
		return err == nil
	case "name":
		r.name, err = jsontext.AppendUnquote(r.name[:0], value)
		r.head.name = r.name
		return err == nil
	case "signal", "message", "category", "destination":
		return true
	}
	return false
}

func (r *headReader) string(value jsontext.Value, to *string) (ok bool) {
	var err error
	if r.text, err = jsontext.AppendUnquote(r.text[:0], value); err != nil {
		return false
	}
	// The same few strings come again and again.
	for _, word := range r.words {
		if word == string(r.text) {
			*to = word
			return true
		}
	}
	*to = string(r.text)
	r.words[r.next], r.next = *to, (r.next+1)%len(r.words)
	return true
}

func (r *headReader) time(value jsontext.Value, to *time.Time) bool {
	var err error
	r.text, err = jsontext.AppendUnquote(r.text[:0], value)
	return err == nil && to.UnmarshalText(r.text) == nil
}
