// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// aURL is the URL of a webhook that is never called.
const aURL = "http://127.0.0.1:9/hook"

func TestBadConfigurationIsOneErrorLine(t *testing.T) {
	t.Parallel()
	good := configure("max_events: 5", webhook{"shop", aURL, "batching: single"})
	taken := takenAddress(t)
	// exporters::webhook/shop with the given endpoint and keys
	shop := func(endpoint, settings string) string {
		return configure("", webhook{"shop", endpoint, settings})
	}
	for _, tt := range []struct {
		name          string
		configuration string
		words         []string
	}{
		{
			"a webhook with an unknown key",
			shop(aURL, "retries: 5"),
			[]string{"exporters::webhook/shop", "unknown key", "retries"},
		},
		{
			"a webhook with an unknown key deeper down",
			shop(aURL, "sending_queue: {retries: 5}"),
			[]string{"exporters::webhook/shop", "sending_queue", "unknown key", "retries"},
		},
		{
			"a webhook with a value of the wrong type",
			shop(aURL, "timeout: soon"),
			[]string{"exporters::webhook/shop", "timeout", "duration"},
		},
		{
			"a webhook whose settings contradict each other, in a struct that only Go knows",
			shop(aURL, "retry_on_failure: {max_elapsed_time: 1s}"),
			[]string{"exporters::webhook/shop::retry_on_failure::max_elapsed_time: ", "initial_interval"},
		},
		{
			"a webhook with TLS settings that contradict each other",
			shop(aURL, "tls: {ca_file: a, ca_pem: b}"),
			[]string{"exporters::webhook/shop::tls: ", "CA file"},
		},
		{
			"an unknown key of the HTTP server of the otlp receiver",
			replace(t, good, `http: {endpoint: "127.0.0.1:0"}`, `http: {endpoint: "127.0.0.1:0", corss: {}}`),
			[]string{"receivers::otlp: ", "unknown key", "protocols::http::corss", `did you mean "cors"?`},
		},
		{
			"an unknown key of otlp_http",
			replace(t, good, "exporters:\n", "exporters:\n  otlp_http: {endpoint: http://127.0.0.1:1, heders: {a: b}}\n"),
			[]string{"exporters::otlp_http: ", "unknown key", "heders", `did you mean "headers"?`},
		},
		{
			"a webhook with a queue that contradicts itself",
			shop(aURL, "sending_queue: {batch: {min_size: 10, max_size: 5}}"),
			[]string{"exporters::webhook/shop", "sending_queue", "max_size", "min_size"},
		},
		{
			"a webhook with a URL of another scheme",
			shop("ftp://example.com/hook", ""),
			[]string{"exporters::webhook/shop", "endpoint", `"ftp"`, "https://"},
		},
		{
			"a webhook with a URL without a scheme",
			shop("example.com/hook", ""),
			[]string{"exporters::webhook/shop", "endpoint", "https://"},
		},
		{
			"a webhook with a host and a port for a URL",
			shop("localhost:9001", ""),
			[]string{"exporters::webhook/shop", "endpoint", "write http://localhost:9001"},
		},
		{
			"a webhook with an invalid port",
			shop("http://localhost:99999/hook", ""),
			[]string{"exporters::webhook/shop", "endpoint", "99999", "1 to 65535"},
		},
		{
			"a webhook with a space in its URL",
			shop("http://localhost:9001/the hook", ""),
			[]string{"exporters::webhook/shop", "endpoint", "space", "https://example.com/hook"},
		},
		{
			"a webhook with a URL without a host",
			shop("https:///hook", ""),
			[]string{"exporters::webhook/shop", "endpoint", "host"},
		},
		{
			"a webhook with an empty endpoint",
			shop("", ""),
			[]string{"exporters::webhook/shop", "endpoint", "missing"},
		},
		{
			"a webhook without an endpoint",
			replace(t, good, `endpoint: "`+aURL+`", `, ""),
			[]string{"exporters::webhook/shop", "endpoint", "missing"},
		},
		{
			"a webhook that batches in a way that does not exist",
			shop(aURL, "batching: nonsense"),
			[]string{"exporters::webhook/shop", "batching", `"nonsense"`, "single", "array"},
		},
		{
			"a webhook with a format that does not exist",
			shop(aURL, "format: nonsense"),
			[]string{"exporters::webhook/shop", "format", `"nonsense"`, "event"},
		},
		{
			"a switch that is neither on nor off",
			shop(aURL, "enabled: maybe"),
			[]string{"exporters::webhook/shop", "enabled", `"maybe"`, "true or false"},
		},
		{
			"an event receiver with an unknown key",
			replace(t, good, "max_events", "most_events"),
			[]string{"receivers::event", "unknown key", "most_events"},
		},
		{
			"an event receiver that accepts nothing",
			replace(t, good, "max_events: 5", "max_events: 0"),
			[]string{"receivers::event", "max_events", "0"},
		},
		{
			"a section that does not exist",
			good + "pipelines: {}\n",
			[]string{"unknown key", "pipelines"},
		},
		{
			"a pipeline with an exporter that is not configured",
			replace(t, good, "exporters: [webhook/shop]", "exporters: [webhook/shop, webhook/other]"),
			[]string{"service::pipelines::logs", "exporter", "webhook/other"},
		},
		{
			"a component of an unknown type",
			replace(t, good, "webhook/shop:", "wobhook/shop: {}\n  webhook/shop:"),
			[]string{"exporters::wobhook/shop", `"wobhook"`},
		},
		{
			"an event receiver whose port is in use",
			replace(t, good, `event: {endpoint: "127.0.0.1:0"`, `event: {endpoint: "`+taken+`"`),
			[]string{`"event"`, taken, "address already in use"},
		},
		{
			"an OTLP receiver whose port is in use",
			replace(t, good, `http: {endpoint: "127.0.0.1:0"`, `http: {endpoint: "`+taken+`"`),
			[]string{`"otlp"`, taken, "address already in use"},
		},
		{
			"a webhook whose queue is in a storage that is not configured",
			shop(aURL, "dispatch: async, sending_queue: {storage: file_storage/queue}"),
			[]string{"exporters::webhook/shop", "sending_queue::storage", `there is no extension "file_storage/queue"`, "service::extensions"},
		},
		{
			"dead letters to a missing extension",
			shop(aURL, "dead_letter: dead_letter/shop"),
			[]string{"exporters::webhook/shop", "dead_letter", `there is no extension "dead_letter/shop"`, "service::extensions"},
		},
		{
			"a webhook with an authenticator that is not started",
			"extensions: {basicauth: {client_auth: {username: a, password: b}}}\n" + shop(aURL, "auth: {authenticator: basicauth}"),
			[]string{"exporters::webhook/shop", "auth::authenticator", `the extension "basicauth" is not started`, "add it to service::extensions"},
		},
		{
			"an event receiver with an authenticator that is off",
			"extensions: {basicauth: {enabled: false}}\n" + replace(t, good, "max_events: 5", "auth: {authenticator: basicauth}"),
			[]string{"receivers::event", "auth::authenticator", `"basicauth"`, "or it is off", "service::extensions"},
		},
		{
			"dead letters to an extension of another type",
			withHealthCheck(t, shop(aURL, "dead_letter: health_check")),
			[]string{`"webhook/shop"`, "dead_letter", `"health_check"`},
		},
		{
			"a webhook whose queue is in an extension of another kind",
			withHealthCheck(t, shop(aURL, "sending_queue: {storage: health_check}")),
			[]string{`"webhook/shop"`, "storage", `"health_check"`},
		},
		{
			"an unknown dispatch mode",
			shop(aURL, "dispatch: nonsense"),
			[]string{"exporters::webhook/shop", "dispatch", `"nonsense"`, "async", "sync", "auto"},
		},
		{
			"dispatch: async without a queue",
			shop(aURL, "dispatch: async, sending_queue: {enabled: false}"),
			[]string{"exporters::webhook/shop", "sending_queue", "dispatch: sync"},
		},
		{
			"a queue_size in bytes without a unit",
			shop(aURL, "sending_queue: {queue_size: 67108864}"),
			[]string{"exporters::webhook/shop", "sending_queue::queue_size", "67108864 counts requests", "64MiB"},
		},
		{
			"a queue_size that is no size",
			shop(aURL, "sending_queue: {queue_size: lots}"),
			[]string{"exporters::webhook/shop", "sending_queue::queue_size", `"lots"`, "256MiB"},
		},
		{
			"YAML with a bracket that is not closed",
			"receivers: [otlp\nexporters: {}\n",
			[]string{"config.yaml:1: ", "YAML", "bracket"},
		},
		{
			"YAML with a tab",
			"receivers:\n\tevent:\n",
			[]string{"config.yaml:2: ", "YAML", "tab"},
		},
		{
			"YAML that is a list",
			"- receivers\n- exporters\n",
			[]string{"invalid configuration"},
		},
		{
			"a file without a word in it",
			"",
			[]string{"empty configuration"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			assertOneError(t, run(t, nil, "--config", writeConfig(t, tt.configuration)), tt.words...)
		})
	}
	t.Run("a file that does not exist", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "absent.yaml")
		assertOneError(t, run(t, nil, "--config", path), path, "no such file")
	})
}

