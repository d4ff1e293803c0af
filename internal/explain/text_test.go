// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestHostileTextsStayText has a text with control characters and a command in each place of a result.
func TestHostileTextsStayText(t *testing.T) {
	const hostile = "\x1b[31m\u009b\u202e\nid\r\nid"
	result := &Result{
		Rejected:  []string{hostile},
		Pipelines: []Pipeline{{Processors: []Processor{{Error: hostile}}}},
		Backends: []Backend{
			{ID: "a", Why: hostile},
			{ID: "b", Error: hostile, Refused: []Refused{{Event: Event{Signal: "logs", Name: hostile}, Message: hostile}}},
			{ID: "c", Requests: []Request{{Method: "POST", URL: hostile, Body: hostile, Headers: http.Header{"X": {hostile}}}}},
		},
	}
	for name, write := range map[string]func(io.Writer) error{"text": result.WriteText, "JSON": result.WriteJSON, "curl": result.WriteCurl} {
		var out strings.Builder
		require.NoError(t, write(&out))
		assert.Equal(t, out.String(), Visible(out.String()), name)
		if name == "curl" {
			assert.NotContains(t, out.String(), "\nid")
		}
		if name == "JSON" {
			var read Result
			require.NoError(t, json.Unmarshal([]byte(out.String()), &read))
			assert.Equal(t, hostile, read.Rejected[0])
		}
	}
}
