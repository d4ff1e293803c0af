// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	moengageintake "github.com/otelcol-fanout/otelcol-fanout/test/intake/moengage"
)

const ownStability = "Alpha"

func TestShippedConfigurationIsValid(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name        string
		environment []string
	}{
		{"as it is", nil},
		{"with the webhook on", []string{"WEBHOOK_ENABLED=true", "WEBHOOK_URL=" + aURL}},
		{"with the webhook on, in arrays", []string{"WEBHOOK_ENABLED=yes", "WEBHOOK_URL=" + aURL, "WEBHOOK_BATCHING=array"}},
		{"with sentry on", []string{"SENTRY_ENABLED=true", "SENTRY_DSN=http://key@127.0.0.1:1/42"}},
		{"with posthog and moengage on", []string{
			"POSTHOG_ENABLED=true", "POSTHOG_API_KEY=phc_0123456789abcdefghij",
			"MOENGAGE_ENABLED=true", "MOENGAGE_WORKSPACE_ID=w", "MOENGAGE_API_KEY=k", "MOENGAGE_DATA_CENTER=2",
		}},
		{"with another OTLP backend on", []string{"OTLP_ENABLED=on", "OTLP_ENDPOINT=" + aURL}},
		{"with another OTLP backend on that wants headers", []string{"OTLP_ENABLED=on", "OTLP_ENDPOINT=" + aURL, "OTLP_HEADERS={api-key: secret, x-team: shop}"}},
		{"with ids that look like numbers", []string{
			"POSTHOG_ENABLED=true", "POSTHOG_API_KEY=123",
			"MOENGAGE_ENABLED=true", "MOENGAGE_WORKSPACE_ID=00123", "MOENGAGE_API_KEY=1e5", "MOENGAGE_DATA_CENTER=2",
		}},
		{"with a data directory", []string{"WEBHOOK_ENABLED=1", "WEBHOOK_URL=" + aURL, "FANOUT_DATA_DIR=" + filepath.Join(t.TempDir(), "data")}},
		{"with all off", []string{"DEBUG_ENABLED=false"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			end := run(t, tt.environment, "validate", "--config", shippedConfig(t))
			assert.Zero(t, end.code)
			assert.Empty(t, end.stderr)
		})
	}
}

