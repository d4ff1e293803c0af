// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	cloudevent "github.com/cloudevents/sdk-go/v2/event"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

// strictServer is a webhook that checks each example's requests against its receiver's rules, by
// path.
type strictServer struct {
	*httptest.Server
	t *testing.T

	mu       sync.Mutex
	requests map[string][]webhookRequest // by path
}

type webhookRequest struct {
	uri    string
	header http.Header
	body   []byte
}

func newStrictServer(t *testing.T) *strictServer {
	t.Helper()
	s := &strictServer{t: t, requests: map[string][]webhookRequest{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *strictServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodOptions {
		assert.Equal(s.t, "events.example.com", r.Header.Get("WebHook-Request-Origin"))
		w.Header().Set("WebHook-Allowed-Origin", "events.example.com")
		w.Header().Set("WebHook-Allowed-Rate", "*")
		return
	}
	assert.Equal(s.t, http.MethodPost, r.Method)
	assert.True(s.t, strings.HasPrefix(r.Header.Get("User-Agent"), "otelcol-fanout/"))
	body, err := readPlain(r)
	assert.NoError(s.t, err)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests[r.URL.Path] = append(s.requests[r.URL.Path], webhookRequest{r.RequestURI, r.Header, body})
	w.WriteHeader(http.StatusAccepted)
}

func readPlain(r *http.Request) ([]byte, error) {
	if r.Header.Get("Content-Encoding") != "gzip" {
		return io.ReadAll(r.Body)
	}
	unzipped, err := gzip.NewReader(r.Body)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(unzipped)
}

func (s *strictServer) at(path string) []webhookRequest {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests[path])
}

// exampleOrders are the events for the examples; the second one is urgent.
const exampleOrders = `{"id":"evt.1","name":"order.placed","severity":"info","message":"placed","source":{"name":"shop"},"user":{"id":"u1"},"groups":{"company":"c/1"},"properties":{"total":9007199254740993,"items":["a"]}}
{"id":"evt_2","severity":"error","user":{"id":"u2"},"source":{"name":"shop"},"exception":{"type":"PaymentError","message":"declined <!channel>"}}
`

// runExample runs examples/<name> with the variables, on a free port.
func runExample(t *testing.T, name string, variables map[string]string) *collector {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "examples", name))
	require.NoError(t, err)
	conf := regexp.MustCompile(`(?m)endpoint: localhost:\d+$`).ReplaceAllString(string(text), "endpoint: localhost:0")
	conf = os.Expand(conf, func(variable string) string { // instead of setting the collector's environment
		reference, isEnv := strings.CutPrefix(variable, "env:")
		if !isEnv {
			return "$" + variable
		}
		name, fallback, _ := strings.Cut(reference, ":-")
		if value, ok := variables[name]; ok {
			return value
		}
		return fallback
	})
	return startWith(t, "--config", writeConfig(t, conf), "--config", "yaml:service::telemetry::metrics::level: none")
}

func TestWebhookExamplesMatchTheirReceivers(t *testing.T) {
	t.Parallel()
	tested := []string{}
	for name, check := range map[string]func(t *testing.T, s *strictServer, name string){
		"webhook-standard.yaml":    checkStandardExample,
		"webhook-cloudevents.yaml": checkCloudEventsExample,
		"webhook-lines.yaml":       checkLinesExample,
		"webhook-otlp.yaml":        checkOTLPExample,
		"webhook-template.yaml":    checkTemplateExample,
		"webhook-chat.yaml":        checkChatExample,
		"webhook-sink.yaml":        checkSinkExample,
	} {
		tested = append(tested, name)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, newStrictServer(t), name)
		})
	}
	examples, err := filepath.Glob(filepath.Join(root, "examples", "webhook-*.yaml"))
	require.NoError(t, err)
	assert.Len(t, examples, len(tested), "an example is not tried: %v", examples)
}

// sendOrders posts the events, waits for the expected requests on each path, and stops the
// collector.
func sendOrders(t *testing.T, s *strictServer, c *collector, requests map[string]int) {
	t.Helper()
	newClient(t).mustAccept(t, c.eventURL(), linesType, exampleOrders, 2)
	waitForRequests(s, c, requests)
}

func waitForRequests(s *strictServer, c *collector, requests map[string]int) {
	for path, count := range requests {
		c.waitFor("requests at "+path, func() bool { return len(s.at(path)) >= count })
	}
	c.stop()
	for path, count := range requests {
		assert.Len(s.t, s.at(path), count, path)
	}
}