// small is a configuration of ten lines.
const small = `receivers:
  event: {endpoint: "127.0.0.1:0"}
exporters:
  webhook/shop:
    endpoint: http://127.0.0.1:9/hook
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    logs:
      receivers: [event]
      exporters: [webhook/shop]
`

func TestMistakeIsNamedByFileLineAndRemedy(t *testing.T) {
	t.Parallel()
	const (
		shop      = "exporters::webhook/shop"
		endpoint  = "    endpoint: http://127.0.0.1:9/hook\n"
		invalid   = "invalid configuration: FILE:"
		pipelines = "service:\n  telemetry: {metrics: {level: none}}\n  pipelines:\n    logs:\n      receivers: [event]\n      exporters: [webhook/shop]\n"
		fanout    = "connectors:\n  fanout:\n    default_pipelines: [logs/shop]\n"
		quoteStar = `write quotes around a text that begins with *, such as "*_failed"`
	)
	for _, tt := range []struct {
		name     string
		from, to string // what replaces what in small
		want     string // the error, with FILE for the file
	}{
		{"the name of a backend for a pipeline", "    logs:\n", "    posthog:\n", invalid + "9: service::pipelines::posthog: the name of a pipeline begins with its signal; write logs/posthog or traces/posthog"},
		{"a mistyped signal", "    logs:\n", "    log/posthog:\n", invalid + `9: service::pipelines::log/posthog: "log" is not a signal; did you mean "logs/posthog"?`},
		{"a mistyped section", "exporters:\n  webhook", "exporter:\n  webhook", invalid + `3: unknown key "exporter"; did you mean "exporters"?`},
		{"a component at the top", "service:\n", "sentry/eu: {}\nservice:\n", invalid + `6: unknown key "sentry/eu"; it is an exporter; indent it below exporters`},
		{"a section of service at the top", "service:\n", "pipelines: {}\nservice:\n", invalid + `6: unknown key "pipelines"; write service::pipelines`},
		{"a mistyped key of service", "  pipelines:\n", "  pipeline:\n", invalid + `8: service: unknown key "pipeline"; did you mean "pipelines"?`},
		{"a mistyped key of a pipeline", "receivers: [event]", "receiver: [event]", invalid + `10: service::pipelines::logs: unknown key "receiver"; did you mean "receivers"?`},
		{"a mistyped exporter in a pipeline", "[webhook/shop]", "[webhook/shpo]", invalid + `11: service::pipelines::logs::exporters::0: "webhook/shpo" is not configured; did you mean "webhook/shop"?`},
		{"an unknown exporter in a pipeline", "[webhook/shop]", "\n        - webhook/shop\n        - sentry", invalid + `13: service::pipelines::logs::exporters::1: "sentry" is not configured; add it below exporters, or write one of webhook/shop`},
		{"a mistyped pipeline in a connector", pipelines, fanout + "service: {pipelines: {logs/in: {receivers: [event], exporters: [fanout]}, logs/web: {receivers: [fanout], exporters: [webhook/shop]}}}\n", invalid + "8: connectors::fanout: default_pipelines: no pipeline logs/shop has this connector as a receiver; these do: logs/web; pipeline logs/web has this connector as a receiver, but is in no route and not in default_pipelines; route events to it, or remove it"},
		{"a connector that gets no events", pipelines, fanout + "service: {pipelines: {logs/in: {receivers: [event], exporters: [webhook/shop]}, logs/shop: {receivers: [fanout], exporters: [webhook/shop]}}}\n", invalid + "7: connectors::fanout: is among the receivers of logs/shop, but among the exporters of no pipeline that fits; add it there"},
		{"a connector that feeds no pipeline", pipelines, fanout + "service: {pipelines: {logs/in: {receivers: [event], exporters: [fanout]}}}\n", invalid + "7: connectors::fanout: is among the exporters of logs/in, but among the receivers of no pipeline that fits; add it there"},
		{"a connector that is not configured", "[event]", "[fanout]", invalid + `10: service::pipelines::logs::receivers::0: "fanout" is not configured; add it below connectors, or write one of event`},
		{"a port that does not exist", `"127.0.0.1:0"`, `"127.0.0.1:65536"`, invalid + "2: receivers::event: endpoint: port 65536 is out of range; write 1 to 65535"},
		{"an exporter among the receivers", "[event]", "[event, webhook/shop]", invalid + `10: service::pipelines::logs::receivers::1: "webhook/shop" is an exporter; list it under exporters`},
		{"a mistyped type", "  webhook/shop:", "  wehbook: {}\n  webhook/shop:", invalid + `4: exporters::wehbook: this binary has no component of type "wehbook"; did you mean "webhook"?`},
		{"a component in the wrong section", "  webhook/shop:", "  batch: {}\n  webhook/shop:", invalid + "4: exporters::batch: batch is a processor; write it below processors"},

		{"an alias for a pattern", "[event]", "[event, *_failed]", invalid + `10: it is not YAML: *_failed without quotes is an alias; write "*_failed"`},
		{"a pattern with two stars without quotes", "[event]", "[*_failed_*]", invalid + "10: it is not YAML: did not find expected alphabetic or numeric character; " + quoteStar},
		{"a star without quotes", "[event]", "[*]", invalid + "10: it is not YAML: did not find expected alphabetic or numeric character; " + quoteStar},
		{"a tab", "    endpoint", "\tendpoint", invalid + "5: it is not YAML: the line begins with a tab; write spaces"},
		{"a tab after spaces", "    endpoint", "  \tendpoint", invalid + "5: it is not YAML: the line begins with a tab; write spaces"},
		{"a section that is there twice", "service:\n", "exporters: {}\nservice:\n", invalid + `6: the key "exporters" is already on line 3; write one block with that name, or two names`},
		{"a key that is there twice", endpoint, endpoint + endpoint, invalid + `6: the key "endpoint" is already on line 5; write one block with that name, or two names`},
		{"a key that is not indented like its block", endpoint, endpoint + "   batching: single\n", invalid + "6: it is not YAML: did not find expected key; write keys of one block below each other, and close quotes"},
		{"a bracket that is not closed", "[event]", "[event", invalid + `10: it is not YAML: did not find expected ',' or ']'; close the bracket, and write quotes around a variable in brackets: "${env:NAME}"`},
		{"a variable in brackets without quotes", `"127.0.0.1:0"`, "${env:ADDRESS}", invalid + `2: it is not YAML: did not find expected ',' or '}'; close the bracket, and write quotes around a variable in brackets: "${env:NAME}"`},

		{"a variable of the shell", "http://127.0.0.1:9/hook", "$SHOP_URL", invalid + "5: " + shop + "::endpoint: $SHOP_URL is not replaced by an environment variable; write ${env:SHOP_URL}, or $$SHOP_URL for this text itself"},
		{"a variable of the shell within a text", "http://127.0.0.1:9/hook", "http://$SHOP_HOST:9/hook", invalid + "5: " + shop + "::endpoint: $SHOP_HOST is not replaced by an environment variable; write ${env:SHOP_HOST}, or $$SHOP_HOST for this text itself"},
		{"a variable of the shell in a header", endpoint, endpoint + "    headers: {authorization: Bearer $TOKEN}\n", invalid + "6: " + shop + "::headers::authorization: $NAME is not replaced by an environment variable; write ${env:NAME}, or $$NAME for this text itself"},
		{"a variable that is not closed", "http://127.0.0.1:9/hook", "${env:SHOP_URL", invalid + "5: " + shop + "::endpoint: ${ is not closed; write ${env:SHOP_URL}, or $${ for this text itself"},
		{"a secret with a variable that is not closed", endpoint, endpoint + "    headers: {authorization: \"hunter${two\"}\n", invalid + "6: " + shop + "::headers::authorization: ${ is not closed; write ${env:NAME}, or $${ for this text itself"},
		{"a variable that is not closed, before a text", "http://127.0.0.1:9/hook", "http://${SHOP_HOST:9/hook", invalid + "5: " + shop + "::endpoint: ${ is not closed; write ${env:SHOP_HOST}, or $${ for this text itself"},
		{"a source that does not exist", "http://127.0.0.1:9/hook", "${ENV:SHOP_URL}", invalid + `5: ${ENV:...}: "ENV" is not a source of values; write ${env:NAME} or ${file:NAME}`},
		{"a variable with an invalid name", "http://127.0.0.1:9/hook", "${env:SHOP.URL}", invalid + "5: ${env:SHOP.URL}: this is not the name of a variable; write letters, digits and _"},
		{"a variable with an invalid name, without env", "http://127.0.0.1:9/hook", "${SHOP-URL}", invalid + "5: ${env:SHOP-URL}: this is not the name of a variable; write letters, digits and _"},
		{"an included file that is missing", "http://127.0.0.1:9/hook", "${file:/none/shop}", invalid + "5: unable to read the file file:/none/shop: open /none/shop: no such file or directory"},
		{"a variable that is not set", "http://127.0.0.1:9/hook", "${env:UNSET_URL}", invalid + "5: " + shop + ": endpoint: is missing; write the URL that events are posted to, such as https://example.com/hook (the environment variable UNSET_URL is not set)"},
		{"a variable that is empty", "http://127.0.0.1:9/hook", "${EMPTY}", invalid + "5: " + shop + ": endpoint: is missing; write the URL that events are posted to, such as https://example.com/hook (the environment variable EMPTY is empty)"},
		{"a secret from a variable that is not set", "  webhook/shop:\n", "  posthog:\n    api_key: ${env:POSTHOG_API_KEY}\n  webhook/shop:\n", invalid + "5: exporters::posthog: api_key: is missing; write the project API key, which begins with phc_; PostHog shows it in the project settings (the environment variable POSTHOG_API_KEY is not set)"},
		{"a part of a URL from a variable that is not set", "http://127.0.0.1:9/hook", "${env:UNSET_URL}/hook", invalid + "5: " + shop + ": endpoint: has no scheme; write a URL that begins with https:// or http://, such as https://example.com/hook (the environment variable UNSET_URL is not set)"},
		{"an endpoint that is empty", "http://127.0.0.1:9/hook", `""`, invalid + "5: " + shop + ": endpoint: is missing; write the URL that events are posted to, such as https://example.com/hook"},

		{"a key of a deeper block", endpoint, endpoint + "    batch: {max_size: 5}\n", invalid + "6: " + shop + `: unknown key "batch"; write sending_queue::batch`},
		{"a key of a block around it", endpoint, endpoint + "    sending_queue:\n      timeout: 5s\n", invalid + "7: " + shop + `: unknown key "sending_queue::timeout"; write timeout`},
		{"a mistyped key", endpoint, endpoint + "    tiemout: 5s\n", invalid + "6: " + shop + `: unknown key "tiemout"; did you mean "timeout"?`},
		{"a value of the wrong type", endpoint, endpoint + "    timeout: soon\n", invalid + "6: " + shop + "::timeout: is not a duration; write one such as 30s, 5m or 1h"},

		{"a folder below a variable that is not set", "service:\n", "extensions:\n  dead_letter:\n    directory: ${env:FANOUT_DATA_DIR}/dead-letters\nservice:\n  extensions: [dead_letter]\n", invalid + "8: extensions::dead_letter::directory: the environment variable FANOUT_DATA_DIR is not set, so this is /dead-letters; set it, or write a folder for that case: ${env:FANOUT_DATA_DIR:-/var/lib/otelcol-fanout}/dead-letters"},
		{"a route to a mistyped pipeline", "      exporters: [webhook/shop]\n", "      exporters: [fanout]\n    logs/shop:\n      receivers: [fanout]\n      exporters: [webhook/shop]\nconnectors:\n  fanout:\n    default_pipelines: [logs/shpo]\n", invalid + "17: connectors::fanout: default_pipelines: no pipeline logs/shpo has this connector as a receiver; these do: logs/shop; pipeline logs/shop has this connector as a receiver, but is in no route and not in default_pipelines; route events to it, or remove it"},
		{"a connector that feeds itself", "      exporters: [webhook/shop]\n", "      exporters: [webhook/shop, fanout]\n    logs/shop:\n      receivers: [fanout]\n      exporters: [fanout]\nconnectors:\n  fanout:\n    default_pipelines: [logs/shop]\n", invalid + `8: service::pipelines: events would go round in a cycle: connector "fanout" (logs to logs) -> connector "fanout" (logs to logs); remove the last connector from the exporters of a pipeline that it feeds`},
		{"a pattern of a shell", "exporters:\n  webhook", "connectors: {fanout: {routes: [{events: [\"signup_?\"], pipelines: [logs]}]}}\nexporters:\n  webhook", invalid + `3: connectors::fanout: routes::0::events: "signup_?": only * is special in a pattern, so ? matches only itself; write * for any text, such as signup_*`},
		{"a regular expression", "exporters:\n  webhook", "connectors: {fanout: {routes: [{events: [\"^signup_*\"], pipelines: [logs]}]}}\nexporters:\n  webhook", invalid + `3: connectors::fanout: routes::0::events: "^signup_*": only * is special in a pattern, which matches the whole name; remove ^`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := writeConfig(t, replace(t, small, tt.from, tt.to))
			for _, command := range [][]string{{"--config", path}, {"validate", "--config", path}} {
				// Those that begin to start would all listen on the same port for their metrics.
				command = append(command, "--set=service::telemetry::metrics::level=none")
				end := run(t, []string{"EMPTY=", "SHOP_URL=", "SHOP_HOST="}, command...)
				assertOneError(t, end)
				assert.Equal(t, "Error: "+strings.ReplaceAll(tt.want, "FILE", path), lastLine(end.stderr))
			}
		})
	}
}

