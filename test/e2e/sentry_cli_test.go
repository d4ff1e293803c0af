// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	sentryintake "github.com/otelcol-fanout/otelcol-fanout/test/intake/sentry"
	"github.com/otelcol-fanout/otelcol-fanout/test/intake/standin"
)

// TestSentryCLIParsesEveryGoldenEnvelope sends the envelopes of the sentry exporter's golden files with
// Sentry's own client. It parses every item into the types of Sentry's SDK for Rust, and writes them
// anew, without what these types do not have.
func TestSentryCLIParsesEveryGoldenEnvelope(t *testing.T) {
	needNode(t)
	folder, sent := writeGoldenEnvelopes(t)
	dsn, received := recordEnvelopes(t)
	output, err := sendEnvelopes(t, filepath.Join(folder, "*"), dsn)
	require.NoError(t, err, "the envelope after the last one that was dispatched is refused:\n%s", output)
	arrived := received()
	require.Len(t, arrived, len(sent))
	for i := range sent {
		t.Run(fmt.Sprintf("%03d %s", i, sent[i].EventID()), func(t *testing.T) { assertSameContent(t, sent[i], arrived[i]) })
	}
}

func TestSentryCLIRefusesInvalidEvents(t *testing.T) {
	needNode(t)
	const header = `{"event_id":"7d9f3c1e5a2b4c3d8e4f0123456789ab"}` + "\n" + `{"type":"event"}` + "\n"
	for name, event := range map[string]string{
		"logentry without message": `{"logentry":{"formatted":"a"}}`,
		"exception without type":   `{"exception":{"values":[{"value":"a"}]}}`,
	} {
		t.Run(name, func(t *testing.T) {
			dsn, received := recordEnvelopes(t)
			file := filepath.Join(t.TempDir(), "envelope")
			require.NoError(t, os.WriteFile(file, []byte(header+event), 0o600))
			output, err := sendEnvelopes(t, file, dsn)
			require.Error(t, err)
			assert.Contains(t, output, "invalid item payload")
			assert.Empty(t, received())
		})
	}
}

// sendEnvelopes sends the envelopes of the files that match a pattern.
func sendEnvelopes(t *testing.T, pattern, dsn string) (output string, err error) {
	t.Helper()
	cli, err := filepath.Abs("node/node_modules/.bin/sentry-cli")
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), cli, "send-envelope", pattern)
	cmd.Dir = t.TempDir()
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + cmd.Dir, "SENTRY_DSN=" + dsn} // without the developer's account
	printed, err := cmd.CombinedOutput()
	return string(printed), err
}

// recordEnvelopes starts a server that accepts every envelope: the strict intake refuses requests of
// sentry-cli for their headers. received returns them in order.
func recordEnvelopes(t *testing.T) (dsn string, received func() []sentryintake.Envelope) {
	t.Helper()
	var mu sync.Mutex
	var envelopes []sentryintake.Envelope
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		assert.Equal(t, "/api/42/envelope/", r.URL.Path)
		envelope, err := sentryintake.ParseEnvelope(body)
		assert.NoError(t, err)
		mu.Lock()
		defer mu.Unlock()
		envelopes = append(envelopes, envelope)
		_, _ = io.WriteString(w, "{}")
	}))
	t.Cleanup(s.Close)
	return strings.Replace(s.URL, "://", "://examplepublickey@", 1) + "/42", func() []sentryintake.Envelope {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(envelopes)
	}
}

