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
		"an empty file":                           {"", 0, 0, true},
		"letters":                                 {goodLine + "\n" + goodLine + "\n", 2, 0, true},
		"a last line without its end":             {goodLine + "\n" + goodLine, 2, 0, false},
		"a torn last line":                        {goodLine + "\n" + goodLine[:40], 1, 1, false},
		"a last line torn at once":                {goodLine + "\n{", 1, 1, false},
		"a line in the middle that was mended":    {goodLine + "\nwrong\n" + goodLine + "\n", 2, 1, false},
		"blank lines and the ends of Windows":     {"\n \n" + goodLine + "\r\n\n", 1, 0, true},
		"a line that is longer than can be":       {strings.Repeat("x", longestLine+1) + "\n" + goodLine + "\n", 1, 1, false},
		"zeros, as a file system leaves them":     {goodLine + "\n" + strings.Repeat("\x00", 1000), 1, 1, false},
		"a line longer than the reader's buffer":  {strings.Replace(goodLine, `"n":1`, `"n":"`+strings.Repeat("x", 200_000)+`"`, 1) + "\n", 1, 0, true},
		"JSON that is no letter":                  {"{}\n[]\n5\n", 0, 3, false},
		"two letters on a line":                   {goodLine + goodLine + "\n", 0, 1, false},
		"a letter in somebody's own spelling":     {`{ "Reason": "refused", "note": 1, "exporter": "a", "payload": "x" }` + "\n", 1, 0, true},
		"members of a wrong type":                 {`{"exporter":"a","status":"x","payload":{}}` + "\n", 0, 1, false},
		"a letter whose time cannot be read":      {`{"exporter":"a","failed_at":"yesterday","payload":{}}` + "\n", 0, 1, false},
		"a letter with nothing to deliver":        {`{"exporter":"a","reason":"refused"}` + "\n", 0, 1, false},
		"a payload that is not JSON inside":       {`{"exporter":"a","payload":{"a":}}` + "\n", 0, 1, false},
		"a letter of bytes, and one of a record":  {`{"exporter":"a","payload_base64":"/wA="}` + "\n" + `{"exporter":"a","otlp":{}}` + "\n", 2, 0, true},
		"a letter with a name that occurs double": {`{"exporter":"a","exporter":"b","payload":{"a":1,"a":2}}` + "\n", 1, 0, true},
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

func TestWhatIsCounted(t *testing.T) {
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

func TestOnlySoManyReasonsAreRemembered(t *testing.T) {
	var count tally
	for i := range 1000 {
		count.add(&head{reason: deadletter.Reason(strings.Repeat("x", i))}, 1)
	}
	assert.Len(t, count.reasons, mostReasons+1)
	assert.Equal(t, 1000-mostReasons, count.reasons[otherReason])
}

func TestAReadThatFailsIsTold(t *testing.T) {
	_, _, err := scan(iotest.ErrReader(errors.New("the disk is gone")), nil)
	assert.ErrorContains(t, err, "the disk is gone")
}

func TestALetterIsOneLine(t *testing.T) {
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
			t.Fatalf("a letter appended to a sound file was not read: %d after %d", more.events, count.events)
		}
	})
}

// FuzzGlance holds the fast reader against the parser.
func FuzzGlance(f *testing.F) {
	for _, text := range []string{
		goodLine, `{}`, `{"exporter":"a","payload":"x"}`, `{"exporter":"a","otlp":null}`, `{"exporter":"\u0061","reason":"\ud800","payload":[]}`,
		`{"exporter":"a","status":1e2,"payload":{}}`, `{"exporter":"a","time":"2026-01-31T12:00:00.5+01:00","status":-0,"attempts":99999999999999999999,"payload":{}}`,
		"{\"exporter\":\"a\xff\",\"payload\":{}}", `{"exporter":"a","id":null,"payload":{}} `, `{"exporter":"a","failed_at":"2026-01-31T12:00:00Z","payload":{},"failed_at":null}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, ok := newGlancer().glance(text)
		if !ok {
			return
		}
		want, err := deadletter.ParseLine(text)
		if err != nil {
			t.Fatalf("%q is taken for a letter: %v", text, err)
		}
		if got.exporter != want.Exporter || got.reason != want.Reason || !got.failedAt.Equal(want.FailedAt) {
			t.Fatalf("%q: got %v, want %v", text, got, want)
		}
	})
}

func TestWhatWeWriteTakesTheFastWay(t *testing.T) {
	letter := letterOf("e1", deadletter.ReasonRefused)
	letter.Exporter = "a"
	_, ok := newGlancer().glance(bytes.TrimSpace(letter.AppendLine(nil)))
	assert.True(t, ok)
}
