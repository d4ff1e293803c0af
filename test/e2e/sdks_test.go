// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	sentryintake "github.com/otelcol-fanout/otelcol-fanout/test/intake/sentry"
)

// sdkRun runs the example of docs/events.md for an SDK, against an OTLP endpoint.
type sdkRun func(t *testing.T, code, endpoint string)

// TestSDKsSendSameEvent runs the examples of docs/events.md with OpenTelemetry's SDKs. Each sends the
// same event, and an exception that has a cause.
func TestSDKsSendSameEvent(t *testing.T) {
	t.Parallel()
	for _, sdk := range []struct {
		heading, block string
		run            sdkRun
		wantMessages   []string // of the exceptions at Sentry, the cause first
	}{
		{"### Node.js SDK", "js", runNode, []string{"", "the card was declined"}},
		{"### Python SDK", "python", runPython, []string{"terminal", "the card was declined"}},
		{"### Java SDK", "java", runJava, []string{"terminal", "the card was declined"}},
		{"### Go SDK", "go", runGo, []string{"no terminal", "the card was declined: no terminal"}},
	} {
		t.Run(sdk.block, func(t *testing.T) {
			t.Parallel()
			if sdk.block == "java" && !has("mvn", "java") {
				t.Log("there is no Maven or no Java here to run the example")
				return
			}
			in, sentry := newBackend(t, accepting), sentryintake.New(t)
			c := start(t, fmt.Sprintf(`
receivers:
  otlp: {protocols: {http: {endpoint: "127.0.0.1:0"}}}
exporters:
  webhook: {endpoint: %q}
  sentry: {dsn: %q, logs: {enabled: false}}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    logs: {receivers: [otlp], exporters: [webhook, sentry]}
`, in.URL, sentry.DSN()))
			sdk.run(t, blockUnder(t, sdk.heading, sdk.block), "http://"+c.otlpHTTP())

			c.waitFor("the webhook", func() bool { return len(in.taken()) == 2 })
			byName := map[string]event{}
			for _, e := range in.taken() {
				byName[e.name()] = e
			}
			c.waitFor("the issue", func() bool { return len(sentry.Events()) == 1 })
			c.stop()
			assertSameEvent(t, byName["order_placed"])
			require.Contains(t, byName, "", "an exception without a name")
			assert.Equal(t, map[string]any{"id": "u1"}, byName[""]["user"])
			assertCauses(t, sentry, sdk.wantMessages)
		})
	}
}

func assertSameEvent(t *testing.T, e event) {
	t.Helper()
	source, _ := e["source"].(map[string]any)
	assert.Equal(t, "shop", source["name"])
	assert.Equal(t, "1.2.3", source["version"])
	assert.Equal(t, "order-17-placed", e.id())
	assert.Equal(t, "2026-01-31T12:00:00Z", e["timestamp"])
	assert.Equal(t, map[string]any{"id": "u1"}, e["user"])
	assert.Equal(t, map[string]any{
		"order_id": json.Number("17"), "total": json.Number("12.5"), "items": []any{"tea", "cup"},
	}, e["properties"])
}

// assertCauses checks the messages of an issue's exceptions. The empty one is any text, because it
// differs between versions of the runtime.
func assertCauses(t *testing.T, in *sentryintake.Intake, want []string) {
	t.Helper()
	var issue struct {
		Exception struct{ Values []exception }
	}
	require.NoError(t, json.Unmarshal(in.Raw("event")[0], &issue))
	require.Len(t, issue.Exception.Values, len(want))
	for i, message := range want {
		assert.Contains(t, issue.Exception.Values[i].Value, message)
	}
}

func runNode(t *testing.T, code, endpoint string) {
	t.Helper()
	needNode(t)
	folder := t.TempDir()
	packages, err := filepath.Abs("node/node_modules")
	require.NoError(t, err)
	require.NoError(t, os.Symlink(packages, filepath.Join(folder, "node_modules")))
	runSnippet(t, folder, "send.mjs", code, endpoint, "node", "send.mjs")
}

func runPython(t *testing.T, code, endpoint string) {
	t.Helper()
	runSnippet(t, t.TempDir(), "send.py", code, endpoint, needPython(t), "send.py")
}

func runJava(t *testing.T, code, endpoint string) {
	t.Helper()
	folder := t.TempDir()
	runIn(t, "java", nil, "mvn", "-q", "-f", "pom.xml", "dependency:copy-dependencies", "-DoutputDirectory="+folder)
	runSnippet(t, folder, "SendEvent.java", code, endpoint, "java", "-cp", "*", "SendEvent.java")
}

func runGo(t *testing.T, code, endpoint string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "main.go")
	require.NoError(t, os.WriteFile(file, []byte(strings.ReplaceAll(code, "http://localhost:4318", endpoint)+"\n"), 0o600))
	assert.Empty(t, runIn(t, root, nil, "go", "run", file))
}

// runSnippet writes a code block into a folder and runs it there. It must print nothing.
func runSnippet(t *testing.T, folder, file, code, endpoint, program string, args ...string) {
	t.Helper()
	code = strings.ReplaceAll(code, "http://localhost:4318", endpoint)
	require.NoError(t, os.WriteFile(filepath.Join(folder, file), []byte(code+"\n"), 0o600))
	assert.Empty(t, runIn(t, folder, []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + endpoint}, program, args...))
}

// has reports whether all programs are installed.
func has(programs ...string) bool {
	for _, program := range programs {
		if _, err := exec.LookPath(program); err != nil {
			return false
		}
	}
	return true
}
