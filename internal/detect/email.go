// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import "strings"

// maxLocal is the maximum length of a local part in bytes (RFC 5321, section 4.5.3.1.1).
const maxLocal = 64

// Emails finds e-mail addresses, also with %40 for @, as in URLs (RFC 5321).
func Emails(dst []Extent, text string) []Extent {
	for from := 0; ; {
		at, sign := nextAt(text, from)
		if at < 0 {
			return dst
		}
		start := localPart(text[from:at]) + from
		end := domain(text, at+sign)
		if start == at || end == 0 || isFile(text[at+sign:end]) {
			from = at + sign
			continue
		}
		dst = append(dst, Extent{start, end})
		from = end
	}
}

// nextAt returns where the next @ or %40 is, and its length.
func nextAt(text string, from int) (at, length int) {
	for i := from; i < len(text); i++ {
		switch {
		case text[i] == '@':
			return i, len("@")
		case text[i] == '%' && strings.HasPrefix(text[i:], "%40"):
			return i, len("%40")
		}
	}
	return -1, 0
}

// localPart returns where the local part at the end of the text begins.
func localPart(text string) int {
	if strings.HasSuffix(text, `"`) {
		return quotedLocalPart(text)
	}
	start := len(text)
	for start > 0 && isRareLocal(text[start-1]) { // only at the end: in the middle they part words
		start--
	}
	for start > 0 && isLocal(text[start-1]) {
		start--
	}
	for start < len(text) && !isWord(text[start]) { // it begins with a letter or digit
		start++
	}
	return start
}

// quotedLocalPart returns where the quoted local part at the end of the text begins.
func quotedLocalPart(text string) int {
	from := max(len(text)-maxLocal, 0)
	if at := strings.LastIndexByte(text[from:len(text)-1], '"'); at >= 0 && !strings.ContainsAny(text[from+at:], "\r\n") {
		return from + at
	}
	return len(text)
}

func isLocal(c byte) bool { return isWord(c) || strings.IndexByte(".+-'%!$*^~", c) >= 0 }

// isRareLocal reports whether a local part may end with the byte, which elsewhere parts words.
func isRareLocal(c byte) bool { return strings.IndexByte("#&/=?`{|}", c) >= 0 }

// domain returns where the domain that begins at start ends, or 0 if there is none: it has a dot, and
// ends with a word of letters, which a hyphen or underscore may follow.
func domain(text string, start int) int {
	end, label := 0, start
	for i := start; i <= len(text); i++ {
		if i < len(text) && (isWord(text[i]) || text[i] == '-') {
			if parts := text[i] == '-' || text[i] == '_'; parts && i > label && label > start && !isVersion(text[start:i]) && isTopLevel(text[label:i]) {
				end = i
			}
			continue
		}
		if i == label || text[label] == '-' {
			break
		}
		if label > start && isTopLevel(text[label:i]) && !isVersion(text[start:i]) {
			end = i
		}
		if i == len(text) || text[i] != '.' {
			break
		}
		label = i + 1
	}
	return end
}

func isTopLevel(label string) bool {
	if strings.HasPrefix(label, "xn--") {
		return true
	}
	for i := range len(label) {
		if !isLetter(label[i]) && label[i] < 0x80 {
			return false
		}
	}
	return len(label) >= 2
}

// isVersion reports whether a domain is really a semantic version, such as 18.3.0-canary.abc.
func isVersion(domain string) bool {
	rest := strings.TrimPrefix(domain, "v")
	for range 2 {
		end := digitsEnd(rest, 0)
		if end == 0 || end == len(rest) || rest[end] != '.' {
			return false
		}
		rest = rest[end+1:]
	}
	return rest != "" && isDigit(rest[0])
}

// isFile reports whether a domain is really the rest of the name of a file, such as icon@2x.png, of a
// frame of JavaScript, such as signUp@app.js:10:5, or of a unit of systemd. None is a top-level domain.
func isFile(domain string) bool {
	switch strings.ToLower(domain[strings.LastIndexByte(domain, '.')+1:]) {
	case "png", "jpg", "jpeg", "gif", "webp", "svg", "avif", "ico", "bmp",
		"js", "mjs", "cjs", "jsx", "ts", "tsx", "css", "json", "html", "bundle", "jsbundle", "hbc",
		"service", "socket", "timer", "slice":
		return true
	}
	return false
}
