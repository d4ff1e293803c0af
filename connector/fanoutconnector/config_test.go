// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package fanoutconnector

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pipeline"

	"github.com/otelcol-fanout/otelcol-fanout/connector/fanoutconnector/internal/metadata"
)

func writeFile(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestInvalidConfigurationIsRefused(t *testing.T) {
	for _, tt := range []struct{ name, config, want string }{
		{"empty", `{}`, "routes and default_pipelines: both are missing, so no event would go anywhere; write default_pipelines: [logs/...]"},
		{"unknown key", `{default_pipeline: [logs/a]}`, `unknown key "default_pipeline"; did you mean "default_pipelines"?`},
		{"unknown key of a route", `{routes: [{event: [x], pipelines: [logs/a]}]}`, `unknown key "routes::0::event"; did you mean "events"?`},
		{"route without events", `{routes: [{pipelines: [logs/a]}]}`, "routes::0::events: is missing; write names or patterns, such as [login_success, signup_*]"},
		{"route without pipelines", `{routes: [{events: [x]}]}`, "routes::0::pipelines: is missing; write where the events go, such as [logs/sentry], or [] to drop them"},
		{"empty name", `{routes: [{events: [x, ""], pipelines: [logs/a]}]}`, `routes::0::events: "" is not a name or a pattern; write one such as signup_*`},
		{"pattern of a shell", `{routes: [{events: ["signup_?"], pipelines: [logs/a]}]}`, `routes::0::events: "signup_?": only * is special in a pattern, so ? matches only itself; write * for any text, such as signup_*`},
		{"line feed in a name", `{routes: [{events: ["x\n"], pipelines: [logs/a]}]}`, `routes::0::events: "x\n" is not a name or a pattern; write one such as signup_*`},
		{"pipeline of another signal", `{routes: [{events: [x], pipelines: [metrics/a]}]}`, "routes::0::pipelines: metrics/a is a pipeline of metrics; only logs and traces are routed"},
		{"default pipeline of another signal", `{default_pipelines: [metrics]}`, "default_pipelines: metrics is a pipeline of metrics; only logs and traces are routed"},
		{"not a pipeline ID", `{default_pipelines: [sentry]}`, `unknown pipeline signal: "sentry"`},
		{"sync pipeline without events", `{default_pipelines: [logs/a], sync: [logs/b]}`, "sync: logs/b is in no route and not in default_pipelines; remove it, or route events to it"},
		{"name of an earlier route", `{routes: [{events: [x], pipelines: [logs/a]}, {events: [y, x], pipelines: [logs/b]}]}`,
			`routes::1::events: "x" is never reached, since routes::0 has "x"; move it up, or remove it`},
		{"name that an earlier pattern matches", `{routes: [{events: [y, "sign*"], pipelines: [logs/a]}, {events: [signup], pipelines: [logs/b]}]}`,
			`routes::1::events: "signup" is never reached, since routes::0 has "sign*"; move it up, or remove it`},
		{"pattern that an earlier pattern covers", `{routes: [{events: ["a*"], pipelines: [logs/a]}, {events: ["*b*"], pipelines: [logs/a]}, {events: ["x*b*y"], pipelines: [logs/b]}]}`,
			`routes::2::events: "x*b*y" is never reached, since routes::1 has "*b*"; move it up, or remove it`},
		{"name that an earlier route drops", `{routes: [{events: ["a*"], pipelines: []}, {events: [ab], pipelines: [traces/a]}]}`,
			`routes::1::events: "ab" is never reached, since routes::0 has "a*"; move it up, or remove it`},
		{"default pipelines after a star", `{routes: [{events: ["*"], pipelines: [logs/a]}], default_pipelines: [logs/b]}`,
			`default_pipelines: is never reached by logs, since routes::0 has "*"; remove one of the two`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg, err := tryConfig(t, tt.config)
			if err == nil {
				err = confmap.Validate(cfg)
			}
			require.Error(t, err)
			assert.Contains(t, err.Error(), tt.want)
		})
	}
}

