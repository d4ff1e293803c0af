// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"strings"
	"unicode"
)

// treatment is what an attribute's name says of how it is sent.
type treatment uint8

const (
	// treatPlain sends it as it is.
	treatPlain treatment = iota
	// treatPersonal does not send it: it tells who a user is.
	treatPersonal
	// treatSecret sends [Filtered] in its place.
	treatSecret
	// treatURL sends it with [Filtered] in place of the query parameters that are secrets.
	treatURL
)

// privacy decides what is sent of each attribute, by its name.
type privacy struct{ personal, secrets bool } // whether these are kept back

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

// personalNames are attributes that tell who a user is, or the user's address (registries of the
// semantic conventions).
const personalNames = " client.address client.port client.socket.address net.peer.ip net.sock.peer.addr network.peer.address" +
	" source.address http.client_ip http.request.header.cookie http.response.header.set-cookie http.request.header.authorization" +
	" http.request.header.proxy-authorization http.request.header.forwarded http.request.header.x-forwarded-for http.request.header.x-real-ip" +
	" http.request.header.cf-connecting-ip http.request.header.true-client-ip http.request.header.x-client-ip "

// isPersonal looks at each end of a dotted name, so that it knows request.user.email as it knows
// user.email. A user of a database is none of the application's.
func isPersonal(name string) bool {
	name = strings.ReplaceAll(strings.ToLower(name), "_", "-")
	if strings.HasPrefix(name, "db.") {
		return false
	}
	for rest := name; ; {
		first, after, more := strings.Cut(rest, ".")
		if first == "user" || first == "enduser" || strings.Contains(strings.ReplaceAll(personalNames, "_", "-"), " "+rest+" ") {
			return true
		}
		if !more {
			return false
		}
		rest = after
	}
}

func isURL(name string) bool {
	switch name {
	case "url.full", "url.query", "url.original", "http.url", "http.target", "url.path":
		return true
	}
	return false
}

// secretWords are words at whose end a name is that of a secret.
const secretWords = " password passwd passphrase pwd secret token authorization cookie apikey credential privatekey accesskey "

// isSecret looks at the words of a name, which are parted by anything that is no letter or digit,
// and by capitals: a name such as access_token, dbPassword, x-api-key or userpassword is a
// secret's, one such as output_tokens or tokenizer is not.
func isSecret(name string) bool {
	word, previous := "", ""
	var last rune
	flush := func() bool {
		secret := endsInSecret(word) || endsInSecret(previous+word) && (previous == "api" || previous == "private" || previous == "access")
		previous, word = word, ""
		return secret
	}
	for _, r := range name {
		isWord := unicode.IsLetter(r) || unicode.IsDigit(r)
		if (!isWord || unicode.IsUpper(r) && unicode.IsLower(last)) && word != "" && flush() {
			return true
		}
		if isWord {
			word += string(unicode.ToLower(r))
		}
		last = r
	}
	return word != "" && flush()
}

// endsInSecret also knows the plural, except of token: tokens are mostly counted.
func endsInSecret(word string) bool {
	if word != "tokens" {
		word = strings.TrimSuffix(word, "s")
	}
	for secret := range strings.FieldsSeq(secretWords) {
		if strings.HasSuffix(word, secret) {
			return true
		}
	}
	return false
}

// withoutSecrets is a URL, or a query, with [Filtered] in place of the values of parameters that
// are secrets, and of a password before the host.
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