func TestMistakesInShippedConfigurationAreOneErrorLine(t *testing.T) {
	t.Parallel()
	const isUnset = "the environment variable "
	moengageOn := []string{"MOENGAGE_ENABLED=true"}
	for _, tt := range []struct {
		name        string
		from, to    string // the change in the file, if any
		environment []string
		words       []string
	}{
		{
			name: "a pipeline that is misspelled in default_pipelines", from: "      - logs/sentry\n", to: "      - logs/sentri\n",
			words: []string{"connectors::fanout", "default_pipelines", "no pipeline logs/sentri has this connector", "these do: logs/console", "logs/sentry"},
		},
		{
			name: "a signal that is misspelled in default_pipelines", from: "      - logs/sentry\n", to: "      - log/sentry\n",
			words: []string{"connectors::fanout", "default_pipelines", `"log/sentry"`, `"log"`},
		},
		{
			name: "a pipeline that is not in default_pipelines", from: "      - logs/sentry\n", to: "",
			words: []string{"connectors::fanout", "logs/sentry", "is in no route and not in default_pipelines", "route events to it, or remove it"},
		},
		{
			name: "a route to a pipeline that does not exist",
			from: "    default_pipelines:\n", to: "    routes: [{events: [login_success], pipelines: [logs/postdog]}]\n    default_pipelines:\n",
			words: []string{"connectors::fanout", "routes::0::pipelines", "no pipeline logs/postdog has this connector", "these do: logs/console", "logs/posthog"},
		},
		{
			name: "a route to a pipeline of a backend that is off, misspelled",
			from: "    default_pipelines:\n", to: "    routes: [{events: [login_success], pipelines: [logs/postdog]}]\n    default_pipelines:\n",
			environment: []string{"WEBHOOK_ENABLED=true", "WEBHOOK_URL=" + aURL, "DEBUG_ENABLED=false"},
			words:       []string{"connectors::fanout", "routes::0::pipelines", "no pipeline logs/postdog has this connector"},
		},
		{
			name: "a route that another one leaves nothing for",
			from: "    default_pipelines:\n", to: "    routes: [{events: [login_*], pipelines: []}, {events: [login_success], pipelines: [logs/console]}]\n    default_pipelines:\n",
			words: []string{"connectors::fanout", "routes::1::events", `"login_success" is never reached`, `routes::0 has "login_*"`},
		},
		{
			name: "an unknown key of the connector", from: "    default_pipelines:\n", to: "    default_pipeline:\n",
			words: []string{"connectors::fanout", `unknown key "default_pipeline"`, `did you mean "default_pipelines"?`},
		},
		{
			name: "an unknown key of an exporter", from: "    dsn: ", to: "    dns: ", environment: []string{"SENTRY_ENABLED=true", "SENTRY_DSN=http://key@127.0.0.1:1/42"},
			words: []string{"exporters::sentry", `unknown key "dns"`, `did you mean "dsn"?`},
		},
		{
			name: "an unknown key of an exporter's queue", from: "      storage: file_storage\n", to: "      store: file_storage\n",
			environment: []string{"SENTRY_ENABLED=true", "SENTRY_DSN=http://key@127.0.0.1:1/42"},
			words:       []string{"exporters::sentry", "sending_queue", "unknown key", "store"},
		},
		{
			name: "a switch that is neither on nor off", environment: []string{"POSTHOG_ENABLED=ture"},
			words: []string{"exporters::posthog::enabled", `"ture"`, "write true or false"},
		},
		{
			name: "sentry without its variable", environment: []string{"SENTRY_ENABLED=true"},
			words: []string{"exporters::sentry", "dsn: is missing", "write the project's DSN", isUnset},
		},
		{
			name: "posthog without its variable", environment: []string{"POSTHOG_ENABLED=true"},
			words: []string{"exporters::posthog", "api_key: is missing", "write the project API key", isUnset},
		},
		{
			name: "moengage without its variables", environment: moengageOn,
			words: []string{"exporters::moengage", "workspace_id: is missing", "write the workspace ID", isUnset},
		},
		{
			name: "moengage without its key", environment: append(moengageOn, "MOENGAGE_WORKSPACE_ID=w"),
			words: []string{"exporters::moengage", "api_key: is missing", "write the key of the tile Data", isUnset},
		},
		{
			name: "moengage without its data center", environment: append(moengageOn, "MOENGAGE_WORKSPACE_ID=w", "MOENGAGE_API_KEY=k"),
			words: []string{"exporters::moengage", "data_center: is missing", "write 1 to 6 or 101"},
		},
		{
			name: "the webhook without its variable", environment: []string{"WEBHOOK_ENABLED=true"},
			words: []string{"exporters::webhook", "endpoint: is missing", "write the URL", isUnset},
		},
		{
			name: "otlp_http without its variable", environment: []string{"OTLP_ENABLED=true"},
			words: []string{"exporters::otlp_http", "endpoint: is missing", "write the URL", isUnset},
		},
		{
			name: "otlp_http without a scheme", environment: []string{"OTLP_ENABLED=true", "OTLP_ENDPOINT=localhost:4318"},
			words: []string{"exporters::otlp_http", "endpoint", "write http://localhost:4318 or https://localhost:4318"},
		},
		{
			name: "otlp_http with headers that are not a map", environment: []string{"OTLP_ENABLED=true", "OTLP_ENDPOINT=" + aURL, "OTLP_HEADERS=a=b"},
			words: []string{"exporters::otlp_http::headers: is text", "write a map, such as {a: b}"},
		},
		{
			name: "otlp_http with a header that is a number", environment: []string{"OTLP_ENABLED=true", "OTLP_ENDPOINT=" + aURL, "OTLP_HEADERS={api-key: 123}"},
			words: []string{"exporters::otlp_http::headers::api-key: is a number", "write it in quotes"},
		},
		{
			name: "moengage with the name of a data center", environment: append(moengageOn, "MOENGAGE_WORKSPACE_ID=w", "MOENGAGE_API_KEY=k", "MOENGAGE_DATA_CENTER=dc1"),
			words: []string{"exporters::moengage::data_center: is text", "write a number"},
		},
		{
			name: "a number that is too large for YAML", environment: append(moengageOn, "MOENGAGE_WORKSPACE_ID=18446744073709551615", "MOENGAGE_API_KEY=k"),
			words: []string{"environment variable MOENGAGE_WORKSPACE_ID", `put quotes inside it: MOENGAGE_WORKSPACE_ID='"..."'`},
		},
		{
			name: "the webhook with a host and a port for a URL", environment: []string{"WEBHOOK_ENABLED=true", "WEBHOOK_URL=localhost:9001"},
			words: []string{"exporters::webhook", "endpoint", "write http://localhost:9001"},
		},
		{
			name: "a dead letter store that is not started", from: "file_storage, dead_letter]", to: "file_storage]",
			environment: []string{"WEBHOOK_ENABLED=true", "WEBHOOK_URL=" + aURL, "FANOUT_DATA_DIR=" + t.TempDir()},
			words:       []string{"exporters::webhook", `dead_letter: the extension "dead_letter" is not started`, "add it to service::extensions"},
		},
		{
			name: "a storage that is not started", from: "otlp_repair, file_storage,", to: "otlp_repair,",
			environment: []string{"WEBHOOK_ENABLED=true", "WEBHOOK_URL=" + aURL, "FANOUT_DATA_DIR=" + t.TempDir()},
			words:       []string{"exporters::webhook", `sending_queue::storage: the extension "file_storage" is not started`, "add it to service::extensions"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			shipped, err := os.ReadFile(shippedConfig(t))
			require.NoError(t, err)
			path := writeConfig(t, replace(t, string(shipped), tt.from, tt.to))
			assertOneError(t, run(t, tt.environment, "validate", "--config", path), tt.words...)
			assertOneError(t, run(t, tt.environment, "--config", path), tt.words...)
		})
	}
}

