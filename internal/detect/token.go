// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import "strings"

// minToken is the length of the shortest text with a token: a://:p@.
const minToken = 7

// tokenForm is a kind of access token: a prefix, then at least min of its characters.
type tokenForm struct {
	prefix string
	min    int
	// credentials is true if the prefix is a word of the header Authorization, which stays in the text.
	credentials bool
	// plain is true if the credentials may lack digits and capitals.
	plain bool
}

// tokenForms returns the forms of tokens that begin with the byte, as their issuers document them.
func tokenForms(first byte) []tokenForm {
	switch first {
	case 'B', 'b':
		return bearerForms[:]
	case 'e':
		return jwtForms[:]
	case 's', 'r':
		return stripeForms[:]
	case 'g':
		return gitForms[:]
	case 'x':
		return slackForms[:]
	case 'A':
		return cloudForms[:]
	case 'p', 'n', 'w', 'h', 'd', 'S':
		return otherForms[:]
	}
	return nil
}

var (
	bearerForms = [...]tokenForm{{"Bearer ", 6, true, true}, {"Bearer%20", 6, true, true}, {"bearer ", 6, true, false}, {"Basic ", 6, true, false}, {"basic ", 12, true, false}}
	jwtForms    = [...]tokenForm{{"eyJ", 20, false, false}}
	stripeForms = [...]tokenForm{
		{"sk_live_", 10, false, false}, {"sk_test_", 10, false, false}, {"rk_live_", 10, false, false}, {"rk_test_", 10, false, false},
		{"sk-", 20, false, false}, {"shpat_", 20, false, false}, {"sntrys_", 20, false, false}, {"sntryu_", 20, false, false},
	}
	gitForms = [...]tokenForm{
		{"ghp_", 20, false, false}, {"gho_", 20, false, false}, {"ghu_", 20, false, false}, {"ghs_", 20, false, false}, {"ghr_", 20, false, false},
		{"github_pat_", 20, false, false}, {"glpat-", 16, false, false}, {"gldt-", 16, false, false}, {"glrt-", 16, false, false}, {"glptt-", 16, false, false}, {"gloas-", 16, false, false},
	}
	slackForms = [...]tokenForm{{"xoxb-", 10, false, false}, {"xoxp-", 10, false, false}, {"xoxa-", 10, false, false}, {"xoxr-", 10, false, false}, {"xoxs-", 10, false, false}, {"xoxc-", 10, false, false}, {"xoxd-", 10, false, false}, {"xoxe-", 10, false, false}, {"xoxe.", 10, false, false}, {"xapp-", 10, false, false}}
	cloudForms = [...]tokenForm{{"AKIA", 16, false, false}, {"ASIA", 16, false, false}, {"AIza", 30, false, false}}
	otherForms = [...]tokenForm{
		{"phx_", 20, false, false}, {"hf_", 20, false, false}, {"pypi-", 30, false, false}, {"npm_", 20, false, false}, {"whsec_", 16, false, false}, {"hvs.", 20, false, false}, {"dop_v1_", 20, false, false}, {"SG.", 20, false, false},
	}
)

// Tokens finds access tokens by the forms that their issuers give them, JSON Web Tokens (RFC 7519), the
// credentials after Bearer and Basic, and those of a URL before the host.
func Tokens(dst []Extent, text string) []Extent {
	inWord := false
	var run tokenRun
	for i := 0; i < len(text); i++ {
		c := text[i]
		wasInWord := inWord
		inWord = isASCIIWord(c)
		end := 0
		switch {
		case wasInWord && c == ':':
			dst, end = userInfo(dst, text, i)
		case wasInWord && c == '=':
			dst, end = assigned(dst, text, i)
		case wasInWord && (c == '"' || c == '\'' || c == '\\'):
			dst, end = assignedInJSON(dst, text, i)
		case !wasInWord && classOf[c]&letter != 0:
			dst, end = run.token(dst, text, i)
		}
		if end > 0 {
			i, inWord = end-1, false
		}
	}
	return dst
}

// tokenRun is a run of characters of tokens: text[start:end].
type tokenRun struct {
	start, end int
	// lastVaried is the last digit or capital, beforeLastDot the last dot but one; -1 if there is none.
	lastVaried, beforeLastDot int
}

// token finds the token that begins at i. It returns where the token ends, or 0 if there is none.
func (r *tokenRun) token(dst []Extent, text string, i int) ([]Extent, int) {
	for _, form := range tokenForms(text[i]) {
		if !strings.HasPrefix(text[i:], form.prefix) {
			continue
		}
		begin := i + len(form.prefix)
		if !r.isToken(text, begin, form) {
			continue
		}
		if form.credentials {
			i = begin
		}
		return append(dst, Extent{i, r.end}), r.end
	}
	return dst, 0
}

