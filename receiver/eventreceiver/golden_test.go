// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventreceiver

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.yaml.in/yaml/v3"

	"github.com/otelcol-fanout/otelcol-fanout/receiver/eventreceiver/internal/metadata"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// now is the receiver's clock in tests.
var now = time.Unix(1700000000, 0).UTC()

// client is the remote address of test requests.
const client = "192.0.2.10:4711"

// TestRequests sends testdata/requests/<case>/request.http to a receiver with the optional
// config.yaml of the same folder, and compares the response and the received records with want.txt.
func TestRequests(t *testing.T) {
	requests, err := filepath.Glob("testdata/requests/*/request.http")
	require.NoError(t, err)
	require.NotEmpty(t, requests)
	for _, path := range requests {
		dir := filepath.Dir(path)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			sink := new(consumertest.LogsSink)
			handler := newHandler(t, readConfig(t, filepath.Join(dir, "config.yaml")), sink)
			recorder := httptest.NewRecorder()
			handler.ServeHTTP(recorder, readRequest(t, path))

			var got strings.Builder
			fmt.Fprintf(&got, "%d %s\n", recorder.Code, http.StatusText(recorder.Code))
			for _, name := range []string{"Allow", "Content-Type", "X-Content-Type-Options", "Webhook-Allowed-Origin", "Webhook-Allowed-Rate", "Access-Control-Allow-Origin"} {
				if value := recorder.Header().Get(name); value != "" {
					fmt.Fprintf(&got, "%s: %s\n", name, value)
				}
			}
			got.WriteString("\n" + recorder.Body.String())
			for _, ld := range sink.AllLogs() {
				got.WriteString(written(ld))
			}
			checkGolden(t, filepath.Join(dir, "want.txt"), withoutRandomIDs(got.String()))
		})
	}
}

// randomID matches the random ids that the receiver generates.
var randomID = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`)

func withoutRandomIDs(text string) string { return randomID.ReplaceAllString(text, "(a random id)") }

func checkGolden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
		return
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), got)
}

// written renders the logs, one value and its type per line.
func written(ld plog.Logs) string {
	var b strings.Builder
	for _, rl := range ld.ResourceLogs().All() {
		b.WriteString("\nresource\n")
		writeAttributes(&b, rl.Resource().Attributes())
		for _, sl := range rl.ScopeLogs().All() {
			for _, record := range sl.LogRecords().All() {
				writeRecord(&b, record)
			}
		}
	}
	return b.String()
}

func writeRecord(b *strings.Builder, record plog.LogRecord) {
	fmt.Fprintf(b, "record %q at %s\n", record.EventName(), record.Timestamp().AsTime().Format(time.RFC3339Nano))
	if record.SeverityNumber() != 0 || record.SeverityText() != "" {
		fmt.Fprintf(b, "  severity %d %q\n", record.SeverityNumber(), record.SeverityText())
	}
	if !record.TraceID().IsEmpty() {
		fmt.Fprintf(b, "  trace %s span %s flags %d\n", record.TraceID(), record.SpanID(), record.Flags())
	}
	if record.Body().Type() != pcommon.ValueTypeEmpty {
		fmt.Fprintf(b, "  body = %s %s\n", record.Body().Type(), record.Body().AsString())
	}
	writeAttributes(b, record.Attributes())
}

func writeAttributes(b *strings.Builder, attributes pcommon.Map) {
	for name, v := range attributes.All() {
		fmt.Fprintf(b, "  %s = %s %s\n", name, v.Type(), v.AsString())
	}
}

// readRequest reads a request that is written with line feeds only, and whose length is that of its
// body.
func readRequest(t testing.TB, path string) *http.Request {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	head, body, ok := bytes.Cut(text, []byte("\n\n"))
	require.True(t, ok, "%s has no empty line after its headers", path)
	body = bytes.TrimSuffix(body, []byte("\n"))
	head = bytes.ReplaceAll(head, []byte("\n"), []byte("\r\n"))
	head = fmt.Appendf(head, "\r\nContent-Length: %d\r\n\r\n", len(body))
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(append(head, body...))))
	require.NoError(t, err)
	r.RemoteAddr = client
	return r
}

func readConfig(t testing.TB, path string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	require.NoError(t, err)
	conf := map[string]any{}
	require.NoError(t, yaml.Unmarshal(text, &conf))
	return conf
}

func newConfig(t testing.TB, conf map[string]any) *Config {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	require.NoError(t, confmap.NewFromStringMap(conf).Unmarshal(cfg))
	require.NoError(t, confmap.Validate(cfg))
	return cfg
}

// newHandler returns the handler of a receiver that does not listen.
func newHandler(t testing.TB, conf map[string]any, next consumer.Logs) http.Handler {
	t.Helper()
	return newHandlerOf(t, receivertest.NewNopSettings(metadata.Type), newConfig(t, conf), next)
}

func newHandlerOf(t testing.TB, set receiver.Settings, cfg *Config, next consumer.Logs) http.Handler {
	t.Helper()
	r, err := newReceiver(set, cfg, next)
	require.NoError(t, err)
	r.intake.now = func() time.Time { return now }
	require.NoError(t, r.buildServer(t.Context(), componenttest.NewNopHost(), nil))
	return r.server.Handler
}
