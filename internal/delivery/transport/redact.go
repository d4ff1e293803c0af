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
	// redacted replaces a secret.
	redacted = "[REDACTED]"
	// minSecret is the least length in bytes of a string that counts as a secret: shorter ones may be
	// words that a message needs.
	minSecret = 10
)

// Redact removes from a message what only the backend may know: the headers of the request, and its
// URL after the host. Responses sometimes repeat these ("unknown key abc", "Cannot POST /hooks/abc").
func (r *Response) Redact(message string) string {
	if message == "" || r.request == nil {
		return message
	}
	secrets := append(secretsOfURL(r.request.URL), secretsOfHeader(r.request.Header)...)
	// Longest first, so that a shorter secret does not break up a longer one.
	slices.SortFunc(secrets, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	for _, secret := range secrets {
		message = withoutSecret(message, secret)
	}
	return message
}

// RedactHost removes the backend's address from a message for callers, who may be outside the
// operator's network. A name without a dot stays, since it may be a word that the message needs.
func (r *Response) RedactHost(message string) string {
	if r.request == nil {
		return message
	}
	return withoutHost(message, r.request.URL)
}

// PublicURL returns the scheme and the host of a URL: what follows only the backend may know, as in
// https://hooks.slack.com/services/T0/B0/secret. It is empty if the URL is invalid.
func PublicURL(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return ""
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host}).String()
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

// withoutSecret replaces the secret in every form in which a response may repeat it.
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

// secretsOfURL returns the path and the query, whole and in parts.
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

// secretsOfHeader returns the values of the headers, whole and in parts.
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

// basicAuth returns the name and the password of an Authorization header with the Basic scheme.
func basicAuth(value string) []string {
	encoded, ok := strings.CutPrefix(value, "Basic ")
	if !ok {
		return nil
	}
	decoded, _ := base64.StdEncoding.DecodeString(encoded)
	name, password, _ := strings.Cut(string(decoded), ":")
	return []string{string(decoded), name, password}
}
