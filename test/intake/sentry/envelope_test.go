// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryintake

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEnvelopesAreParsed(t *testing.T) {
	for _, test := range []struct {
		name  string
		raw   string
		items []Item
	}{
		{"no items", "{}", nil},
		{"no items, with a line feed", "{}\n", nil},
		{"an empty payload", "{}\n{\"type\":\"a\",\"length\":0}\n", []Item{{Type: "a"}}},
		{"two empty payloads", "{}\n{\"type\":\"a\",\"length\":0}\n\n{\"type\":\"b\",\"length\":0}\n\n", []Item{{Type: "a"}, {Type: "b"}}},
		{"a payload without a length", "{}\n{\"type\":\"a\"}\nhello\n{\"type\":\"b\"}\nworld", []Item{{Type: "a", Payload: []byte("hello")}, {Type: "b", Payload: []byte("world")}}},
		{"a payload that ends with CR", "{}\n{\"type\":\"a\"}\nhello\r\n", []Item{{Type: "a", Payload: []byte("hello\r")}}},
		{"a payload with line feeds", "{}\n{\"type\":\"a\",\"length\":4}\n\na\n\n\n", []Item{{Type: "a", Payload: []byte("\na\n\n")}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			e, err := ParseEnvelope([]byte(test.raw))
			require.NoError(t, err)
			require.Len(t, e.Items, len(test.items))
			for i, want := range test.items {
				assert.Equal(t, want.Type, e.Items[i].Type)
				assert.Equal(t, string(want.Payload), string(e.Items[i].Payload))
			}
		})
	}
}

func TestNumbersKeepTheirText(t *testing.T) {
	e, err := ParseEnvelope([]byte(`{"event_id":"a","n":1.50}`))
	require.NoError(t, err)
	assert.Equal(t, json.Number("1.50"), e.Header["n"])
	assert.Equal(t, "a", e.EventID())
}

// FuzzParse checks that the parser never panics, and that a parsed envelope can be written and parsed
// again.
func FuzzParse(f *testing.F) {
	for _, raw := range good() {
		f.Add([]byte(raw))
	}
	for _, raw := range []string{"", "{}", "{}\n\n", "{\"a\":1}\r\n", "{}\n{\"type\":\"a\",\"length\":-1}\n", "{}\n{\"type\":\"log\",\"length\":9}\n{\"items\":"} {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, err := ParseEnvelope(raw)
		if err != nil {
			violation := (*Violation)(nil)
			require.ErrorAs(t, err, &violation)
			require.NotEmpty(t, violation.Rule)
			return
		}
		require.Equal(t, raw, e.Raw)
		e.Arrived = now
		first := fmt.Sprint(Check(e))
		require.Equal(t, first, fmt.Sprint(Check(e)), "violations are deterministic")
		sameAgain(t, &e)
	})
}

// sameAgain writes a parsed envelope, and parses it again.
func sameAgain(t *testing.T, e *Envelope) {
	t.Helper()
	var raw bytes.Buffer
	header, err := json.Marshal(e.Header)
	require.NoError(t, err)
	raw.Write(header)
	for _, item := range e.Items {
		item.Header["length"] = json.Number(fmt.Sprint(len(item.Payload)))
		header, err := json.Marshal(item.Header)
		require.NoError(t, err)
		fmt.Fprintf(&raw, "\n%s\n%s", header, item.Payload)
	}
	again, err := ParseEnvelope(raw.Bytes())
	require.NoError(t, err)
	require.Len(t, again.Items, len(e.Items))
	for i := range e.Items {
		require.Equal(t, e.Items[i].Type, again.Items[i].Type)
		require.True(t, bytes.Equal(e.Items[i].Payload, again.Items[i].Payload))
		require.Len(t, again.Items[i].Entries(), len(e.Items[i].Entries()))
	}
}
