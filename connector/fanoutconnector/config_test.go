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

func TestConfigurationsThatAreRefused(t *testing.T) {
	for _, tt := range []struct{ name, config, want string }{
		{"nothing at all", `{}`, "routes and default_pipelines: are both missing, so that no event would go anywhere; write default_pipelines: [logs/...]"},
		{"a key that does not exist", `{default_pipeline: [logs/a]}`, `unknown key "default_pipeline"; did you mean "default_pipelines"?`},
		{"a key of a route that does not exist", `{routes: [{event: [x], pipelines: [logs/a]}]}`, `unknown key "routes::0::event"; did you mean "events"?`},
		{"a route without events", `{routes: [{pipelines: [logs/a]}]}`, "routes::0::events: is missing; write names or patterns, such as [login_success, signup_*]"},
		{"a route without pipelines", `{routes: [{events: [x]}]}`, "routes::0::pipelines: is missing; write where the events go, such as [logs/sentry], or [] to drop them"},
		{"an empty name", `{routes: [{events: [x, ""], pipelines: [logs/a]}]}`, `routes::0::events: "" is not a name or a pattern; write one such as signup_*`},
		{"a name with a line feed", `{routes: [{events: ["x\n"], pipelines: [logs/a]}]}`, `routes::0::events: "x\n" is not a name or a pattern; write one such as signup_*`},
		{"a pipeline of another signal", `{routes: [{events: [x], pipelines: [metrics/a]}]}`, "routes::0::pipelines: metrics/a is a pipeline of metrics; only logs and traces are routed"},
		{"a default pipeline of another signal", `{default_pipelines: [metrics]}`, "default_pipelines: metrics is a pipeline of metrics; only logs and traces are routed"},
		{"a word that is no pipeline", `{default_pipelines: [sentry]}`, `unknown pipeline signal: "sentry"`},
		{"a sync pipeline that gets nothing", `{default_pipelines: [logs/a], sync: [logs/b]}`, "sync: logs/b is in no route and not in default_pipelines; remove it, or route events to it"},
		{"a name that an earlier route has", `{routes: [{events: [x], pipelines: [logs/a]}, {events: [y, x], pipelines: [logs/b]}]}`,
			`routes::1::events: "x" is never reached, since routes::0 has "x"; move it up, or remove it`},
		{"a name that an earlier pattern matches", `{routes: [{events: [y, "sign*"], pipelines: [logs/a]}, {events: [signup], pipelines: [logs/b]}]}`,
			`routes::1::events: "signup" is never reached, since routes::0 has "sign*"; move it up, or remove it`},
		{"a pattern that an earlier pattern covers", `{routes: [{events: ["a*"], pipelines: [logs/a]}, {events: ["*b*"], pipelines: [logs/a]}, {events: ["x*b*y"], pipelines: [logs/b]}]}`,
			`routes::2::events: "x*b*y" is never reached, since routes::1 has "*b*"; move it up, or remove it`},
		{"a route after one that drops", `{routes: [{events: ["a*"], pipelines: []}, {events: [ab], pipelines: [traces/a]}]}`,
			`routes::1::events: "ab" is never reached, since routes::0 has "a*"; move it up, or remove it`},
		{"default pipelines behind a star", `{routes: [{events: ["*"], pipelines: [logs/a]}], default_pipelines: [logs/b]}`,
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

func TestConfigurationsThatAreTaken(t *testing.T) {
	for _, tt := range []struct{ name, config string }{
		{"default pipelines alone", `{default_pipelines: [logs/a]}`},
		{"routes alone", `{routes: [{events: [x], pipelines: [logs/a]}]}`},
		{"a route that drops", `{routes: [{events: ["debug_*"], pipelines: []}], default_pipelines: [logs]}`},
		{"the narrower pattern first", `{routes: [{events: ["a_b*"], pipelines: [logs/a]}, {events: ["a_*"], pipelines: [logs/b]}]}`},
		{"patterns that overlap", `{routes: [{events: ["a*"], pipelines: [logs/a]}, {events: ["*z"], pipelines: [logs/b]}]}`},
		{"the same pattern for each signal", `{routes: [{events: ["*"], pipelines: [logs/a]}, {events: ["*"], pipelines: [traces/a]}]}`},
		{"a star for logs and a default for traces", `{routes: [{events: ["*"], pipelines: [logs/a]}], default_pipelines: [traces/b]}`},
		{"a pattern twice in one route", `{routes: [{events: ["a*", ab, ab], pipelines: [logs/a]}]}`},
		{"a sync pipeline", `{routes: [{events: [x], pipelines: [logs/a]}], default_pipelines: [traces/b], sync: [logs/a, traces/b]}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			assert.NoError(t, confmap.Validate(readConfig(t, tt.config)))
		})
	}
}

func TestPipelinesThatDoNotFitAreRefusedAtTheStart(t *testing.T) {
	for _, tt := range []struct {
		name, config string
		fed          []string
		want         string
	}{
		{"a mistyped pipeline in a route", `{routes: [{events: [y], pipelines: [logs/b]}, {events: [x], pipelines: [logs/aa]}], default_pipelines: [logs/a]}`, []string{"logs/b", "logs/a"},
			"routes::1::pipelines: logs/aa is no pipeline with this connector among its receivers; there are: logs/a, logs/b"},
		{"a mistyped default pipeline", `{default_pipelines: [logs/a, logs/c]}`, []string{"logs/a"},
			"default_pipelines: logs/c is no pipeline with this connector among its receivers; there are: logs/a"},
		{"pipelines that nothing goes to", `{default_pipelines: [logs/a, traces/b]}`, []string{"logs/b", "logs/a"},
			"pipeline logs/b has this connector as a receiver, but is in no route and not in default_pipelines; route events to it, or remove it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			next := map[pipeline.ID]consumer.Logs{}
			for _, text := range tt.fed {
				next[pipelineID(t, text)] = consumertest.NewNop()
			}
			_, err := NewFactory().CreateLogsToLogs(context.Background(), connectortest.NewNopSettings(metadata.Type), readConfig(t, tt.config), connector.NewLogsRouter(next))
			assert.EqualError(t, err, tt.want)
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
	assert.EqualError(t, err, "there are 65 pipelines of traces; one connector feeds up to 64")
}

// The collector gives a connector a router. Whatever else it may give cannot be routed to.
func TestAConsumerThatIsNoRouterIsRefused(t *testing.T) {
	set := connectortest.NewNopSettings(metadata.Type)
	_, err := NewFactory().CreateLogsToLogs(context.Background(), set, &Config{}, consumertest.NewNop())
	require.ErrorContains(t, err, "does not tell its pipelines apart")
	_, err = NewFactory().CreateTracesToTraces(context.Background(), set, &Config{}, consumertest.NewNop())
	assert.ErrorContains(t, err, "does not tell its pipelines apart")
}

// Every key of the configuration is a row of the README's table.
func TestTheReadmeHasEveryKey(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	for _, key := range []string{"routes", "routes::events", "routes::pipelines", "default_pipelines", "sync", "pipelines_enabled"} {
		assert.Regexp(t, "(?m)^\\| `"+key+"` \\|", string(readme))
	}
}