func TestMistakeIsFoundInTheRightFile(t *testing.T) {
	t.Parallel()
	first := writeConfig(t, small)
	second := writeConfig(t, "# the shop\nexporters:\n  webhook/shop:\n    endpoint: example.com\n")
	included := writeConfig(t, "webhook/shop:\n\n  endpoint: example.com\n")
	including := writeConfig(t, replace(t, small, "exporters:\n  webhook/shop:\n    endpoint: http://127.0.0.1:9/hook\n", "exporters: ${file:"+included+"}\n"))
	const mistake = ": exporters::webhook/shop: endpoint: has no scheme"

	assertOneError(t, run(t, nil, "--config", first, "--config", second), second+":4"+mistake)
	assertOneError(t, run(t, nil, "--config", second, "--config", first, "--set", "exporters.webhook/shop.endpoint=example.com"), ": exporters::webhook/shop: endpoint: has no scheme")
	assertOneError(t, run(t, nil, "--config", including), included+":3"+mistake)
	assertOneError(t, run(t, nil, "--config", first, "--config", writeConfig(t, "a: [")), "it is not YAML: ")
}

func TestUnusedComponentIsAWarning(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ from, to, want string }{
		"a receiver":                   {"exporters:\n  webhook", "  otlp: {protocols: {http: {endpoint: \"127.0.0.1:0\"}}}\nexporters:\n  webhook", "FILE:3: receivers::otlp: is in no pipeline and does nothing; list it under receivers of a pipeline, or remove it"},
		"a processor":                  {"exporters:\n  webhook", "processors: {batch: {}}\nexporters:\n  webhook", "FILE:3: processors::batch: is in no pipeline and does nothing; list it under processors of a pipeline, or remove it"},
		"an exporter":                  {"  webhook/shop:\n", "  debug:\n  webhook/shop:\n", "FILE:4: exporters::debug: is in no pipeline and does nothing; list it under exporters of a pipeline, or remove it"},
		"a connector":                  {"exporters:\n  webhook", "connectors: {forward: {}}\nexporters:\n  webhook", "FILE:3: connectors::forward: is in no pipeline and does nothing; list it under exporters of one pipeline and receivers of another, or remove it"},
		"an extension":                 {"exporters:\n  webhook", "extensions: {health_check: {}}\nexporters:\n  webhook", "FILE:3: extensions::health_check: is not started; add it to service::extensions, or remove it"},
		"an exporter that is off":      {"  webhook/shop:\n", "  debug: {enabled: false}\n  webhook/shop:\n", ""},
		"what is off with an exporter": {"exporters:\n  webhook", "processors: {batch: {}}\nexporters:\n  debug: {enabled: false}\n  webhook", "FILE:3: processors::batch: is in no pipeline and does nothing; list it under processors of a pipeline, or remove it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := writeConfig(t, replace(t, small, tt.from, tt.to))
			want := strings.ReplaceAll(tt.want, "FILE", path)

			end := run(t, nil, "validate", "--config", path)
			assert.Zero(t, end.code)
			assert.Empty(t, end.stdout)
			if want == "" {
				assert.Empty(t, end.stderr)
				return
			}
			assert.Equal(t, "Warning: "+want+"\n", end.stderr)

			c := start(t, replace(t, small, tt.from, tt.to))
			assert.Contains(t, c.stderr.String(), strings.TrimPrefix(tt.want, "FILE"))
		})
	}
}

