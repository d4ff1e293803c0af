// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletter

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var failedAt = time.Date(2026, 1, 31, 12, 0, 0, 500, time.UTC)

func TestAppendLine(t *testing.T) {
	for name, tt := range map[string]struct {
		letter Letter
		want   string
	}{
		"a JSON payload is embedded": {
			Letter{
				Exporter: "webhook/a", Signal: "logs", ID: "e1", Name: "order_placed", Time: failedAt, Reason: ReasonRefused, Status: 400,
				Message: "no \"such\" field", Attempts: 2, FailedAt: failedAt, Category: "error", Destination: "d", Payload: []byte(`{"n":9007199254740993,"f":1.0}`),
			},
			`{"exporter":"webhook/a","signal":"logs","id":"e1","name":"order_placed","time":"2026-01-31T12:00:00.0000005Z","reason":"refused","status":400,` +
				`"message":"no \"such\" field","attempts":2,"failed_at":"2026-01-31T12:00:00.0000005Z","category":"error","destination":"d","payload":{"n":9007199254740993,"f":1.0}}`,
		},
		"text is a string":          {Letter{Exporter: "a", Payload: []byte("{}\n{\"a\":1}\n")}, `{"exporter":"a","attempts":0,"payload":"{}\n{\"a\":1}\n"}`},
		"invalid JSON is a string":  {Letter{Exporter: "a", Payload: []byte(`{"a":}`)}, `{"exporter":"a","attempts":0,"payload":"{\"a\":}"}`},
		"a JSON string is a string": {Letter{Exporter: "a", Payload: []byte(`"x"`)}, `{"exporter":"a","attempts":0,"payload":"\"x\""}`},
		"trailing space is kept":    {Letter{Exporter: "a", Payload: []byte(`{} `)}, `{"exporter":"a","attempts":0,"payload":"{} "}`},
		"bytes are base64":          {Letter{Exporter: "a", Payload: []byte{0xff, 0}}, `{"exporter":"a","attempts":0,"payload_base64":"/wA="}`},
		"a record":                  {Letter{Exporter: "a", Reason: ReasonEncoding, OTLP: []byte(`{"resourceLogs":[]}`)}, `{"exporter":"a","reason":"encoding","attempts":0,"otlp":{"resourceLogs":[]}}`},
		"a repeated name is kept":   {Letter{Exporter: "a", Payload: []byte(`{"a":1,"a":2}`)}, `{"exporter":"a","attempts":0,"payload":{"a":1,"a":2}}`},
	} {
		t.Run(name, func(t *testing.T) {
			got := tt.letter.AppendLine(nil)
			assert.Equal(t, tt.want+"\n", string(got))
			back, err := ParseLine(got)
			require.NoError(t, err)
			assert.Equal(t, tt.letter, back)
		})
	}
}

func TestParseLineRefusesOtherJSON(t *testing.T) {
	for _, text := range []string{``, `{`, `{}`, `[]`, `{"exporter":"a"}`, `{"payload":{}}`, `{"exporter":"a","payload":{}`, `{"exporter":5,"payload":{}}`, `{"exporter":"a","payload_base64":"!"}`} {
		_, err := ParseLine([]byte(text))
		assert.ErrorContains(t, err, "not a dead letter", text)
	}
}

func TestParseLineAcceptsEditedLine(t *testing.T) {
	got, err := ParseLine([]byte(`{ "payload" : {"a": 1} , "exporter":"a", "note":"by hand" }`))
	require.NoError(t, err)
	assert.Equal(t, Letter{Exporter: "a", Payload: []byte(`{"a": 1}`)}, got)
}

func FuzzLine(f *testing.F) {
	f.Add([]byte(`{"a":1}`), "m")
	f.Add([]byte("\xff\n"), "\xff")
	f.Fuzz(func(t *testing.T, payload []byte, message string) {
		if len(payload) == 0 {
			return
		}
		l := Letter{Exporter: "a", Message: message, Payload: payload}
		text := l.AppendLine(nil)
		if bytes.IndexByte(text, '\n') != len(text)-1 {
			t.Fatalf("more than a line: %q", text)
		}
		back, err := ParseLine(text)
		if err != nil || !bytes.Equal(back.Payload, payload) {
			t.Fatalf("%q came back as %q: %v", payload, back.Payload, err)
		}
	})
}

func FuzzParseLine(f *testing.F) {
	f.Add([]byte(`{"exporter":"a","payload":{}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		l, err := ParseLine(text)
		if err == nil && len(l.Payload) == 0 && len(l.OTLP) == 0 {
			t.Fatal("a dead letter without content")
		}
	})
}