func TestValidConfigurationIsAccepted(t *testing.T) {
	for _, tt := range []struct{ name, config string }{
		{"only default pipelines", `{default_pipelines: [logs/a]}`},
		{"only routes", `{routes: [{events: [x], pipelines: [logs/a]}]}`},
		{"route that drops events", `{routes: [{events: ["debug_*"], pipelines: []}], default_pipelines: [logs]}`},
		{"more specific pattern first", `{routes: [{events: ["a_b*"], pipelines: [logs/a]}, {events: ["a_*"], pipelines: [logs/b]}]}`},
		{"overlapping patterns", `{routes: [{events: ["a*"], pipelines: [logs/a]}, {events: ["*z"], pipelines: [logs/b]}]}`},
		{"same pattern for each signal", `{routes: [{events: ["*"], pipelines: [logs/a]}, {events: ["*"], pipelines: [traces/a]}]}`},
		{"star for logs, default for traces", `{routes: [{events: ["*"], pipelines: [logs/a]}], default_pipelines: [traces/b]}`},
		{"name covered within its route", `{routes: [{events: ["a*", ab, ab], pipelines: [logs/a]}]}`},
		{"sync pipelines", `{routes: [{events: [x], pipelines: [logs/a]}], default_pipelines: [traces/b], sync: [logs/a, traces/b]}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			assert.NoError(t, confmap.Validate(readConfig(t, tt.config)))
		})
	}
}

func TestUnknownAndUnusedPipelinesAreRefused(t *testing.T) {
	for _, tt := range []struct {
		name, config string
		fed          []string
		want         string
	}{
		{"mistyped pipeline in a route", `{routes: [{events: [y], pipelines: [logs/b]}, {events: [x], pipelines: [logs/aa]}], default_pipelines: [logs/a]}`, []string{"logs/b", "logs/a"},
			"routes::1::pipelines: no pipeline logs/aa has this connector as a receiver; these do: logs/a, logs/b"},
		{"mistyped default pipeline", `{default_pipelines: [logs/a, logs/c]}`, []string{"logs/a"},
			"default_pipelines: no pipeline logs/c has this connector as a receiver; these do: logs/a"},
		{"pipeline without events", `{default_pipelines: [logs/a, traces/b]}`, []string{"logs/b", "logs/a"},
			"pipeline logs/b has this connector as a receiver, but is in no route and not in default_pipelines; route events to it, or remove it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			next := map[pipeline.ID]consumer.Logs{}
			for _, text := range tt.fed {
				next[pipelineID(t, text)] = consumertest.NewNop()
			}
			set := connectortest.NewNopSettings(metadata.Type)
			_, err := NewFactory().CreateLogsToLogs(context.Background(), set, readConfig(t, tt.config), connector.NewLogsRouter(next))
			assert.EqualError(t, err, "connectors::"+set.ID.String()+": "+tt.want)
		})
	}
}

func TestTooManyPipelinesAreRefused(t *testing.T) {
	cfg, next := &Config{}, map[pipeline.ID]consumer.Traces{}
	for i := range 65 {
		id := pipeline.NewIDWithName(pipeline.SignalTraces, string(rune('A'+i)))
		cfg.DefaultPipelines = append(cfg.DefaultPipelines, id)
		next[id] = consumertest.NewNop()
	}
	_, err := NewFactory().CreateTracesToTraces(context.Background(), connectortest.NewNopSettings(metadata.Type), cfg, connector.NewTracesRouter(next))
	assert.ErrorContains(t, err, ": 65 pipelines of traces have this connector as a receiver, but it feeds at most 64")
}

// TestConsumerThatCannotRouteIsRefused covers a collector that passes no router to the connector.
func TestConsumerThatCannotRouteIsRefused(t *testing.T) {
	set := connectortest.NewNopSettings(metadata.Type)
	_, err := NewFactory().CreateLogsToLogs(context.Background(), set, &Config{}, consumertest.NewNop())
	require.ErrorContains(t, err, "cannot route to single pipelines")
	_, err = NewFactory().CreateTracesToTraces(context.Background(), set, &Config{}, consumertest.NewNop())
	assert.ErrorContains(t, err, "cannot route to single pipelines")
}

func TestReadmeListsEveryKey(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	for _, key := range []string{"routes", "routes::events", "routes::pipelines", "default_pipelines", "sync", "pipelines_enabled"} {
		assert.Regexp(t, "(?m)^\\| `"+key+"` \\|", string(readme))
	}
}
