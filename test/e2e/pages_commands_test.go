// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// page returns the text of a page in docs.
func page(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", name))
	require.NoError(t, err)
	return string(text)
}

var indentedCommand = regexp.MustCompile(`(?m)^    (curl .*)$`)

// TestTroubleshootingCommandsWork runs the page's curl commands after a backend has refused an event.
func TestTroubleshootingCommandsWork(t *testing.T) {
	t.Parallel()
	needCurl(t)
	refusing := newBackend(t, func(w http.ResponseWriter, _ *http.Request, _ []event, _ []byte) bool {
		w.WriteHeader(http.StatusBadRequest)
		return false
	})
	p := startShipped(t, "FANOUT_DATA_DIR="+t.TempDir(), "WEBHOOK_ENABLED=true", "WEBHOOK_URL="+refusing.URL)
	p.post(`{"name":"order_placed"}`)
	p.settled("webhook", 1)

	metrics, err := url.Parse(p.metrics)
	require.NoError(t, err)
	ports := strings.NewReplacer("localhost:8888", metrics.Host, "localhost:4319", hostOf(t, p.eventURL()),
		"localhost:4318", p.otlpHTTP(), "localhost:13134", hostOf(t, p.deadLettersURL()))
	printed := map[string]string{}
	for _, command := range allMatches(indentedCommand, page(t, "troubleshooting.md")+page(t, "alerts.md")) {
		printed[command] = runIn(t, t.TempDir(), nil, "sh", "-euc", ports.Replace(command))
		assert.NotContains(t, printed[command], "error", command)
	}
	assert.Contains(t, printed["curl -s localhost:8888/metrics | grep -E '^otelcol_(receiver|processor|fanout)'"], "otelcol_receiver_accepted_log_records{")
	assert.Contains(t, printed[`curl -s -H 'content-type: application/json' -d '{"name":"test"}' localhost:4319/v1/events`], `"accepted":1`)
	assert.Contains(t, printed[`curl -s -H 'content-type: application/json' -d '{"resourceLogs":[]}' localhost:4318/v1/logs`], "partialSuccess")
	assert.Contains(t, printed["curl -s localhost:13134/v1/dead_letters/webhook"], `"status":400`)
	assert.Contains(t, printed["curl -s -X POST localhost:13134/v1/dead_letters/webhook/replay"], `"replayed":`)
	p.stop()
}

func hostOf(t *testing.T, address string) string {
	t.Helper()
	parsed, err := url.Parse(address)
	require.NoError(t, err)
	return parsed.Host
}

var rowOfStatus = regexp.MustCompile("(?m)^\\| (\\d{3}) \\| `([^`]+)` \\|")

// TestTroubleshootingQuotesResponses sends each bad request of the page's table.
func TestTroubleshootingQuotesResponses(t *testing.T) {
	t.Parallel()
	in := newInbox(t, singleEvents)
	open := start(t, configure("", webhook{"shop", in.URL, ""}))
	small := start(t, configure("max_request_body_size: 4096", webhook{"shop", in.URL, ""}))
	keyed := start(t, configure("keys: [{key: a-key-of-the-shop}]", webhook{"shop", in.URL, ""}))
	json := http.Header{"Content-Type": {"application/json"}}
	requests := map[string]func() (int, string){
		"400": func() (int, string) { return respond(t, http.MethodPost, open.eventURL(), json, "", `{"name":`) },
		"401": func() (int, string) { return respond(t, http.MethodPost, keyed.eventURL(), json, "", `{"name":"a"}`) },
		"403": func() (int, string) {
			return respond(t, http.MethodPost, open.eventURL(), json, "events.example.com", `{"name":"a"}`)
		},
		"404": func() (int, string) {
			return respond(t, http.MethodPost, strings.Replace(open.eventURL(), "/events", "/logs", 1), json, "", `{}`)
		},
		"405": func() (int, string) { return respond(t, http.MethodOptions, open.eventURL(), json, "", "") },
		"413": func() (int, string) {
			// One byte too many: the receiver has read all of it when it closes the connection.
			return respond(t, http.MethodPost, small.eventURL(), json, "", strings.Repeat(" ", 4097))
		},
		"415": func() (int, string) { return respond(t, http.MethodPost, open.eventURL(), nil, "", `{"name":"a"}`) },
	}
	rows := rowOfStatus.FindAllStringSubmatch(page(t, "troubleshooting.md"), -1)
	require.Len(t, rows, len(requests), "a row of the table has no request here")
	for _, row := range rows {
		status, body := requests[row[1]]()
		assert.Equal(t, row[1], strconv.Itoa(status), "%s", body)
		assert.Contains(t, body, row[2], "the page's message for %s", row[1])
	}
	open.stop()
	small.stop()
	keyed.stop()
}

// TestSecondInstanceStartsAsOnPage starts a collector with the command on docs/environment.md next to
// another one, and with less than that beside it.
func TestSecondInstanceStartsAsOnPage(t *testing.T) {
	t.Parallel()
	first := startShipped(t, "FANOUT_DATA_DIR="+t.TempDir())
	block := regexp.MustCompile("(?s)```sh\n(.*?)\n```").FindStringSubmatch(page(t, "environment.md"))
	require.NotNil(t, block)
	var arguments []string
	for _, set := range allMatches(regexp.MustCompile(`--set '?([^'\\\n]+?)'?(?: \\)?\n`), block[1]+"\n") {
		_, port, err := net.SplitHostPort(freeAddress(t))
		require.NoError(t, err)
		arguments = append(arguments, "--set", regexp.MustCompile(`1[48]\d{3}|2313\d`).ReplaceAllString(set, port))
	}
	require.Len(t, arguments, 14, "the page's settings")
	second := launchIn(t, []string{"FANOUT_DATA_DIR=" + t.TempDir()}, arguments...)
	second.waitForLog(ready)
	newClient(t).mustAccept(t, second.eventURL(), jsonType, `{"name":"order_placed"}`, 1)
	second.waitFor("the event on the console", func() bool { return strings.Contains(second.stdout.String(), "order_placed") })
	second.stop()

	taken := hostOf(t, first.eventURL())
	end := run(t, nil, "--set", "receivers::event::endpoint="+taken, "--set", "service::telemetry::metrics::level=none",
		"--set", "receivers::otlp::protocols::grpc::endpoint=localhost:0", "--set", "receivers::otlp::protocols::http::endpoint=localhost:0",
		"--set", "extensions::health_check::endpoint=localhost:0", "--set", "extensions::status::endpoint=localhost:0")
	assert.Equal(t, 1, end.code)
	assert.Contains(t, end.stderr, taken)
	assert.Contains(t, page(t, "troubleshooting.md"), "bind: address already in use; is another collector running?")
	assert.Contains(t, end.stderr, "bind: address already in use; is another collector running?")
	first.stop()
}

// respond sends a request, and returns the status and the body of the response. An empty host is that
// of the URL.
func respond(t *testing.T, method, to string, header http.Header, host, body string) (status int, text string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, to, strings.NewReader(body))
	require.NoError(t, err)
	request.Header, request.Host, request.Close = header.Clone(), host, true
	if request.Header == nil {
		request.Header = http.Header{}
	}
	response, err := newClient(t).http.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(read)
}