func TestBuiltInConfigurationRequiresWebhookURL(t *testing.T) {
	t.Parallel()
	assertOneError(t, run(t, []string{"WEBHOOK_ENABLED=true"}, "validate"), "exporters::webhook", "endpoint", "missing")
}

// The converter scenario covers Sentry and PostHog.
func TestVariablesSwitchBackendsOn(t *testing.T) {
	t.Parallel()
	t.Run("a webhook", func(t *testing.T) {
		t.Parallel()
		in := newInbox(t, singleEvents)
		p := startShipped(t, "WEBHOOK_ENABLED=true", "WEBHOOK_URL="+in.URL)
		newClient(t).mustAccept(t, p.eventURL(), linesType, lines(0, 2), 2)
		assert.Equal(t, map[string]int{"delivered/": 2}, p.settled("webhook", 2).reasons)
		assert.Len(t, in.attempted(), 2)
	})
	t.Run("a webhook for arrays", func(t *testing.T) {
		t.Parallel()
		in := newInbox(t, arraysOfEvents)
		p := startShipped(t, "WEBHOOK_ENABLED=true", "WEBHOOK_URL="+in.URL, "WEBHOOK_BATCHING=array")
		newClient(t).mustAccept(t, p.eventURL(), linesType, lines(0, 2), 2)
		assert.Equal(t, map[string]int{"delivered/": 2}, p.settled("webhook", 2).reasons)
		assert.Len(t, in.attempted(), 1)
	})
	t.Run("MoEngage", func(t *testing.T) {
		t.Parallel()
		in := moengageintake.New(t)
		environment := []string{
			"MOENGAGE_ENABLED=true", "MOENGAGE_WORKSPACE_ID=" + moengageintake.Workspace, "MOENGAGE_API_KEY=" + moengageintake.Key,
			"MOENGAGE_DATA_CENTER=2",
		}
		// The variables select the data center; this selects the stand-in.
		p := startShippedWith(t, environment, "--config", "yaml:exporters::moengage::endpoint: "+in.URL())
		newClient(t).mustAccept(t, p.eventURL(), jsonType, `{"name": "order_placed", "user": {"id": "ada1001"}}`, 1)
		assert.Equal(t, map[string]int{"delivered/": 1}, p.settled("moengage", 1).reasons)
		assert.Len(t, in.Actions(), 1)
	})
	for name, more := range map[string][]string{"without headers": nil, "with a header": {"OTLP_HEADERS={api-key: secret}"}} {
		t.Run("an OTLP backend "+name, func(t *testing.T) {
			t.Parallel()
			in := newOTLPIntake(t)
			p := startShipped(t, append(more, "OTLP_ENABLED=true", "OTLP_ENDPOINT="+in.URL)...)
			newClient(t).mustAccept(t, p.eventURL(), linesType, lines(0, 1), 1)
			app := newGoApp(t, p.otlpHTTP())
			_, span := app.tracer.Start(t.Context(), "POST /orders")
			span.End()
			app.sendSpans()
			p.stop() // sends what is queued
			events, spans := in.taken()
			assert.Equal(t, []string{"order_placed"}, events)
			assert.Equal(t, []string{"POST /orders"}, spans)
			for _, header := range in.headers {
				assert.Len(t, header.Values("api-key"), len(more))
			}
		})
	}
}