func TestBuiltInConfigurationHasNoWarnings(t *testing.T) {
	t.Parallel()
	for _, environment := range [][]string{nil, {"DEBUG_ENABLED=false", "POSTHOG_ENABLED=true", "POSTHOG_API_KEY=phc_x"}} {
		assert.Equal(t, ended{}, run(t, environment, "validate"))
	}
}

func TestUnwritableDirectoryIsOneErrorLine(t *testing.T) {
	t.Parallel()
	file := writeConfig(t, "")
	config := func(directory string) string {
		return writeConfig(t, replace(t, small, "service:\n", "extensions:\n  dead_letter:\n    endpoint: \"127.0.0.1:0\"\n    directory: "+directory+"\nservice:\n  extensions: [dead_letter]\n"))
	}

	below := config(filepath.Join(file, "dead-letters"))
	mistake := below + ":9: extensions::dead_letter::directory: " + file + " is not a folder; choose another directory"
	end := run(t, nil, "--config", below)
	assertOneError(t, end)
	assert.Equal(t, "Error: invalid configuration: "+mistake+"\n", end.stderr)
	assert.Equal(t, ended{stderr: "Warning: " + mistake + "\n"}, run(t, nil, "validate", "--config", below), "the collector may run on another machine")

	creatable := filepath.Join(t.TempDir(), "a", "b")
	assert.Equal(t, ended{}, run(t, nil, "validate", "--config", config(creatable)))
	assert.NoDirExists(t, filepath.Dir(creatable), "validate creates nothing")
}