func decoded(t *testing.T, body []byte) map[string]any {
	t.Helper()
	var value map[string]any
	require.NoError(t, unmarshal(body, &value), "%s", body)
	return value
}

func checkStandardExample(t *testing.T, s *strictServer, name string) {
	c := runExample(t, name, map[string]string{"WEBHOOK_URL": s.URL + "/hook", "WEBHOOK_SECRET": webhookSecret, "DEAD_LETTERS_DIRECTORY": t.TempDir()})
	sendOrders(t, s, c, map[string]int{"/hook": 2})
	verifier, err := standardwebhooks.NewWebhook(webhookSecret)
	require.NoError(t, err)
	var types []string
	for _, req := range s.at("/hook") {
		require.NoError(t, verifier.Verify(req.body, req.header))
		assert.NotContains(t, req.header.Get("webhook-id"), ".")
		payload := decoded(t, req.body)
		types = append(types, text(payload["type"]))
		assert.NotEmpty(t, payload["timestamp"])
		assert.IsType(t, map[string]any{}, payload["data"])
		verifyWithNode(t, req)
		assert.True(t, verifiedInPython(t, req))
	}
	verifyWithNodeServer(t, s.at("/hook"))
	forged := s.at("/hook")[0]
	forged.body = append(slices.Clone(forged.body), ' ')
	assert.False(t, verifiedInPython(t, forged))
	assert.False(t, verifiedInPython(t, webhookRequest{}), "nothing is signed")
	assert.ElementsMatch(t, []string{"order.placed", "exception"}, types)
}

// verifyWithNode verifies with the standardwebhooks package for Node.js.
func verifyWithNode(t *testing.T, req webhookRequest) {
	t.Helper()
	output := givenToNode(t, req.asGiven(), "verify_webhook.mjs", webhookSecret)
	assert.Contains(t, []string{"order.placed\n", "exception\n"}, output)
}

// asGiven is the request in the form passed to programs in other languages.
func (r webhookRequest) asGiven() map[string]any {
	headers := map[string]string{}
	for name := range r.header {
		headers[strings.ToLower(name)] = r.header.Get(name)
	}
	return map[string]any{"headers": headers, "body": string(r.body)}
}

// givenToNode runs a script in node with a value on standard input, and returns its output.
func givenToNode(t *testing.T, value any, script string, args ...string) string {
	t.Helper()
	needNode(t)
	given, err := json.Marshal(value)
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), "node", append([]string{script}, args...)...)
	cmd.Dir, cmd.Stdin = "node", bytes.NewReader(given)
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, "node/%s: %s", script, output)
	return string(output)
}

// snippet returns a code block of the webhook exporter's receiving.md.
func snippet(t *testing.T, language string) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(root, "exporter", "webhookexporter", "receiving.md"))
	require.NoError(t, err)
	_, code, ok := strings.Cut(string(page), "```"+language+"\n")
	require.True(t, ok)
	code, _, _ = strings.Cut(code, "```")
	return code
}

// verifiedInPython reports whether the page's Python function accepts the webhook.
func verifiedInPython(t *testing.T, req webhookRequest) bool {
	t.Helper()
	python, err := exec.LookPath("python3")
	require.NoError(t, err, "the page's Python is tried with python3: install it")
	given, err := json.Marshal(req.asGiven())
	require.NoError(t, err)
	program := snippet(t, "python") + "\nimport json, sys\ngiven = json.load(sys.stdin)\nprint(verify(given['headers'], given['body'].encode()))\n"
	cmd := exec.CommandContext(t.Context(), python, "-c", program)
	cmd.Env, cmd.Stdin = append(os.Environ(), "WEBHOOK_SECRET="+webhookSecret), bytes.NewReader(given)
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", output)
	return string(output) == "True\n"
}

