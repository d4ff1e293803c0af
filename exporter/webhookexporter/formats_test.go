// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package webhookexporter

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.yaml.in/yaml/v3"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/deliverytest"
)

// TestFormats sends testdata/formats/logs.yaml, or traces.yaml for cases named traces_*, with each
// testdata/formats/<case>/config.yaml, and compares the requests with want.http.
func TestFormats(t *testing.T) {
	configs, err := filepath.Glob("testdata/formats/*/config.yaml")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(configs), 35)
	for _, file := range configs {
		dir := filepath.Dir(file)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			got := exchange(t, readYAML(t, file), strings.HasPrefix(filepath.Base(dir), "traces_"))
			want := filepath.Join(dir, "want.http")
			if *update {
				require.NoError(t, os.WriteFile(want, []byte(got), 0o600))
			}
			wanted, err := os.ReadFile(want)
			require.NoError(t, err, "go test with -update writes it")
			assert.Equal(t, string(wanted), got)
		})
	}
}

// exchange returns the requests that a webhook gets.
func exchange(t *testing.T, conf map[string]any, traces bool) string {
	t.Helper()
	rec := newRecorder(t)
	cfg := testConfig(rec.URL+"/hook?token=t1", "")
	require.NoError(t, confmap.NewFromStringMap(conf).Unmarshal(cfg))
	cfg.RateLimit = 1e6
	setup := deliverytest.Setup{Factory: NewFactory(), Config: cfg, Credentials: []string{string(cfg.PagerDuty.RoutingKey), "token=t1"}}
	if cfg.PagerDuty.RoutingKey == "" {
		setup.Credentials = nil
	}
	if traces {
		td, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(toJSON(t, readYAML(t, "testdata/formats/traces.yaml")))
		require.NoError(t, err)
		setup.StartTraces(t).Send(td)
	} else {
		setup.StartLogs(t).Send(formatLogs(t))
	}
	return rec.text()
}

func formatLogs(t testing.TB) plog.Logs {
	t.Helper()
	ld, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(toJSON(t, readYAML(t, "testdata/formats/logs.yaml")))
	require.NoError(t, err)
	return ld
}

func readYAML(t testing.TB, path string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var value map[string]any
	require.NoError(t, yaml.Unmarshal(text, &value))
	return value
}

func toJSON(t testing.TB, value any) []byte {
	t.Helper()
	raw, err := json.Marshal(value)
	require.NoError(t, err)
	return raw
}

// recorder is a server that records anything that is JSON.
type recorder struct {
	*httptest.Server
	t *testing.T

	mu       sync.Mutex
	requests []recorded
}

type recorded struct {
	uri    string
	header http.Header
	body   []byte
}

func newRecorder(t *testing.T) *recorder {
	t.Helper()
	rec := &recorder{t: t}
	rec.Server = httptest.NewServer(rec)
	t.Cleanup(rec.Close)
	return rec
}

func (rec *recorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	assert.NoError(rec.t, err)
	assert.Equal(rec.t, http.MethodPost, r.Method)
	if r.Header.Get("Content-Type") == "application/x-ndjson" {
		for line := range strings.Lines(string(body)) {
			assert.True(rec.t, json.Valid([]byte(line)), "%s", line)
		}
	} else {
		assert.True(rec.t, json.Valid(body), "%s", body)
	}
	rec.mu.Lock()
	defer rec.mu.Unlock()
	rec.requests = append(rec.requests, recorded{r.RequestURI, r.Header, body})
	w.WriteHeader(http.StatusAccepted)
}

func (rec *recorder) all() []recorded {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	return slices.Clone(rec.requests)
}

// text returns the requests, without headers that all of them have.
func (rec *recorder) text() string {
	var b strings.Builder
	for _, req := range rec.all() {
		b.WriteString("POST " + req.uri + "\n")
		for _, name := range slices.Sorted(maps.Keys(req.header)) {
			if !slices.Contains([]string{"Accept-Encoding", "User-Agent", "Content-Length"}, name) {
				b.WriteString(name + ": " + strings.Join(req.header[name], ", ") + "\n")
			}
		}
		b.WriteString("\n" + strings.TrimSuffix(string(req.body), "\n") + "\n\n")
	}
	return b.String()
}

func TestSummaryHasNoContent(t *testing.T) {
	configs, err := filepath.Glob("testdata/formats/*summary*/want.http")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(configs), 10)
	for _, file := range configs {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, content := range []string{
			"an order was placed", "alice@", "9007199254740993", "gold", "h1", "declined", "pay.js", "out of disk", "日本 😀", "line one", "checkout",
		} {
			assert.NotContains(t, string(text), content, file)
		}
		assert.Regexp(t, `order\\*_placed|cache\\*_miss|POST /orders`, string(text), file)
	}
}

func TestInt64IsExactInEachFormat(t *testing.T) {
	for _, format := range formats() {
		if format == FormatTemplate {
			continue // its content is up to its author
		}
		text, err := os.ReadFile("testdata/formats/" + map[Format]string{FormatCloudEvents: "cloudevents_structured"}[format] + map[bool]string{true: string(format)}[format != FormatCloudEvents] + "/want.http")
		require.NoError(t, err)
		assert.Contains(t, string(text), "9007199254740993", format)
	}
}

// fuzzConfigs returns backends that together write everything.
func fuzzConfigs(t testing.TB) []*backend {
	files, err := filepath.Glob("testdata/formats/*/config.yaml")
	require.NoError(t, err)
	var all []*backend
	for _, file := range files {
		all = append(all, testBackend(t, readYAML(t, file)))
	}
	return all
}

// FuzzLogs checks that any record becomes JSON in each format, within the limits of its receiver,
// or is refused by a user's template.
func FuzzLogs(f *testing.F) {
	logs := formatLogs(f)
	seed, err := (&plog.ProtoMarshaler{}).MarshalLogs(logs)
	require.NoError(f, err)
	f.Add(seed)
	named, err := (&plog.ProtoMarshaler{}).MarshalLogs(eventsNamed("a", "b", "c"))
	require.NoError(f, err)
	f.Add(named)
	backends := fuzzConfigs(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		ld, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(data)
		if err != nil {
			return
		}
		for _, b := range backends {
			checkRequests(t, b, encodeWith(t, b, ld))
		}
	})
}

// FuzzTraces is FuzzLogs for spans.
func FuzzTraces(f *testing.F) {
	td, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(toJSON(f, readYAML(f, "testdata/formats/traces.yaml")))
	require.NoError(f, err)
	seed, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(td)
	require.NoError(f, err)
	f.Add(seed)
	backends := fuzzConfigs(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		td, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(data)
		if err != nil {
			return
		}
		for _, b := range backends {
			checkRequests(t, b, encodeSpansWith(b, td))
		}
	})
}
