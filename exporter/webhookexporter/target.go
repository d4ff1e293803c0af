// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package webhookexporter

import (
	"fmt"
	"net/url"
	"strings"
)

// endpoint is the URL of the configuration, to which events may add a path and a query, but never
// another host.
type endpoint struct {
	url    string
	parsed url.URL
}

// newEndpoint returns the endpoint with the query that all requests have in common, which may be
// empty.
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

// with returns the URL with a path and a query appended. Both are escaped, and may be empty.
func (ep *endpoint) with(path, query string) string {
	if path == "" && query == "" {
		return ep.url
	}
	u := ep.parsed
	if path != "" {
		escaped := strings.TrimSuffix(u.EscapedPath(), "/") + path
		u.RawPath = escaped
		u.Path, _ = url.PathUnescape(escaped) // cannot fail: it was escaped
	}
	u.RawQuery = joinQueries(u.RawQuery, query)
	return u.String()
}

// joinQueries concatenates two queries, which may be empty.
func joinQueries(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "&" + b
}

// target is the part of a request, other than the body, that depends on the event.
type target struct {
	// path begins with a slash, and query has no question mark; both are escaped, and may be empty.
	path, query string
	header      []headerField
}

type headerField struct{ name, value string }

// maxTarget limits the bytes of a target: many servers accept 8 KiB of URL and headers.
const maxTarget = 8 << 10

// text returns the target as the Meta.Destination of an event: one line with the path and the
// query, and one line for each header.
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
		return "", fmt.Errorf("the path, query and headers of the event have %d bytes, but the limit is %d; shorten the templates under request, or the event's name, ID or subject", b.Len(), maxTarget)
	}
	return b.String(), nil
}

// parseTarget parses a destination. Whatever an edited dead letter holds becomes a path, a query
// and headers, never another host.
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

// headerValue returns a text as the value of a header, without spaces around it. Line breaks and
// tabs become spaces. Other bytes that are not printable ASCII are percent-encoded, because servers
// disagree on their meaning.
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
