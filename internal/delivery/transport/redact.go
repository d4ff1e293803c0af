// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

const (
	// redacted takes the place of a secret.
	redacted = "[REDACTED]"
	// minSecret is the length in bytes from which on a text is taken for a secret: shorter ones are
	// words that a message needs.
	minSecret = 10
)

// Redact returns a message without what only the backend may know, which a response sometimes
// repeats ("unknown key abc", "Cannot POST /hooks/abc"): the headers of the request, and what its
// URL holds after the host.
func (r *Response) Redact(message string) string {
	if message == "" || r.request == nil {
		return message
	}
	secrets := append(secretsOfURL(r.request.URL), secretsOfHeader(r.request.Header)...)
	// The longest first, so that none is cut by a shorter one within it.
	slices.SortFunc(secrets, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	for _, secret := range secrets {
		message = withoutSecret(message, secret)
	}
	return message
}

// RedactHost returns a message without the backend's address, for callers, who may be strangers to
// the operator's network. A name without a dot stays: it is a word that a message needs.
func (r *Response) RedactHost(message string) string {
	if r.request == nil {
		return message
	}
	return withoutHost(message, r.request.URL)
}

func withoutHost(message string, u *url.URL) string {
	if u.Port() != "" {
		message = strings.ReplaceAll(message, u.Host, redacted)
	}
	host := u.Hostname()
	if _, err := netip.ParseAddr(host); err == nil || strings.Contains(host, ".") {
		message = strings.ReplaceAll(message, host, redacted)
	}
	return message
}

// withoutSecret replaces the secret in each form in which a response may repeat it.
func withoutSecret(message, secret string) string {
	if len(secret) < minSecret {
		return message
	}
	quoted, _ := json.Marshal(secret) // it cannot fail
	inJSON := string(quoted[1 : len(quoted)-1])
	for _, form := range []string{secret, inJSON, strings.ReplaceAll(inJSON, "/", `\/`), url.QueryEscape(secret), url.PathEscape(secret)} {
		message = strings.ReplaceAll(message, form, redacted)
	}
	return message
}

// secretsOfURL are the path and the query, and what they are made of.
func secretsOfURL(u *url.URL) []string {
	secrets := []string{u.EscapedPath(), u.Path, u.RawQuery, u.User.String()}
	secrets = append(secrets, strings.Split(u.Path, "/")...)
	for segment := range strings.SplitSeq(u.EscapedPath(), "/") {
		unescaped, _ := url.PathUnescape(segment)
		secrets = append(secrets, segment, unescaped)
	}
	for _, values := range u.Query() {
		secrets = append(secrets, values...)
	}
	return secrets
}

// secretsOfHeader are the values, and the parts of those that have some.
func secretsOfHeader(header http.Header) []string {
	var secrets []string
	for name, values := range header {
		switch name {
		case "Content-Type", "Content-Encoding", "User-Agent", "Accept-Encoding":
			continue
		}
		for _, value := range values {
			secrets = append(secrets, value)
			secrets = append(secrets, strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(` ,;="`, r) })...)
			secrets = append(secrets, strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(` ,;"`, r) })...)
			secrets = append(secrets, basicAuth(value)...)
		}
	}
	return secrets
}

// basicAuth is the name and the password of an Authorization header, if it has one.
func basicAuth(value string) []string {
	encoded, ok := strings.CutPrefix(value, "Basic ")
	if !ok {
		return nil
	}
	decoded, _ := base64.StdEncoding.DecodeString(encoded)
	name, password, _ := strings.Cut(string(decoded), ":")
	return []string{string(decoded), name, password}
}
