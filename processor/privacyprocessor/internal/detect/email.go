// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import "strings"

// Emails finds e-mail addresses, also with %40 for @, as in URLs (RFC 5321, without quoted local parts).
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
	start := len(text)
	for start > 0 && isLocal(text[start-1]) {
		start--
	}
	for start < len(text) && !isWord(text[start]) { // it begins with a letter or digit
		start++
	}
	return start
}

func isLocal(c byte) bool { return isWord(c) || strings.IndexByte(".+-'%", c) >= 0 }

// domain returns where the domain that begins at start ends, or 0 if there is none: it has a dot, and
// ends with a word of letters.
func domain(text string, start int) int {
	end, label := 0, start
	for i := start; i <= len(text); i++ {
		if i < len(text) && (isWord(text[i]) && text[i] != '_' || text[i] == '-') {
			continue
		}
		if i == label || text[label] == '-' {
			break
		}
		if label > start && isTopLevel(text[label:i]) {
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

// isFile reports whether a domain is really the rest of the name of an image, such as icon@2x.png.
func isFile(domain string) bool {
	switch domain[strings.LastIndexByte(domain, '.')+1:] {
	case "png", "jpg", "jpeg", "gif", "webp", "svg":
		return true
	}
	return false
}
