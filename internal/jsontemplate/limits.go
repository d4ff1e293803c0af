// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package jsontemplate

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// ellipsis ends what was cut off.
const ellipsis = "…"

// truncate is the beginning of the text, of at most n as size counts each character, and an ellipsis where it was cut off.
func truncate(text string, n int, size func(rune) int) string {
	if n <= 0 {
		return ""
	}
	last := size('…')
	used, end := 0, 0 // end is where there is still room for the ellipsis
	for i, r := range text {
		if used+last <= n {
			end = i
		}
		if used += size(r); used > n {
			if last > n {
				return ""
			}
			return text[:end] + ellipsis
		}
	}
	return text
}

// units is how many characters a character is to those who count in UTF-16, which are the more careful ones.
func units(r rune) int {
	if r > 0xFFFF {
		return 2
	}
	return 1
}

// bytesInJSON is how many bytes a character has in a JSON string.
func bytesInJSON(r rune) int {
	switch {
	case r == utf8.RuneError:
		return len("\uFFFD")
	case r == '"' || r == '\\' || r == '\n' || r == '\r' || r == '\t' || r == '\b' || r == '\f':
		return len(`\n`)
	case r < ' ':
		return len(`\u0000`)
	default:
		return utf8.RuneLen(r)
	}
}

// fit is the beginning of the text that has at most n bytes in a JSON string.
func fit(text string, n int) string { return truncate(text, n, bytesInJSON) }

// mrkdwn is the text for Slack's markup, in at most n characters with their escapes: the three characters by which links, mentions
// and entities begin and end (docs.slack.dev/messaging/formatting-message-text, "Escaping text").
func mrkdwn(text string, n int) string {
	return slackEscaper.Replace(truncate(text, n, func(r rune) int {
		switch r {
		case '&':
			return len("&amp;")
		case '<', '>':
			return len("&lt;")
		default:
			return units(r)
		}
	}))
}

var slackEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// special are the characters that mean something in Markdown.
const special = "\\`*_[]()<>#|~"

// markdown is the text as Markdown, in at most n characters with their escapes.
func markdown(text string, n int) string {
	return escaped(truncate(text, n, func(r rune) int {
		if strings.ContainsRune(special, r) {
			return 2
		}
		return units(r)
	}))
}

// fitMarkdown is the text as Markdown that has at most n bytes in a JSON string.
func fitMarkdown(text string, n int) string {
	return escaped(truncate(text, n, func(r rune) int {
		if strings.ContainsRune(special, r) {
			return len(`\\`) + bytesInJSON(r)
		}
		return bytesInJSON(r)
	}))
}

func escaped(text string) string {
	var b strings.Builder
	for _, r := range text {
		if strings.ContainsRune(special, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// members is as many members of the map, in the order of their names, as there is room for in n bytes of JSON. A member
// called … says how many are missing.
func members(n int, v any) string {
	m, _ := plain(v).(map[string]any)
	const missing = len(`,"…":1000000000}`)
	dst := []byte{'{'}
	names := slices.Sorted(maps.Keys(m))
	for i, name := range names {
		start := len(dst)
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendJSON(append(jsonappend.String(dst, name), ':'), m[name])
		last := i == len(names)-1
		if len(dst) < n && last || len(dst)+missing <= n {
			continue
		}
		dst = dst[:start]
		if start > 1 {
			dst = append(dst, ',')
		}
		dst = jsonappend.Int(append(dst, `"…":`...), int64(len(names)-i))
		break
	}
	return string(append(dst, '}'))
}

// first is the first n members of a map, in the order of their names, or items of a list.
func first(n int, v any) any {
	switch v := plain(v).(type) {
	case []any:
		return v[:max(0, min(n, len(v)))]
	case map[string]any:
		names := slices.Sorted(maps.Keys(v))
		part := map[string]any{}
		for _, name := range names[:max(0, min(n, len(names)))] {
			part[name] = v[name]
		}
		return part
	default:
		return v
	}
}

// pairs is up to count members of a map, in the order of their names, as a JSON array of objects of two strings of
// Markdown, which are called name and value and have at most so many bytes.
func pairs(name, value string, count, nameBytes, valueBytes int, v any) string {
	m, _ := plain(v).(map[string]any)
	dst := []byte{'['}
	for i, key := range slices.Sorted(maps.Keys(m)) {
		if i == count {
			break
		}
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(jsonappend.String(append(dst, '{'), name), ':')
		dst = append(jsonappend.String(dst, fitMarkdown(orBlank(key), nameBytes)), ',')
		dst = append(jsonappend.String(dst, value), ':')
		dst = append(jsonappend.String(dst, fitMarkdown(orBlank(textOf(m[key])), valueBytes)), '}')
	}
	return string(append(dst, ']'))
}

// orBlank is for those who take no empty text.
func orBlank(text string) string {
	if strings.TrimSpace(text) == "" {
		return "-"
	}
	return text
}
