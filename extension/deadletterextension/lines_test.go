// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

const goodLine = `{"exporter":"a","reason":"refused","failed_at":"2026-01-31T12:00:00Z","payload":{"n":1}}`

func TestScan(t *testing.T) {
	for name, tt := range map[string]struct {
		text               string
		events, unreadable int
		sound              bool
	}{
		"an empty file":                          {"", 0, 0, true},
		"dead letters":                           {goodLine + "\n" + goodLine + "\n", 2, 0, true},
		"a last line without line feed":          {goodLine + "\n" + goodLine, 2, 0, false},
		"a truncated last line":                  {goodLine + "\n" + goodLine[:40], 1, 1, false},
		"a last line of one byte":                {goodLine + "\n{", 1, 1, false},
		"an unreadable line in the middle":       {goodLine + "\nwrong\n" + goodLine + "\n", 2, 1, false},
		"blank lines and CRLF":                   {"\n \n" + goodLine + "\r\n\n", 1, 0, true},
		"a line over the maximum size":           {strings.Repeat("x", maxLineSize+1) + "\n" + goodLine + "\n", 1, 1, false},
		"zeros, as a file system leaves them":    {goodLine + "\n" + strings.Repeat("\x00", 1000), 1, 1, false},
		"a line longer than the reader's buffer": {strings.Replace(goodLine, `"n":1`, `"n":"`+strings.Repeat("x", 200_000)+`"`, 1) + "\n", 1, 0, true},
		"JSON that is not a dead letter":         {"{}\n[]\n5\n", 0, 3, false},
		"two dead letters on a line":             {goodLine + goodLine + "\n", 0, 1, false},
		"a dead letter edited by hand":           {`{ "Reason": "refused", "note": 1, "exporter": "a", "payload": "x" }` + "\n", 1, 0, true},
		"a member of the wrong type":             {`{"exporter":"a","status":"x","payload":{}}` + "\n", 0, 1, false},
		"an invalid time":                        {`{"exporter":"a","failed_at":"yesterday","payload":{}}` + "\n", 0, 1, false},
		"neither payload nor record":             {`{"exporter":"a","reason":"refused"}` + "\n", 0, 1, false},
		"a payload with invalid JSON":            {`{"exporter":"a","payload":{"a":}}` + "\n", 0, 1, false},
		"base64 and a record":                    {`{"exporter":"a","payload_base64":"/wA="}` + "\n" + `{"exporter":"a","otlp":{}}` + "\n", 2, 0, true},
		"a repeated member":                      {`{"exporter":"a","exporter":"b","payload":{"a":1,"a":2}}` + "\n", 1, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			for _, in := range []io.Reader{strings.NewReader(tt.text), iotest.DataErrReader(strings.NewReader(tt.text))} {
				count, sound, err := scan(in, nil)
				require.NoError(t, err)
				assert.Equal(t, tt.events, count.events)
				assert.Equal(t, tt.unreadable, count.unreadable)
				assert.Equal(t, tt.sound, sound)
				assert.Equal(t, int64(len(tt.text)), count.bytes)
			}
		})
	}
}

func TestScanCounts(t *testing.T) {
	text := `{"exporter":"a","reason":"refused","failed_at":"2026-01-31T12:00:00Z","payload":{}}
{"exporter":"a","reason":"exhausted","failed_at":"2026-01-30T12:00:00Z","payload":{}}
{"exporter":"a","reason":"refused","payload":{}}
`
	count, _, err := scan(strings.NewReader(text), nil)
	require.NoError(t, err)
	assert.Equal(t, tally{
		events: 3, bytes: int64(len(text)),
		oldest:  time.Date(2026, 1, 30, 12, 0, 0, 0, time.UTC),
		newest:  time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC),
		reasons: map[deadletter.Reason]int{"refused": 2, "exhausted": 1},
	}, count)
}

func TestNumberOfReasonsIsLimited(t *testing.T) {
	var count tally
	for i := range 1000 {
		count.add(&head{reason: deadletter.Reason(strings.Repeat("x", i))}, 1)
	}
	assert.Len(t, count.reasons, maxReasons+1)
	assert.Equal(t, 1000-maxReasons, count.reasons[otherReason])
}

func TestScanReturnsReadError(t *testing.T) {
	_, _, err := scan(iotest.ErrReader(errors.New("the disk is gone")), nil)
	assert.ErrorContains(t, err, "the disk is gone")
}

func TestDeadLetterIsOneLine(t *testing.T) {
	text, _, err := appendLines(nil, "a", []deadletter.Letter{{OTLP: []byte("{\n\"resourceLogs\":\r\n[]\n}\n")}}, time.Now())
	require.NoError(t, err)
	assert.Equal(t, 1, bytes.Count(text, []byte("\n")))
	letter, err := deadletter.ParseLine(text)
	require.NoError(t, err)
	assert.JSONEq(t, `{"resourceLogs":[]}`, string(letter.OTLP))
}

func FuzzScan(f *testing.F) {
	f.Add([]byte(goodLine + "\n" + goodLine[:30]))
	f.Add([]byte("\n\n{}\n\x00"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var at int64
		count, sound, err := scan(bytes.NewReader(text), func(l line, _ head) {
			if l.offset < at || !bytes.Contains(text[l.offset:l.offset+l.size], l.text) {
				t.Fatalf("line at %d of %d bytes", l.offset, l.size)
			}
			at = l.offset + l.size
		})
		if err != nil || count.bytes != int64(len(text)) {
			t.Fatalf("%d of %d bytes, %v", count.bytes, len(text), err)
		}
		if !sound {
			return
		}
		more, _, err := scan(bytes.NewReader(append(text, goodLine+"\n"...)), nil)
		if err != nil || more.events != count.events+1 {
			t.Fatalf("a dead letter appended to a sound file was not read: %d after %d", more.events, count.events)
		}
	})
}

// FuzzHeadReader compares the fast reader with the parser.
func FuzzHeadReader(f *testing.F) {
	for _, text := range []string{
		goodLine, `{}`, `{"exporter":"a","payload":"x"}`, `{"exporter":"a","otlp":null}`, `{"exporter":"\u0061","reason":"\ud800","payload":[]}`,
		`{"exporter":"a","status":1e2,"payload":{}}`, `{"exporter":"a","time":"2026-01-31T12:00:00.5+01:00","status":-0,"attempts":99999999999999999999,"payload":{}}`,
		"{\"exporter\":\"a\xff\",\"payload\":{}}", `{"exporter":"a","id":null,"payload":{}} `, `{"exporter":"a","failed_at":"2026-01-31T12:00:00Z","payload":{},"failed_at":null}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, ok := newHeadReader().readFast(text)
		if !ok {
			return
		}
		want, err := deadletter.ParseLine(text)
		if err != nil {
			t.Fatalf("%q is read as a dead letter: %v", text, err)
		}
		if got.exporter != want.Exporter || got.reason != want.Reason || !got.failedAt.Equal(want.FailedAt) ||
			got.status != want.Status || string(got.id) != want.ID || string(got.name) != want.Name {
			t.Fatalf("%q: got %v, want %v", text, got, want)
		}
	})
}

func TestWrittenLinesUseFastPath(t *testing.T) {
	letter := letterOf("e1", deadletter.ReasonRefused)
	letter.Exporter = "a"
	_, ok := newHeadReader().readFast(bytes.TrimSpace(letter.AppendLine(nil)))
	assert.True(t, ok)
}
