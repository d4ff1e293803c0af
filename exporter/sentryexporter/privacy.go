// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"iter"
	"strings"
	"unicode"
)

// treatment says how to send an attribute. It depends on the attribute's name.
type treatment uint8

const (
	// treatPlain sends the value unchanged.
	treatPlain treatment = iota
	// treatPersonal leaves the attribute out, since it is personal data.
	treatPersonal
	// treatSecret sends [Filtered] instead of the value.
	treatSecret
	// treatURL sends the value with [Filtered] in place of its secrets, such as query parameters.
	treatURL
)

// privacy decides how attributes are sent.
type privacy struct {
	personal bool // do not send personal data
	secrets  bool // mask secrets
}

func newPrivacy(cfg *Config) privacy {
	return privacy{personal: !cfg.SendDefaultPII, secrets: cfg.MaskSecrets}
}

func (p privacy) of(name string) treatment {
	switch {
	case p.personal && isPersonal(name):
		return treatPersonal
	case p.secrets && isSecret(name):
		return treatSecret
	case p.secrets && isURL(name):
		return treatURL
	}
	return treatPlain
}

// isPersonal reports whether an attribute identifies a user, or is the user's address. It checks every
// suffix of a dotted name, so request.user.email is as personal as user.email. Users of a database
// are not users of the application.
func isPersonal(name string) bool {
	name = strings.ReplaceAll(strings.ToLower(name), "_", "-")
	if strings.HasPrefix(name, "db.") {
		return false
	}
	for rest, more := name, true; more; {
		if isPersonalName(rest) {
			return true
		}
		_, rest, more = strings.Cut(rest, ".")
	}
	return false
}

// isPersonalName checks a whole name, in lower case and with dashes instead of underscores (registries
// of the semantic conventions).
func isPersonalName(name string) bool {
	switch first, _, _ := strings.Cut(name, "."); first {
	case "user", "enduser":
		return true
	}
	switch name {
	case "client.address", "client.port", "client.socket.address", "net.peer.ip", "net.sock.peer.addr", "network.peer.address",
		"source.address", "http.client-ip", "http.request.header.cookie", "http.response.header.set-cookie",
		"http.request.header.authorization", "http.request.header.proxy-authorization", "http.request.header.forwarded",
		"http.request.header.x-forwarded-for", "http.request.header.x-real-ip", "http.request.header.cf-connecting-ip",
		"http.request.header.true-client-ip", "http.request.header.x-client-ip":
		return true
	}
	return false
}

func isURL(name string) bool {
	switch name {
	case "url.full", "url.query", "url.original", "http.url", "http.target", "url.path":
		return true
	}
	return false
}

// isSecret reports whether a name is the name of a secret, such as access_token, dbPassword, x-api-key
// or userpassword, but not output_tokens or tokenizer.
func isSecret(name string) bool {
	previous := ""
	for word := range words(name) {
		if endsInSecret(word) {
			return true
		}
		if (previous == "api" || previous == "private" || previous == "access") && endsInSecret(previous+word) {
			return true
		}
		previous = word
	}
	return false
}

// words yields the words of a name, in lower case. A word ends at any character that is not a letter
// or digit, and before a capital after a small letter.
func words(name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		start := -1 // of the current word; -1 between words
		var last rune
		for at, r := range name {
			isWord := unicode.IsLetter(r) || unicode.IsDigit(r)
			if start >= 0 && (!isWord || unicode.IsUpper(r) && unicode.IsLower(last)) {
				if !yield(strings.ToLower(name[start:at])) {
					return
				}
				start = -1
			}
			if isWord && start < 0 {
				start = at
			}
			last = r
		}
		if start >= 0 {
			yield(strings.ToLower(name[start:]))
		}
	}
}

// endsInSecret reports whether a word ends in a word for a secret, or in its plural. tokens is not a
// secret: it is mostly a count.
func endsInSecret(word string) bool {
	if word != "tokens" {
		word = strings.TrimSuffix(word, "s")
	}
	for _, secret := range [...]string{
		"password", "passwd", "passphrase", "pwd", "secret", "token", "authorization", "cookie", "apikey", "credential", "privatekey", "accesskey",
	} {
		if strings.HasSuffix(word, secret) {
			return true
		}
	}
	return false
}

// withoutSecrets returns a URL or a query with [Filtered] in place of the values of secret parameters,
// and in place of the credentials before the host.
func withoutSecrets(url string) string {
	if at := strings.IndexByte(url, '@'); at > 0 {
		url = withoutPassword(url, at)
	}
	if !strings.Contains(url, "=") {
		return url
	}
	var b strings.Builder
	for rest := url; rest != ""; {
		end := strings.IndexAny(rest, "?&;#") + 1
		if end == 0 {
			end = len(rest)
		}
		part := rest[:end]
		rest = rest[end:]
		key, value, found := strings.Cut(part, "=")
		if !found || !isSecret(key) {
			b.WriteString(part)
			continue
		}
		b.WriteString(key + "=[Filtered]")
		if c := value[max(len(value)-1, 0):]; c != "" && strings.ContainsAny(c, "?&;#") {
			b.WriteString(c)
		}
	}
	return b.String()
}

func withoutPassword(url string, at int) string {
	start := strings.Index(url, "://")
	if start < 0 || start > at || strings.ContainsAny(url[start+3:at], "/?#") {
		return url
	}
	return url[:start+3] + "[Filtered]" + url[at:]
}