// verifyWithNodeServer sends the webhooks, and each with a changed body, to the page's Node.js
// server.
func verifyWithNodeServer(t *testing.T, requests []webhookRequest) {
	t.Helper()
	needNode(t)
	const listen = ".listen(9001);"
	code := snippet(t, "js")
	require.Contains(t, code, listen)
	code = strings.Replace(code, listen, ".listen(0, '127.0.0.1', function () { console.log(this.address().port); });", 1)
	cmd := exec.CommandContext(t.Context(), "node", "--input-type=module")
	cmd.Dir, cmd.Stdin, cmd.Env = "node", strings.NewReader(code), append(os.Environ(), "WEBHOOK_SECRET="+webhookSecret)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	defer func() {
		assert.NoError(t, cmd.Process.Kill())
		_ = cmd.Wait() // returns that it was killed
	}()
	port, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	for _, sent := range requests {
		for body, want := range map[string]int{string(sent.body): http.StatusNoContent, string(sent.body) + " ": http.StatusUnauthorized} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1:"+strings.TrimSpace(port)+"/hook", strings.NewReader(body))
			require.NoError(t, err)
			req.Header = sent.header.Clone()
			response, err := newClient(t).http.Do(req)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			assert.Equal(t, want, response.StatusCode)
		}
	}
}

func checkCloudEventsExample(t *testing.T, s *strictServer, name string) {
	c := runExample(t, name, map[string]string{"WEBHOOK_URL": s.URL})
	sendOrders(t, s, c, map[string]int{"/structured": 2, "/binary": 2, "/batched": 1})
	var all []cloudevent.Event
	for _, path := range []string{"/structured", "/binary", "/batched"} {
		for _, req := range s.at(path) {
			request := httptest.NewRequest(http.MethodPost, req.uri, bytes.NewReader(req.body))
			request.Header = req.header
			if path == "/batched" {
				events, err := cehttp.NewEventsFromHTTPRequest(request)
				require.NoError(t, err)
				all = append(all, events...)
				continue
			}
			e, err := cehttp.NewEventFromHTTPRequest(request)
			require.NoError(t, err)
			all = append(all, *e)
		}
	}
	var types []string
	for _, e := range all {
		require.NoError(t, e.Validate())
		types = append(types, e.Type())
	}
	slices.Sort(types)
	want := []string{"com.example.shop.exception", "com.example.shop.order.placed", "exception", "exception", "order.placed", "order.placed"}
	assert.Equal(t, want, types)
	assert.Equal(t, want, readWithNode(t, slices.Concat(s.at("/structured"), s.at("/binary"), s.at("/batched"))))
	assert.Equal(t, "events.example.com", s.at("/binary")[0].header.Get("WebHook-Request-Origin"))
	assert.NotContains(t, string(s.at("/batched")[0].body), "9007199254740993")
	assert.Contains(t, string(s.at("/structured")[0].body)+string(s.at("/structured")[1].body), "9007199254740993")
}

// readWithNode returns the sorted types of the CloudEvents that Node's cloudevents package reads.
func readWithNode(t *testing.T, requests []webhookRequest) []string {
	t.Helper()
	var given []map[string]any
	for _, req := range requests {
		given = append(given, req.asGiven())
	}
	types := strings.Fields(givenToNode(t, given, "read_cloudevents.mjs"))
	slices.Sort(types)
	return types
}

func checkLinesExample(t *testing.T, s *strictServer, name string) {
	c := runExample(t, name, map[string]string{"WEBHOOK_URL": s.URL + "/lake", "WEBHOOK_TOKEN": "t1", "WEBHOOK_SECRET": "hunter2-hunter2"})
	sendOrders(t, s, c, map[string]int{"/lake": 1})
	req := s.at("/lake")[0]
	assert.Equal(t, linesType, req.header.Get("Content-Type"))
	assert.Equal(t, "Bearer t1", req.header.Get("Authorization"))
	assert.Equal(t, "sha256="+hexHMAC("hunter2-hunter2", req.body), req.header.Get("X-Signature"))
	lines := strings.Split(strings.TrimSuffix(string(req.body), "\n"), "\n")
	require.Len(t, lines, 2)
	for _, line := range lines {
		assert.NotEmpty(t, decoded(t, []byte(line))["id"])
	}
}

func hexHMAC(key string, content []byte) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write(content)
	return hex.EncodeToString(mac.Sum(nil))
}

