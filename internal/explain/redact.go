// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// piece is a piece of a text: public, or a secret.
type piece struct {
	text   string
	secret *secret // nil for public text
}

// redactor finds secrets in texts.
type redactor struct {
	secrets []secret
	forms   [][]string // of each secret
}

func newRedactor(secrets []secret) *redactor {
	r := &redactor{secrets: secrets}
	for i := range secrets {
		r.forms = append(r.forms, secrets[i].forms())
	}
	return r
}

// split splits a text into pieces. With addresses, a URL that has secrets in it is one piece.
func (r *redactor) split(text string, addresses bool) []piece {
	pieces := []piece{{text: text}}
	for i := range r.secrets {
		s := &r.secrets[i]
		if s.address && !addresses {
			continue
		}
		for _, form := range r.forms[i] {
			pieces = cutAll(pieces, form, s)
		}
	}
	return pieces
}

// forms returns the ways in which a secret may be written, longest first.
func (s *secret) forms() []string {
	inJSON := escape(s.value, false)
	all := []string{
		s.value, inJSON, escape(s.value, true), strings.ReplaceAll(inJSON, "/", `\/`), escape(inJSON, false), escape(escape(s.value, true), false),
		inner(strconv.Quote(s.value)), inner(strconv.QuoteToASCII(s.value)), url.QueryEscape(s.value), url.PathEscape(s.value),
	}
	if len(s.value) >= minSecret {
		all = append(all, inBase64(s.value, base64.StdEncoding)...)
		all = append(all, inBase64(s.value, base64.URLEncoding)...)
	}
	slices.SortFunc(all, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	return slices.Compact(all)
}

// escape returns a text as a string in JSON has it, with or without escapes for HTML.
func escape(text string, forHTML bool) string {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(forHTML)
	_ = encoder.Encode(text) // it cannot fail
	return inner(strings.TrimSuffix(out.String(), "\n"))
}

// inner returns a quoted text without its quotes.
func inner(quoted string) string { return quoted[1 : len(quoted)-1] }

// inBase64 returns a text in base64: by itself, and the characters that it alone decides where one, two
// or three bytes stand before it, as the name of a user does.
func inBase64(text string, encoding *base64.Encoding) []string {
	forms := append(make([]string, 0, 4), encoding.EncodeToString([]byte(text)))
	for before := range 3 {
		encoded := encoding.WithPadding(base64.NoPadding).EncodeToString([]byte(strings.Repeat("\x00", before) + text))
		whole := (before + len(text)) * 8 / 6
		forms = append(forms, encoded[(before*8+5)/6:whole])
	}
	return forms
}

// cutAll cuts a form of a secret out of all public pieces.
func cutAll(pieces []piece, form string, s *secret) []piece {
	var all []piece
	for _, p := range pieces {
		if p.secret != nil {
			all = append(all, p)
			continue
		}
		rest := p.text
		for {
			at := find(rest, form)
			if at < 0 {
				break
			}
			if at > 0 {
				all = append(all, piece{text: rest[:at]})
			}
			all = append(all, piece{text: form, secret: s})
			rest = rest[at+len(form):]
		}
		if rest != "" {
			all = append(all, piece{text: rest})
		}
	}
	return all
}

// find returns where a text contains a form of a secret, or -1. A short one, which may be an ordinary
// word, must be a word by itself: a value in JSON, a part of a URL or of a header.
func find(text, form string) int {
	for from := 0; ; {
		at := strings.Index(text[from:], form)
		if at < 0 {
			return -1
		}
		at += from
		if len(form) >= minSecret {
			return at
		}
		if endsWord(text[:at]) && beginsWord(text[at+len(form):]) {
			return at
		}
		from = at + 1
	}
}

// delimiters stand before and after a short secret. There is no colon among them, so that a number in
// JSON is not taken for a secret.
const delimiters = `/?&=# ;"'@`

func endsWord(before string) bool {
	return before == "" || strings.ContainsRune(delimiters, rune(before[len(before)-1]))
}

func beginsWord(after string) bool {
	return after == "" || strings.ContainsRune(delimiters+",", rune(after[0])) && !strings.HasPrefix(after, `":`)
}

// redact returns a text without its secrets.
func (r *redactor) redact(text string) string {
	var b strings.Builder
	for _, p := range r.split(text, false) {
		if p.secret != nil {
			b.WriteString(redacted)
			continue
		}
		b.WriteString(p.text)
	}
	return b.String()
}

// withoutSecrets returns an error with the text of another one without the secrets of the configuration.
func (r *run) withoutSecrets(err error) error {
	redactor := newRedactor(r.secrets)
	return errors.New(redactor.redact(err.Error()))
}
