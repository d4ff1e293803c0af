// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package webhookexporter

import (
	"fmt"
	"net/url"
	"strings"
)

// endpoint is the URL of the configuration, to which events may add a path and a query, but never another host.
type endpoint struct {
	url    string
	parsed url.URL
}

// newEndpoint is the endpoint with a query behind its own, which is the same for all requests and may be empty.
func newEndpoint(text string, query url.Values) (endpoint, error) {
	u, err := parseEndpoint(text)
	if err != nil {
		return endpoint{}, fmt.Errorf("endpoint: %w", err)
	}
	ep := endpoint{url: text, parsed: *u}
	if len(query) > 0 {
		ep.parsed.RawQuery = joinQueries(u.RawQuery, query.Encode())
		ep.url = ep.parsed.String()
	}
	return ep, nil
}

// with is the URL with more of a path, and more of a query. Both are escaped.
func (ep *endpoint) with(path, query string) string {
	if path == "" && query == "" {
		return ep.url
	}
	u := ep.parsed
	if path != "" {
		escaped := strings.TrimSuffix(u.EscapedPath(), "/") + path
		u.RawPath = escaped
		u.Path, _ = url.PathUnescape(escaped) // which was made by escaping
	}
	u.RawQuery = joinQueries(u.RawQuery, query)
	return u.String()
}

// joinQueries is two queries behind each other; each may be empty.
func joinQueries(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "&" + b
}

// target is what the request of one event has besides the body.
type target struct {
	// path begins with a slash, and query has no question mark; both are escaped, and may be empty.
	path, query string
	header      []headerField
}

type headerField struct{ name, value string }

// maxTarget is how long a target may be: many servers take 8 KiB of headers, and a URL in them.
const maxTarget = 8 << 10

// text is the target as the destination of an event: the path and query on one line, and each header on one.
func (t *target) text() (string, error) {
	var b strings.Builder
	b.WriteString(t.path)
	if t.query != "" {
		b.WriteString("?" + t.query)
	}
	for _, field := range t.header {
		b.WriteString("\n" + field.name + ": " + field.value)
	}
	if b.Len() > maxTarget {
		return "", fmt.Errorf("the path, query and headers of the event have %d bytes, and %d are taken; write less into request, or shorten the event's name, id and subject", b.Len(), maxTarget)
	}
	return b.String(), nil
}

// parseTarget reads what text has written. What a hand has changed in a dead letter stays a path, a query and headers.
func parseTarget(text string) target {
	first, rest, _ := strings.Cut(text, "\n")
	var t target
	t.path, t.query, _ = strings.Cut(first, "?")
	if t.path != "" && !strings.HasPrefix(t.path, "/") {
		t.path = "/" + t.path
	}
	for line := range strings.SplitSeq(rest, "\n") {
		if name, value, ok := strings.Cut(line, ": "); ok && headerName.MatchString(name) {
			t.header = append(t.header, headerField{name: name, value: headerValue(value)})
		}
	}
	return t
}

// headerValue is a text as the value of a header: a line feed or tab is a space, and what is not printable ASCII is percent-encoded,
// since servers do not agree on what other bytes mean. Spaces around it are none of it.
func headerValue(text string) string {
	plain := func(c byte) bool { return c >= ' ' && c <= '~' }
	var b strings.Builder
	for i := range len(text) {
		switch c := text[i]; {
		case plain(c):
			b.WriteByte(c)
		case c == '\t' || c == '\n' || c == '\r':
			b.WriteByte(' ')
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return strings.TrimSpace(b.String())
}