func checkOTLPExample(t *testing.T, s *strictServer, name string) {
	c := runExample(t, name, map[string]string{"WEBHOOK_URL": s.URL + "/otlp", "WEBHOOK_SECRET": "hunter2-hunter2"})
	td := ptrace.NewTraces()
	for _, name := range []string{"a", "b"} {
		td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty().SetName(name)
	}
	spans, err := ptraceotlp.NewExportRequestFromTraces(td).MarshalProto()
	require.NoError(t, err)
	logs, err := plogotlp.NewExportRequestFromLogs(records(0, 3)).MarshalProto()
	require.NoError(t, err)
	for path, body := range map[string][]byte{"/v1/logs": logs, "/v1/traces": spans} {
		response, err := newClient(t).http.Post("http://"+c.otlpHTTP()+path, "application/x-protobuf", bytes.NewReader(body))
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, http.StatusOK, response.StatusCode)
	}
	waitForRequests(s, c, map[string]int{"/otlp": 2})
	for _, req := range s.at("/otlp") {
		assert.Equal(t, "sha256="+hexHMAC("hunter2-hunter2", req.body), req.header.Get("X-Hub-Signature-256"))
		if bytes.Contains(req.body, []byte("resourceSpans")) {
			got := ptraceotlp.NewExportRequest()
			require.NoError(t, got.UnmarshalJSON(req.body))
			assert.Equal(t, 2, got.Traces().SpanCount())
			continue
		}
		got := plogotlp.NewExportRequest()
		require.NoError(t, got.UnmarshalJSON(req.body))
		assert.Equal(t, 3, got.Logs().LogRecordCount())
	}
}

func checkTemplateExample(t *testing.T, s *strictServer, name string) {
	c := runExample(t, name, map[string]string{"WEBHOOK_URL": s.URL})
	sendOrders(t, s, c, map[string]int{"/tenants/c/1/activities": 1, "/tenants/none/activities": 1})
	placed, failed := s.at("/tenants/c/1/activities")[0], s.at("/tenants/none/activities")[0]
	assert.Equal(t, "/tenants/c%2F1/activities?source=shop", placed.uri)
	assert.Equal(t, "evt.1", placed.header.Get("Idempotency-Key"))
	assert.JSONEq(t, `{"kind":"activity","what":"order.placed","who":"u1","total":9007199254740993,"items":["a"],"failed":false}`, string(placed.body))
	assert.Contains(t, string(placed.body), "9007199254740993")
	assert.JSONEq(t, `{"kind":"activity","what":"PaymentError","who":"u2","total":null,"items":null,"failed":true,"error":{"type":"PaymentError","message":"declined <!channel>"}}`, string(failed.body))
}

func checkChatExample(t *testing.T, s *strictServer, name string) {
	c := runExample(t, name, map[string]string{
		"SLACK_URL": s.URL + "/slack", "DISCORD_URL": s.URL + "/discord", "TEAMS_URL": s.URL + "/teams", "PAGERDUTY_URL": s.URL + "/pagerduty", "PAGERDUTY_KEY": "key-of-pagerduty",
	})
	sendOrders(t, s, c, map[string]int{"/slack": 1, "/discord": 1, "/teams": 1, "/pagerduty": 1})
	slack := decoded(t, s.at("/slack")[0].body)
	assert.Equal(t, "PaymentError: declined &lt;!channel&gt;", slack["text"])
	assert.NotEmpty(t, slack["blocks"])
	discord := decoded(t, s.at("/discord")[0].body)
	assert.Equal(t, map[string]any{"parse": []any{}}, discord["allowed_mentions"])
	teams := decoded(t, s.at("/teams")[0].body)
	assert.Equal(t, "message", teams["type"])
	assert.NotContains(t, string(s.at("/teams")[0].body), "declined", "a summary")
	alert := decoded(t, s.at("/pagerduty")[0].body)
	assert.Equal(t, "key-of-pagerduty", alert["routing_key"])
	assert.Equal(t, "trigger", alert["event_action"])
	assert.Equal(t, "shop/PaymentError", alert["dedup_key"])
	assert.Equal(t, "error", alert["payload"].(map[string]any)["severity"])
}

func checkSinkExample(t *testing.T, s *strictServer, name string) {
	c := runExample(t, name, map[string]string{"WEBHOOK_URL": s.URL + "/sink", "WEBHOOK_SECRET": "hunter2-hunter2"})
	sendOrders(t, s, c, map[string]int{"/sink": 2})
	for _, req := range s.at("/sink") {
		envelope := decoded(t, req.body)
		assert.Len(t, envelope, 9)
		assert.Equal(t, "webhook/sink", envelope["destination"])
		assert.Equal(t, "user", envelope["actor_type"])
		timestamp, signature, ok := strings.Cut(strings.TrimPrefix(req.header.Get("Stripe-Signature"), "t="), ",v1=")
		require.True(t, ok)
		assert.Equal(t, hexHMAC("hunter2-hunter2", append([]byte(timestamp+"."), req.body...)), signature)
	}
}
