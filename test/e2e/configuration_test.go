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
			[]string{"YAML", "line"},
		},
		{
			"YAML with a tab",
			"receivers:\n\tevent:\n",
			[]string{"YAML", "line 2"},
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

// withHealthCheck adds an extension.
func withHealthCheck(t *testing.T, configuration string) string {
	t.Helper()
	return "extensions:\n  health_check: {endpoint: \"127.0.0.1:0\"}\n" +
		replace(t, configuration, "service:\n", "service:\n  extensions: [health_check]\n")
}

// jargon matches words from the collector's code that mean nothing to users, and rewording
// leftovers.
var jargon = regexp.MustCompile(`\.go:|\bConf\b|confmap|interface \{|\(type=|mapstructure|decoding failed|''|::: |[:;] ;`)

// assertOneError checks that the binary failed with one readable line at the end of its log.
func assertOneError(t *testing.T, end ended, words ...string) {
	t.Helper()
	assert.Equal(t, 1, end.code, "the exit code")
	assert.NotContains(t, end.stderr, "goroutine ")
	assert.NotContains(t, end.stderr, "panic")

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
