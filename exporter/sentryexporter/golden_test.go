// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.yaml.in/yaml/v3"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/deliverytest"
	sentryintake "github.com/otelcol-fanout/otelcol-fanout/test/intake/sentry"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestGolden compares the envelopes of each testdata/<case> with its want.envelopes. A case has
// logs.yaml, traces.yaml or both, which are OTLP JSON written as YAML, and config.yaml if its
// configuration is not the default.
func TestGolden(t *testing.T) {
	cases, err := filepath.Glob("testdata/*/want.envelopes")
	require.NoError(t, err)
	inputs, err := filepath.Glob("testdata/*/*s.yaml")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(inputs), 25)
	seen := map[string]bool{}
	for _, file := range append(inputs, cases...) {
		if dir := filepath.Dir(file); !seen[dir] {
			seen[dir] = true
			t.Run(filepath.Base(dir), func(t *testing.T) { golden(t, dir) })
		}
	}
}

func golden(t *testing.T, dir string) {
	in := sentryintake.New(t, sentryintake.Project{ID: "42", PublicKey: "examplepublickey"},
		sentryintake.Project{ID: "43", PublicKey: "otherpublickey", SecretKey: "legacysecret", Path: "/sub/path"})
	with := setup(goldenConfig(t, in, dir))
	if raw, ok := readYAML(t, dir, "logs.yaml"); ok {
		ld, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(raw)
		require.NoError(t, err)
		with.StartLogs(t).Send(ld)
	}
	if raw, ok := readYAML(t, dir, "traces.yaml"); ok {
		td, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(raw)
		require.NoError(t, err)
		with.StartTraces(t).Send(td)
	}
	got := requests(in)
	file := filepath.Join(dir, "want.envelopes")
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err, "go test with -update writes it")
	assert.Equal(t, string(want), got)
}

// goldenConfig returns the configuration of a case. DSN-42 and DSN-43 in it stand for DSNs.
func goldenConfig(t *testing.T, in *sentryintake.Intake, dir string) *Config {
	cfg := createDefaultConfig().(*Config)
	text, err := os.ReadFile(filepath.Join(dir, "config.yaml"))
	if err != nil {
		text = []byte("dsn: DSN-42")
	}
	var conf map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(strings.NewReplacer("DSN-42", in.DSN("42"), "DSN-43", in.DSN("43")).Replace(string(text))), &conf))
	require.NoError(t, confmap.NewFromStringMap(conf).Unmarshal(cfg))
	cfg.Delivery.Dispatch = delivery.DispatchSync
	cfg.Delivery.MaxInFlight = 1
	cfg.Delivery.DeadLetter = deliverytest.DeadLetterID()
	return cfg
}

func readYAML(t testing.TB, dir, name string) ([]byte, bool) {
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return nil, false
	}
	var value any
	require.NoError(t, yaml.Unmarshal(text, &value))
	raw, err := json.Marshal(value)
	require.NoError(t, err)
	return raw, true
}

// sentAt matches the member of an envelope's header that differs each time.
var sentAt = regexp.MustCompile(`"sent_at":"[^"]*"`)

// requests returns what the intake received, without the times of sending.
func requests(in *sentryintake.Intake) string {
	var b strings.Builder
	for _, r := range in.Requests() {
		b.WriteString(r.Method + " " + r.URI + "\n")
		for _, name := range []string{"Content-Type", "User-Agent", "X-Sentry-Auth"} {
			b.WriteString(name + ": " + r.Header.Get(name) + "\n")
		}
		b.WriteString("\n" + sentAt.ReplaceAllString(string(r.Envelope.Raw), `"sent_at":"..."`) + "\n\n")
	}
	return b.String()
}