func TestUnsetVariableIsAWarningOfValidate(t *testing.T) {
	t.Parallel()
	path := writeConfig(t, replace(t, small, "/hook\n", "/hook\n    headers: {authorization: \"Bearer ${env:TOKEN}\", a: \"${env:TOKEN:-b}\"}\n"))
	assert.Equal(t, ended{stderr: "Warning: " + path + ":6: exporters::webhook/shop::headers::authorization: the environment variable TOKEN is not set; set it, or write a default: ${env:TOKEN:-...}\n"},
		run(t, nil, "validate", "--config", path))
	assert.Equal(t, ended{}, run(t, []string{"TOKEN=x"}, "validate", "--config", path))
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	return lines[len(lines)-1]
}

// withHealthCheck adds an extension.
func withHealthCheck(t *testing.T, configuration string) string {
	t.Helper()
	return "extensions:\n  health_check: {endpoint: \"127.0.0.1:0\"}\n" +
		replace(t, configuration, "service:\n", "service:\n  extensions: [health_check]\n")
}

// jargon matches words from the collector's code that mean nothing to users, and rewording
// leftovers.
var jargon = regexp.MustCompile(`\.go:|\bConf\b|confmap|interface \{|\(type=|mapstructure|decoding failed|''|::: |[:;] ;`)

