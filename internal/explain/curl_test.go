// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"net/http"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestShellQuotesEverything(t *testing.T) {
	b := &resultBuilder{redactor: redactorOf(&exampleConfig{Key: "literal-key"})}
	assert.Equal(t, `'it'\''s '"$WEBHOOK_AUDIT_API_KEY"' $HOME `+"`x`'", b.shell("it's literal-key $HOME `x`"))
	assert.Equal(t, "''", b.shell(""))
}

// TestShellGetsTheSameBytes lets a shell evaluate quoted texts.
func TestShellGetsTheSameBytes(t *testing.T) {
	b := &resultBuilder{redactor: newRedactor(nil)}
	for _, text := range []string{
		"a'b\"c$(id)`id`\\\n!x", "\x1b[31m\u009b7\u202e\x7f1", "\r\n", "@/etc/passwd", "-n", "tab\tend\n\n", "$HOME ${X} %s \\033 *?~#",
	} {
		quoted := b.shell(text)
		assert.Equal(t, quoted, Visible(quoted), "nothing that a terminal acts on")
		printed, err := exec.CommandContext(t.Context(), "sh", "-c", "printf %s "+quoted).Output()
		require.NoError(t, err)
		assert.Equal(t, text, string(printed))
	}
}

func TestCurlOfUnusualRequests(t *testing.T) {
	b := &resultBuilder{redactor: newRedactor(nil)}
	made := recording{method: "POST", url: "https://h.example/[1-3]{a,b}", header: http.Header{"X-Empty": {""}}, body: []byte("@/etc/passwd")}
	assert.Equal(t, "curl -X POST --globoff 'https://h.example/[1-3]{a,b}' \\\n  -H 'X-Empty;' \\\n  --data-raw '@/etc/passwd'", b.curl(&made, &Request{}))
	made = recording{method: "POST", url: "u", body: []byte("a\x00\xff")}
	assert.Equal(t, "printf %s YQD/ | base64 -d | curl -X POST 'u' \\\n  --data-binary @-", b.curl(&made, &Request{}))
	long := strings.Repeat("x", maxArgument+1)
	made.body = []byte(long)
	assert.Equal(t, "printf %s '"+long+"' | curl -X POST 'u' \\\n  --data-binary @-", b.curl(&made, &Request{}))
}
