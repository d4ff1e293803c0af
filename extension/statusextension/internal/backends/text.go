// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"strings"
	"unicode/utf8"
)

// Limits of texts in bytes. Together with an entry, its texts are less than 1 KB: see [entry.fit].
const (
	maxID         = 128
	maxName       = 128
	maxMessage    = 240
	shortMessage  = 64
	maxMessages   = 2 * maxMessage
	maxErrorTexts = 2 << 10
)

const ellipsis = "…"

// cut returns a text of at most limit bytes, which are whole characters. The result may share the
// memory of the text.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return beginning(text, limit) + ellipsis
}

// beginning returns the bytes of a text that [cut] leaves before the ellipsis.
func beginning(text string, limit int) string {
	end := limit - len(ellipsis)
	for start := end; start > max(end-utf8.UTFMax, 0); start-- {
		if utf8.RuneStart(text[start]) {
			end = start
			break
		}
	}
	return text[:end]
}

// messages keeps the messages of one report. It copies them, since they may be parts of whole
// responses, and shares those that repeat.
type messages struct{ reported, kept string }

// keep returns the message to store. previous is the one that the entry has.
func (m *messages) keep(message, previous string) string {
	switch {
	case message == "":
		return ""
	case message != m.reported:
		m.reported, m.kept = message, strings.Clone(cut(message, maxMessage))
	}
	if m.kept == previous {
		return previous
	}
	return m.kept
}

// packed is the number of events whose texts are copied into one string: one allocation serves many
// events, and an event that is remembered after the others keeps only their texts in memory.
const packed = 64

// texts copies the ids and names of up to packed events. The zero value is ready for use.
type texts struct {
	bytes  []byte
	events [packed]struct {
		id, name int // sizes
		time     int64
	}
	count int
}

// add copies the texts of one more event.
func (t *texts) add(id, name string, at int64) {
	begin := len(t.bytes)
	t.bytes = appendCut(t.bytes, id, maxID)
	middle := len(t.bytes)
	t.bytes = appendCut(t.bytes, name, maxName)
	e := &t.events[t.count]
	e.id, e.name, e.time = middle-begin, len(t.bytes)-middle, at
	t.count++
}

// enter makes entries for the events, and forgets them. It returns the last one.
func (t *texts) enter(newEntry func(now int64) *entry, signal uint8, now int64) (e *entry) {
	all := string(t.bytes)
	for _, event := range t.events[:t.count] {
		e = newEntry(now)
		e.id, e.name = all[:event.id], all[event.id:event.id+event.name]
		e.time, e.signal = event.time, signal
		all = all[event.id+event.name:]
	}
	t.bytes, t.count = t.bytes[:0], 0
	return e
}

func appendCut(dst []byte, text string, limit int) []byte {
	if len(text) <= limit {
		return append(dst, text...)
	}
	return append(append(dst, beginning(text, limit)...), ellipsis...)
}