// isToken reports whether what begins there is the rest of a token of the form.
func (r *tokenRun) isToken(text string, begin int, form tokenForm) bool {
	if begin < r.start || begin >= r.end { // else the run is known: many prefixes may lie in one
		r.read(text, begin)
	}
	switch {
	case r.end-begin < form.min:
		return false
	case form.prefix == "eyJ": // a JSON Web Token has three parts
		return r.beforeLastDot >= begin
	case form.credentials: // unlike "Basic Authentication"
		return form.plain || r.lastVaried > begin
	default: // sk-button-of-the-page has no digits and capitals
		return r.lastVaried >= begin
	}
}

func (r *tokenRun) read(text string, start int) {
	*r = tokenRun{start: start, lastVaried: -1, beforeLastDot: -1}
	lastDot := -1
	for i := start; i < len(text) && isTokenByte(text[i]); i++ {
		switch c := text[i]; {
		case c == '.':
			r.beforeLastDot, lastDot = lastDot, i
			continue // the end of a sentence, unless more follows
		case isDigit(c) || c >= 'A' && c <= 'Z':
			r.lastVaried = i
		}
		r.end = i + 1
	}
}

func isTokenByte(c byte) bool { return isWord(c) && c < 0x80 || strings.IndexByte("-.~+/=", c) >= 0 }

// userInfo finds the user and password of a URL whose colon is at i. It returns where they end, or 0 if
// the URL has no user and password.
func userInfo(dst []Extent, text string, i int) ([]Extent, int) {
	if !strings.HasPrefix(text[i:], "://") {
		return dst, 0
	}
	start, password, end := i+len("://"), false, 0
	for at := start; at < len(text) && strings.IndexByte("/?#\"", text[at]) < 0 && text[at] > ' '; at++ {
		switch text[at] {
		case '@':
			if password {
				end = at // the last one: passwords may contain @
			}
		case ':':
			password = true
		}
	}
	if end <= start+1 { // none, or a colon only
		return dst, 0
	}
	return append(dst, Extent{start, end}), end
}

// minAssigned is the length of the shortest secret that is found by the name before it. A mask is shorter.
const minAssigned = 5

// assigned finds the secret after the = at i and a name such as access_token, as in the query of a URL. It
// returns where the secret ends, or 0 if there is none.
func assigned(dst []Extent, text string, i int) ([]Extent, int) {
	if !namesSecret(text[:i]) {
		return dst, 0
	}
	start := i + 1
	if start < len(text) && (text[start] == '"' || text[start] == '\'') {
		start++
	}
	return secretAt(dst, text, start, "&\"'`<>;,)]}#|\\")
}

// assignedInJSON finds the secret after a name in quotes, whose end is at i, as in JSON, in JSON within a text
// of JSON, and in Python.
func assignedInJSON(dst []Extent, text string, i int) ([]Extent, int) {
	if !namesSecret(text[:i]) {
		return dst, 0
	}
	at, quoted := afterQuote(text, i)
	if at = afterSpaces(text, at); !quoted || at == len(text) || text[at] != ':' {
		return dst, 0
	}
	at, quoted = afterQuote(text, afterSpaces(text, at+1))
	if !quoted && (at == len(text) || !isDigit(text[at])) { // a number, unlike a map or null
		return dst, 0
	}
	return secretAt(dst, text, at, "\"'\\,}")
}

// afterQuote returns where what follows a quotation mark at i begins, and whether there is one. A backslash
// may come before it.
func afterQuote(text string, i int) (at int, quoted bool) {
	if i < len(text) && text[i] == '\\' {
		i++
	}
	if i < len(text) && (text[i] == '"' || text[i] == '\'') {
		return i + 1, true
	}
	return i, false
}

// afterSpaces skips a few spaces at i.
func afterSpaces(text string, i int) int {
	for range 2 {
		if i < len(text) && text[i] == ' ' {
			i++
		}
	}
	return i
}

// secretAt finds the secret that begins at start, and ends before white space or one of the bytes.
func secretAt(dst []Extent, text string, start int, ends string) ([]Extent, int) {
	end := start
	for end < len(text) && text[end] > ' ' && strings.IndexByte(ends, text[end]) < 0 {
		end++
	}
	if end-start < minAssigned {
		return dst, 0
	}
	return append(dst, Extent{start, end}), end
}

// namesSecret reports whether the text ends with a name of secrets.
func namesSecret(text string) bool {
	tail := text[max(len(text)-len("publickeytoken"), 0):]
	if strings.EqualFold(tail, "publickeytoken") { // of .NET's assemblies
		return false
	}
	for _, name := range [...]string{"password", "passwd", "pwd", "passphrase", "secret", "token", "api_key", "apikey", "api-key", "access_key", "accesskey", "access-key", "secret_key", "secretkey", "accountkey", "private_key"} {
		if len(tail) >= len(name) && strings.EqualFold(tail[len(tail)-len(name):], name) {
			return true
		}
	}
	return false
}
