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

// ellipsis ends a truncated text.
const ellipsis = "…"

// truncate shortens a text to at most n units, as counted by size, including an ellipsis at its
// end.
func truncate(text string, n int, size func(rune) int) string {
	if n <= 0 {
		return ""
	}
	last := size('…')
	used, end := 0, 0 // end is the last position with room for the ellipsis
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

// units counts a character in UTF-16 code units, so that texts fit whether a service counts these
// or characters.
func units(r rune) int {
	if r > 0xFFFF {
		return 2
	}
	return 1
}

// bytesInJSON counts the bytes of a character in a JSON string.
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

// fit shortens a text to at most n bytes in a JSON string.
func fit(text string, n int) string { return truncate(text, n, bytesInJSON) }

// mrkdwn escapes a text for Slack's markup and shortens it to at most n characters, including
// escapes (docs.slack.dev/messaging/formatting-message-text, "Escaping text").
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

// special lists the characters to escape in Markdown.
const special = "\\`*_[]()<>#|~"

// markdown escapes a text for Markdown and shortens it to at most n characters, including escapes.
func markdown(text string, n int) string {
	return escape(truncate(text, n, func(r rune) int {
		if strings.ContainsRune(special, r) {
			return 2
		}
		return units(r)
	}))
}

// fitMarkdown escapes a text for Markdown and shortens it to at most n bytes in a JSON string.
func fitMarkdown(text string, n int) string {
	return escape(truncate(text, n, func(r rune) int {
		if strings.ContainsRune(special, r) {
			return len(`\\`) + bytesInJSON(r)
		}
		return bytesInJSON(r)
	}))
}

func escape(text string) string {
	var b strings.Builder
	for _, r := range text {
		if strings.ContainsRune(special, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// members returns a JSON object with as many members of the map, sorted by name, as fit into n
// bytes. A member named … has the number of those left out.
func members(n int, v any) string {
	m, _ := plain(v).(map[string]any)
	const restSize = len(`,"…":1000000000}`)
	dst := []byte{'{'}
	names := slices.Sorted(maps.Keys(m))
	for i, name := range names {
		start := len(dst)
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendJSON(append(jsonappend.String(dst, name), ':'), m[name])
		last := i == len(names)-1
		if len(dst) < n && last || len(dst)+restSize <= n {
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

// first returns the first n items of a list, or members of a map sorted by name.
func first(n int, v any) any {
	switch v := plain(v).(type) {
	case []any:
		return v[:max(0, min(n, len(v)))]
	case map[string]any:
		names := slices.Sorted(maps.Keys(v))
		selected := map[string]any{}
		for _, name := range names[:max(0, min(n, len(names)))] {
			selected[name] = v[name]
		}
		return selected
	default:
		return v
	}
}

// pairs returns up to count members of a map, sorted by name, as a JSON array of objects. Each
// object has two Markdown strings, under the keys name and value, of at most nameBytes and
// valueBytes.
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
		dst = append(jsonappend.String(dst, fitMarkdown(orDash(key), nameBytes)), ',')
		dst = append(jsonappend.String(dst, value), ':')
		dst = append(jsonappend.String(dst, fitMarkdown(orDash(textOf(m[key])), valueBytes)), '}')
	}
	return string(append(dst, ']'))
}

// orDash returns a dash for blank text, because some services refuse empty strings.
func orDash(text string) string {
	if strings.TrimSpace(text) == "" {
		return "-"
	}
	return text
}
