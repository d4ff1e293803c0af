// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"cmp"
	"slices"
	"strings"

	"github.com/otelcol-fanout/otelcol-fanout/internal/detect"
)

const redacted = "[redacted]"

// redact replaces the secrets of a text: the values of JSON members with the names of secrets, and
// what looks like a token. The text need not be JSON, or complete. It takes linear time.
func redact(text string) string {
	secrets := detect.Tokens(secretMembers(nil, text), text)
	slices.SortFunc(secrets, func(a, b detect.Extent) int { return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(b.End, a.End)) })
	var out strings.Builder
	end := 0
	for _, secret := range secrets {
		if secret.Start < end { // it was found twice
			end = max(end, secret.End)
			continue
		}
		out.WriteString(text[end:secret.Start])
		if needsQuotes(text, secret) {
			out.WriteString(`"` + redacted + `"`)
		} else {
			out.WriteString(redacted)
		}
		end = secret.End
	}
	out.WriteString(text[end:])
	return out.String()
}

// needsQuotes reports whether a secret is a whole value of JSON other than a string.
func needsQuotes(text string, secret detect.Extent) bool {
	before := strings.TrimRight(text[max(secret.Start-8, 0):secret.Start], " \t\r\n")
	first := text[secret.Start]
	return strings.HasSuffix(before, ":") && (first == '{' || first == '[' || first == '-' || first >= '0' && first <= '9')
}

// secretMembers appends the values of members with the names of secrets.
func secretMembers(dst []detect.Extent, text string) []detect.Extent {
	for i := 0; i < len(text); i++ {
		if text[i] != '"' {
			continue
		}
		if secret, found := secretMember(text, i); found {
			dst = append(dst, secret)
			i = max(i, secret.End-1)
		}
	}
	return dst
}

// longestName is more than the length of any of the names that [detect.IsSecretName] knows.
const longestName = 32

// secretMember returns the value of the member whose name ends before the quotation mark, if it is
// a secret. Members in a string, whose quotation marks are escaped, count too.
func secretMember(text string, quote int) (value detect.Extent, found bool) {
	name, escaped := strings.CutSuffix(text[max(quote-longestName, 0):quote], `\`)
	if !detect.IsSecretName(name) {
		return value, false
	}
	rest := strings.TrimLeft(text[quote+1:], " \t\r\n")
	rest, isMember := strings.CutPrefix(rest, ":")
	if !isMember {
		return value, false
	}
	rest = strings.TrimLeft(rest, " \t\r\n")
	var size int
	switch {
	case escaped && strings.HasPrefix(rest, `\"`):
		rest = rest[2:]
		size = indexOr(rest, `\"`)
	case strings.HasPrefix(rest, `"`):
		rest = rest[1:]
		size = sizeOfString(rest)
	default:
		size = sizeOfValue(rest)
	}
	start := len(text) - len(rest)
	return detect.Extent{Start: start, End: start + size}, size > 0
}

// indexOr is strings.Index, or the length of the text.
func indexOr(text, end string) int {
	if i := strings.Index(text, end); i >= 0 {
		return i
	}
	return len(text)
}

// sizeOfString returns the number of bytes before the quotation mark that ends a string.
func sizeOfString(text string) int {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return len(text)
}

// sizeOfValue returns the size of a number, an object or an array, 0 for null, true and false.
func sizeOfValue(text string) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"' && depth > 0:
			i += 1 + sizeOfString(text[min(i+1, len(text)):])
		case c == '{' || c == '[':
			depth++
		case (c == '}' || c == ']') && depth > 1:
			depth--
		case (c == '}' || c == ']') && depth == 1:
			return i + 1
		case depth == 0 && !strings.ContainsRune("+-.0123456789eE", rune(c)):
			return i
		}
	}
	return len(text)
}