func TestDataDirectoryKeepsRefusedEvents(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name        string
		environment []string
		end         string
	}{
		{"with FANOUT_DATA_DIR", []string{"FANOUT_DATA_DIR=" + filepath.Join(t.TempDir(), "data")}, "dead_lettered/refused"},
		{"without", nil, "dropped/refused"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBackend(t, refusing(http.StatusBadRequest, "the order has no total"))
			p := startShipped(t, append(tt.environment, "WEBHOOK_ENABLED=true", "WEBHOOK_URL="+b.URL)...)
			newClient(t).mustAccept(t, p.eventURL(), linesType, lines(0, 1), 1)
			assert.Equal(t, map[string]int{tt.end: 1}, p.settled("webhook", 1).reasons)
			p.waitForLog(`"reason": "refused"`)
			if p.folders != nil {
				assert.Equal(t, 1, p.deadLetterSummaries()["webhook"].Events)
				b.setBehavior(accepting)
				_, got := p.replay("webhook", nil)
				assert.Equal(t, replayed{Replayed: 1, Delivered: 1}, got)
			}
		})
	}
}

func TestBuiltInConfigurationIsShippedOne(t *testing.T) {
	t.Parallel()
	validated := run(t, nil, "validate")
	assert.Zero(t, validated.code)
	assert.Empty(t, validated.stderr)

	builtIn, shipped := run(t, nil, "print-config"), run(t, nil, "print-config", "--config", shippedConfig(t))
	assert.Zero(t, builtIn.code, builtIn.stderr)
	assert.Equal(t, shipped.stdout, builtIn.stdout)
	assert.Contains(t, builtIn.stdout, "localhost:4319")
}

func TestBinaryListsComponentsWithStability(t *testing.T) {
	t.Parallel()
	end := run(t, nil, "components")
	require.Zero(t, end.code, end.stderr)

	type component struct {
		Name      string
		Stability map[string]string
	}
	var list struct{ Receivers, Exporters []component }
	require.NoError(t, yaml.Unmarshal([]byte(end.stdout), &list))
	stability := map[string]string{}
	for _, c := range list.Receivers {
		stability["receiver "+c.Name] = c.Stability["logs"]
	}
	for _, c := range list.Exporters {
		stability["exporter "+c.Name] = c.Stability["logs"]
	}
	assert.Equal(t, ownStability, stability["receiver event"])
	assert.Equal(t, ownStability, stability["exporter webhook"])
}

func TestShippedExampleEventAppearsOnConsole(t *testing.T) {
	t.Parallel()
	shipped, err := os.ReadFile(shippedConfig(t))
	require.NoError(t, err)
	example := regexp.MustCompile(`curl -H 'content-type: application/json' -d '(\{.*\})' localhost:4319/v1/events`).FindSubmatch(shipped)
	require.NotNil(t, example, "config.yaml shows how to send an event with curl")

	c := startWith(t, "--config", writeConfig(t, onFreePorts(t, string(shipped))),
		"--config", "yaml:service::telemetry::metrics::level: none")
	newClient(t).mustAccept(t, c.eventURL(), jsonType, string(example[1]), 1)

	c.waitFor("order_placed on the console", func() bool { return strings.Contains(c.stdout.String(), "order_placed") })
	c.stop()
	var shown []string
	for line := range strings.Lines(c.stdout.String()) {
		if strings.Contains(line, "order_placed") {
			shown = append(shown, line)
		}
	}
	require.Len(t, shown, 1)
	assert.Contains(t, shown[0], "u1")
}

func shippedConfig(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(root, "config.yaml"))
	require.NoError(t, err)
	return path
}

// onFreePorts makes the kernel pick the ports of a configuration.
func onFreePorts(t *testing.T, configuration string) string {
	t.Helper()
	free := regexp.MustCompile(`(?m)endpoint: localhost:\d+$`).ReplaceAllString(configuration, "endpoint: localhost:0")
	require.Equal(t, 6, strings.Count(free, "localhost:0\n"), "ports in config.yaml")
	return free
}