// stackLine matches a line of a stack trace in the log.
var stackLine = regexp.MustCompile(`(?m)^\t.*\.go:\d+`)

// assertOneError checks that the binary failed with one readable line at the end of its log.
func assertOneError(t *testing.T, end ended, words ...string) {
	t.Helper()
	assert.Equal(t, 1, end.code, "the exit code")
	assert.NotContains(t, end.stderr, "goroutine ")
	assert.NotContains(t, end.stderr, "panic")
	assert.NotRegexp(t, stackLine, end.stderr)

	log := strings.Split(strings.TrimSuffix(end.stderr, "\n"), "\n")
	last := log[len(log)-1]
	require.True(t, strings.HasPrefix(last, "Error: "), "the error is not one line at the end:\n%s", end.stderr)
	assert.Equal(t, 1, strings.Count("\n"+end.stderr, "\nError: "), "errors in:\n%s", end.stderr)
	for _, word := range words {
		assert.Contains(t, last, word)
	}
	assert.NotRegexp(t, jargon, last)
}

// takenAddress returns an address that is in use until the test ends.
func takenAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	return listener.Addr().String()
}

func replace(t *testing.T, text, from, to string) string {
	t.Helper()
	require.Contains(t, text, from)
	return strings.Replace(text, from, to, 1)
}