// writeGoldenEnvelopes writes each envelope into a file of its own, and returns them in the order of
// their names. It leaves out spans of version 2, for which sentry-cli has no types.
func writeGoldenEnvelopes(t *testing.T) (folder string, envelopes []sentryintake.Envelope) {
	t.Helper()
	goldens, err := filepath.Glob("../../exporter/sentryexporter/testdata/*/want.envelopes")
	require.NoError(t, err)
	require.NotEmpty(t, goldens)
	folder = t.TempDir()
	for _, golden := range goldens {
		text, err := os.ReadFile(golden)
		require.NoError(t, err)
		for _, request := range regexp.MustCompile(`(?m)^POST `).Split(string(text), -1)[1:] {
			_, body, _ := strings.Cut(request, "\n\n")
			body = strings.Replace(body, `"sent_at":"..."`, `"sent_at":"`+time.Now().UTC().Format(time.RFC3339)+`"`, 1)
			envelope, err := sentryintake.ParseEnvelope([]byte(strings.TrimRight(body, "\n")))
			require.NoError(t, err, golden)
			if len(envelope.Of("span")) > 0 {
				continue
			}
			name := fmt.Sprintf("%04d_%s", len(envelopes), filepath.Base(filepath.Dir(golden)))
			require.NoError(t, os.WriteFile(filepath.Join(folder, name), envelope.Raw, 0o600))
			envelopes = append(envelopes, envelope)
		}
	}
	require.Greater(t, len(envelopes), 100)
	return folder, envelopes
}

func assertSameContent(t *testing.T, sent, arrived sentryintake.Envelope) {
	t.Helper()
	require.Len(t, arrived.Items, len(sent.Items))
	for i := range sent.Items {
		assert.Equal(t, sent.Items[i].Type, arrived.Items[i].Type)
		var payloads [2]any
		for n, payload := range [][]byte{sent.Items[i].Payload, arrived.Items[i].Payload} {
			value, violation := standin.Decode(payload, sentryintake.RulePayload, "payload")
			require.Nil(t, violation)
			payloads[n] = value
		}
		assertSame(t, "", payloads[0], payloads[1])
	}
}

// assertSame checks that a member, which path names, arrived as it was sent.
func assertSame(t *testing.T, path string, sent, arrived any) {
	t.Helper()
	switch sent := sent.(type) {
	case map[string]any:
		object, _ := arrived.(map[string]any)
		for name, value := range sent {
			if got, ok := object[name]; ok {
				assertSame(t, path+"."+name, value, got)
			} else {
				assert.True(t, isDropped(path+"."+name, value), "%s.%s did not arrive: %v", path, name, value)
			}
		}
		for name := range object {
			_, ok := sent[name]
			assert.True(t, ok || strings.HasPrefix(path, ".contexts.") && name == "type", "%s.%s was not sent", path, name)
		}
	case []any:
		list, _ := arrived.([]any)
		require.Len(t, list, len(sent), path)
		for i := range sent {
			assertSame(t, path, sent[i], list[i])
		}
	default:
		assert.Equal(t, canonical(path, sent), canonical(path, arrived), path)
	}
}

// isDropped reports whether sentry-cli drops a member: it has the default value, it is an empty object,
// or the types of Sentry's SDK for Rust do not have it.
func isDropped(path string, value any) bool {
	switch path {
	case ".level":
		return value == "error"
	case ".breadcrumbs.values.level":
		return value == "info"
	case ".platform":
		return value == "other"
	case ".exception.values.mechanism.exception_id", ".exception.values.mechanism.parent_id", ".exception.values.mechanism.source",
		".exception.values.mechanism.is_exception_group", ".logentry.formatted", ".breadcrumbs.values.type", ".contexts.trace.data",
		".type", ".transaction_info", ".spans.data", ".spans.links", ".spans.origin", ".sdk.settings", ".version", ".items.span_id":
		return true
	}
	object, ok := value.(map[string]any)
	return ok && len(object) == 0
}

// canonical returns a value in one of the forms that mean the same: times as seconds, and URLs without
// escapes.
func canonical(path string, value any) string {
	text := fmt.Sprint(value)
	if path == ".request.url" {
		if unescaped, err := url.PathUnescape(text); err == nil {
			return unescaped
		}
	}
	if !strings.HasSuffix(path, "timestamp") {
		return text
	}
	if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return fmt.Sprintf("%d.%06d", at.Unix(), at.Nanosecond()/1000)
	}
	seconds, fraction, _ := strings.Cut(text, ".")
	return seconds + "." + (fraction + "000000")[:6]
}
