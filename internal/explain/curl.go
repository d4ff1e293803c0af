// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// curl returns a request as a command for a shell. Environment variables take the place of secrets.
func (b *resultBuilder) curl(made *recording, req *Request) string {
	var c strings.Builder
	fmt.Fprintf(&c, "curl -X %s %s", made.method, b.shell(made.url))
	for _, name := range slices.Sorted(maps.Keys(made.header)) {
		for _, value := range made.header[name] {
			c.WriteString(" \\\n  " + b.curlHeader(name, value))
		}
	}
	if req.Auth != "" {
		c.WriteString(" \\\n  -H 'Authorization: '\"$" + derivedName([]string{req.Auth, "authorization"}) + `"`)
	}
	switch {
	case req.BodyBase64 != "":
		return "base64 -d <<< " + req.BodyBase64 + " | " + c.String() + " \\\n  --data-binary @-"
	case len(made.body) > 0:
		c.WriteString(" \\\n  --data-binary " + b.shell(string(made.body)))
	}
	return c.String()
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
		quoted.WriteString("'" + strings.ReplaceAll(p.text, "'", `'\''`) + "'")
	}
	if quoted.Len() == 0 {
		return "''"
	}
	return quoted.String()
}
