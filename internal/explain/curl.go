// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxArgument is less than the size in bytes up to which systems take an argument of a command: Linux has
// 128 KiB.
const maxArgument = 64 << 10

// curl returns a request as a command for a shell. Environment variables take the place of secrets.
func (b *resultBuilder) curl(made *recording, req *Request) string {
	var c strings.Builder
	c.WriteString("curl -X " + made.method)
	if strings.ContainsAny(made.url, "[]{}") {
		c.WriteString(" --globoff")
	}
	c.WriteString(" " + b.shell(made.url))
	for _, name := range slices.Sorted(maps.Keys(made.header)) {
		for _, value := range made.header[name] {
			c.WriteString(" \\\n  " + b.curlHeader(name, value))
		}
	}
	if req.Auth != "" {
		c.WriteString(" \\\n  -H 'Authorization: '\"$" + derivedName([]string{req.Auth, "authorization"}) + `"`)
	}
	return b.withBody(c.String(), made.body)
}

// withBody adds the body to a command: as an argument, or on standard input if it is too long for one or
// has a byte that none may have.
func (b *resultBuilder) withBody(command string, body []byte) string {
	const fromStdin = " \\\n  --data-binary @-"
	text := string(body)
	switch {
	case text == "":
		return command
	case !utf8.ValidString(text) || strings.Contains(text, "\x00"):
		return "printf %s " + base64.StdEncoding.EncodeToString([]byte(b.redactor.redact(text))) + " | base64 -d | " + command + fromStdin
	case len(text) > maxArgument:
		return "printf %s " + b.shell(text) + " | " + command + fromStdin
	default: // --data-binary would take a body that begins with @ for the name of a file
		return command + " \\\n  --data-raw " + b.shell(text)
	}
}

// curlHeader returns the option for a header.
func (b *resultBuilder) curlHeader(name, value string) string {
	if name == "Authorization" {
		if encoded, isBasic := strings.CutPrefix(value, "Basic "); isBasic {
			if credentials, err := base64.StdEncoding.DecodeString(encoded); err == nil {
				return "-u " + b.shell(string(credentials))
			}
		}
		if !b.hasSecret(value) { // credentials that are not in the configuration as such
			scheme, _, _ := strings.Cut(value, " ")
			return `-H 'Authorization: ` + strings.ReplaceAll(scheme, "'", "") + ` '"$AUTHORIZATION"`
		}
	}
	if value == "" { // with a colon, curl would leave it out
		return "-H " + b.shell(name+";")
	}
	return "-H " + b.shell(name+": "+value)
}

func (b *resultBuilder) hasSecret(text string) bool {
	return slices.ContainsFunc(b.redactor.split(text, true), func(p piece) bool { return p.secret != nil })
}

// shell quotes a text for a shell, with variables in the place of secrets.
func (b *resultBuilder) shell(text string) string {
	var quoted strings.Builder
	for _, p := range b.redactor.split(text, true) {
		if p.secret != nil {
			quoted.WriteString(`"$` + p.secret.variable + `"`)
			continue
		}
		quoteForShell(&quoted, p.text)
	}
	if quoted.Len() == 0 {
		return "''"
	}
	return quoted.String()
}

// quoteForShell quotes a text for any POSIX shell. Characters that a terminal acts on are written as
// octal numbers of their bytes.
func quoteForShell(dst *strings.Builder, text string) {
	isControl := func(r rune) bool { return r != '\n' && r != '\t' && !unicode.IsPrint(r) }
	for text != "" {
		n := strings.IndexFunc(text, isControl)
		if n < 0 {
			n = len(text)
		}
		if n > 0 {
			dst.WriteString("'" + strings.ReplaceAll(text[:n], "'", `'\''`) + "'")
			text = text[n:]
			continue
		}
		n = strings.IndexFunc(text, func(r rune) bool { return !isControl(r) })
		if n < 0 {
			n = len(text)
		}
		dst.WriteString(`"$(printf '`)
		for _, c := range []byte(text[:n]) {
			fmt.Fprintf(dst, `\%03o`, c)
		}
		dst.WriteString(`')"`)
		text = text[n:]
	}
}
