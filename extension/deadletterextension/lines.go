// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"time"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

const (
	// maxLineSize limits the memory for reading. A longer line is neither written nor read.
	maxLineSize = 32 << 20
	// maxReasons limits the memory for reasons in edited files.
	maxReasons  = 64
	otherReason = "other"
)

// line is one line of a file.
type line struct {
	// text has no white space at its ends. It is valid until the next line is read, and nil if the
	// line is longer than maxLineSize.
	text []byte
	// offset and size locate the whole line in the file, including its line feed.
	offset, size int64
	// ended means that the line has a line feed.
	ended bool
}

// lineReader reads lines of any length in bounded memory.
type lineReader struct {
	in     *bufio.Reader
	offset int64
	text   []byte
}

func newLineReader(in io.Reader, offset int64) *lineReader {
	return &lineReader{in: bufio.NewReaderSize(in, 64<<10), offset: offset}
}

// next returns the next line that is not blank, or io.EOF.
func (r *lineReader) next() (line, error) {
	for {
		l, err := r.read()
		if err != nil || len(l.text) > 0 || l.size > maxLineSize {
			return l, err
		}
	}
}

func (r *lineReader) read() (line, error) {
	l := line{offset: r.offset}
	r.text = r.text[:0]
	for {
		part, err := r.in.ReadSlice('\n')
		l.size += int64(len(part))
		r.offset += int64(len(part))
		if l.size <= maxLineSize {
			r.text = append(r.text, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil && (!errors.Is(err, io.EOF) || l.size == 0) {
			return line{}, err
		}
		l.ended = err == nil
		if l.size <= maxLineSize {
			l.text = bytes.TrimSpace(r.text)
		}
		return l, nil
	}
}

// appendLines appends the dead letters of one exporter in the file's format, and counts them.
func appendLines(dst []byte, exporter string, letters []deadletter.Letter, now time.Time) ([]byte, tally, error) {
	var count tally
	for i := range letters {
		letter := letters[i]
		letter.Exporter = exporter
		if letter.FailedAt.IsZero() {
			letter.FailedAt = now
		}
		start := len(dst)
		var err error
		if dst, err = appendLine(dst, &letter); err != nil {
			return dst, tally{}, err
		}
		count.add(&head{exporter: exporter, reason: letter.Reason, failedAt: letter.FailedAt}, int64(len(dst)-start))
	}
	return dst, count, nil
}

// appendLine appends a dead letter. It refuses one that could not be read back.
func appendLine(dst []byte, letter *deadletter.Letter) ([]byte, error) {
	if len(letter.Payload) == 0 && len(letter.OTLP) == 0 {
		return dst, errors.New("the dead letter has neither a payload nor a record")
	}
	start := len(dst)
	dst = letter.AppendLine(dst)
	written := dst[start:]
	if len(written) > maxLineSize {
		return dst[:start], errors.New("the dead letter is longer than 32 MiB as a JSON line")
	}
	// Only the record is copied verbatim, and in JSON its line feeds can only be white space.
	for i := bytes.IndexByte(written, '\n'); i < len(written)-1; i = bytes.IndexByte(written, '\n') {
		written[i] = ' '
	}
	return dst, nil
}

// tally summarizes the dead letters of a file.
type tally struct {
	events     int
	unreadable int
	bytes      int64
	// oldest and newest are failure times; zero if no dead letter has one.
	oldest, newest time.Time
	reasons        map[deadletter.Reason]int
}

func (t *tally) add(letter *head, size int64) {
	t.events++
	t.bytes += size
	t.span(letter.failedAt, letter.failedAt)
	t.reason(letter.reason, 1)
}

func (t *tally) merge(other *tally) {
	t.events += other.events
	t.unreadable += other.unreadable
	t.bytes += other.bytes
	t.span(other.oldest, other.newest)
	for reason, n := range other.reasons {
		t.reason(reason, n)
	}
}

func (t *tally) span(oldest, newest time.Time) {
	if !oldest.IsZero() && (t.oldest.IsZero() || oldest.Before(t.oldest)) {
		t.oldest = oldest
	}
	if newest.After(t.newest) {
		t.newest = newest
	}
}

func (t *tally) reason(reason deadletter.Reason, n int) {
	if t.reasons == nil {
		t.reasons = map[deadletter.Reason]int{}
	}
	if _, known := t.reasons[reason]; !known && len(t.reasons) >= maxReasons {
		reason = otherReason
	}
	t.reasons[reason] += n
}

// scan counts the dead letters in a file and calls visit, which may be nil, for each. The file is
// sound if every line is a dead letter and the last one is complete, so that more can be appended.
func scan(in io.Reader, visit func(line, head)) (count tally, sound bool, err error) {
	lines, heads := newLineReader(in, 0), newHeadReader()
	sound = true
	for {
		l, err := lines.next()
		if errors.Is(err, io.EOF) {
			count.bytes = lines.offset
			return count, sound && count.unreadable == 0, nil
		}
		if err != nil {
			return count, false, err
		}
		sound = sound && l.ended
		h, err := heads.read(l.text)
		if err != nil {
			count.unreadable++
			continue
		}
		count.add(&h, l.size)
		if visit != nil {
			visit(l, h)
		}
	}
}
