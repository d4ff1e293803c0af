// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const (
	// redacted takes the place of a secret.
	redacted = "[REDACTED]"
	// leastSecret is the length of what is taken for a secret: shorter texts are words that a message needs.
	leastSecret = 10
)

// withoutSecrets is a message without what only the backend may know, which an answer sometimes repeats ("unknown key
// abc", "Cannot POST /hooks/abc"): the headers of the request, and what its URL holds after the host. request may be nil.
func withoutSecrets(message string, request *http.Request) string {
	if message == "" || request == nil {
		return message
	}
	secrets := append(secretsOfURL(request.URL), secretsOfHeader(request.Header)...)
	// The longest first, so that none is cut by a shorter one within it.
	slices.SortFunc(secrets, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	for _, secret := range secrets {
		message = withoutSecret(message, secret)
	}
	return message
}

// withoutSecret finds the secret in the forms in which an answer may repeat it.
func withoutSecret(message, secret string) string {
	if len(secret) < leastSecret {
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
