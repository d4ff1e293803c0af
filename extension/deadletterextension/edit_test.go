// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

const (
	otlpLogs  = `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"x"}}]}]}]}`
	otlpSpans = `{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"x"}]}]}]}`
)

func TestEditedPayloads(t *testing.T) {
	for name, tt := range map[string]struct {
		original, edited, want string
		err                    string
	}{
		"an object":                       {`{"a":1}`, `{"a":2}`, `{"a":2}`, ""},
		"a repeated name":                 {`{"a":1}`, `{"a":2,"a":3}`, `{"a":2,"a":3}`, ""},
		"a large number keeps its digits": {`{"a":1}`, "{\"a\":\n9007199254740993}", `{"a":9007199254740993}`, ""},
		"lines of one event become one":   {`{"a":1}`, "{\r\n  \"a\": \"x\\n  y\"\n}\n", `{"a":"x\n  y"}`, ""},
		"lines stay lines":                {"{\n\"a\":1}", "{\n\"a\":2}", "{\n\"a\":2}", ""},
		"an array":                        {`[1]`, `[2]`, `[2]`, ""},
		"a string":                        {`"x"`, `"y"`, `"y"`, ""},
		"a number":                        {`5`, `6`, `6`, ""},
		"text":                            {"{}\n{\"a\":1}\n", "anything", "anything", ""},
		"an array for an object":          {`{"a":1}`, `[{"a":1}]`, "", "it must be a JSON object, as the original is"},
		"an object for an array":          {`[1]`, `{}`, "", "it must be a JSON array, as the original is"},
		"two objects":                     {`{"a":1}`, `{"a":1},{"b":2}`, "", "it must be a JSON object"},
		"two objects on two lines":        {`{"a":1}`, "{\"a\":1}\n{\"b\":2}", "", "it must be a JSON object"},
		"a truncated object":              {`{"a":1}`, `{"a":1`, "", "it must be a JSON object"},
		"invalid UTF-8":                   {`{"a":1}`, "{\"a\":\"\xff\"}", "", "it must be a JSON object"},
		"empty":                           {`{"a":1}`, ``, "", "it is empty; to discard the dead letter, delete it"},
		"white space":                     {`text`, " \n\t", "", "it is empty"},
		"of the largest size":             {`text`, strings.Repeat("x", deadletter.MaxEditedPayload), strings.Repeat("x", deadletter.MaxEditedPayload), ""},
		"too large":                       {`text`, strings.Repeat("x", deadletter.MaxEditedPayload+1), "", "it has 16777217 bytes, more than the limit of 16777216"},
		"binary data":                     {"\xff\x00", "text", "", "the original is binary data, which cannot be edited here"},
		"deeply nested":                   {`[1]`, strings.Repeat("[", 1_000_000) + strings.Repeat("]", 1_000_000), "", "it must be a JSON array"},
	} {
		t.Run(name, func(t *testing.T) {
			letter := deadletter.Letter{Signal: "logs", Payload: []byte(tt.original)}
			err := edit(&letter, []byte(tt.edited))
			if tt.err != "" {
				require.ErrorIs(t, err, deadletter.ErrInvalidPayload)
				require.ErrorContains(t, err, "the edited payload is invalid: "+tt.err)
				assert.Equal(t, tt.original, string(letter.Payload))
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.want, string(letter.Payload))
		})
	}
}

func TestEditedRecords(t *testing.T) {
	for name, tt := range map[string]struct{ signal, edited, err string }{
		"logs":                       {"logs", otlpLogs, ""},
		"spans":                      {"traces", otlpSpans, ""},
		"lines":                      {"logs", strings.ReplaceAll(otlpLogs, "[", "[\n"), ""},
		"spans for logs":             {"logs", otlpSpans, "it has no record for logs; write OTLP JSON"},
		"logs for spans":             {"traces", otlpLogs, "it has no record for traces"},
		"no records":                 {"logs", `{}`, "it has no record for logs"},
		"a scope without records":    {"logs", `{"resourceLogs":[{"scopeLogs":[{"logRecords":[]}]}]}`, "it has no record for logs"},
		"a member of the wrong type": {"logs", `{"resourceLogs":5}`, "it is not OTLP JSON"},
		"text":                       {"logs", `x`, "it must be a record as OTLP JSON"},
		"an array":                   {"logs", `[]`, "it is not OTLP JSON"},
		"empty":                      {"logs", ``, "it is empty"},
		"a truncated record":         {"logs", otlpLogs[:40], "it must be a record as OTLP JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			letter := deadletter.Letter{Signal: tt.signal, OTLP: []byte(`{"resourceLogs":[]}`)}
			err := edit(&letter, []byte(tt.edited))
			if tt.err != "" {
				require.ErrorIs(t, err, deadletter.ErrInvalidPayload)
				require.ErrorContains(t, err, tt.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.edited, string(letter.OTLP))
			assert.Empty(t, letter.Payload)
		})
	}
}
