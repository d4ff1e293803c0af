// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
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
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"

	"github.com/otelcol-fanout/otelcol-fanout/internal/explain"
	moengageintake "github.com/otelcol-fanout/otelcol-fanout/test/intake/moengage"
	posthogintake "github.com/otelcol-fanout/otelcol-fanout/test/intake/posthog"
	sentryintake "github.com/otelcol-fanout/otelcol-fanout/test/intake/sentry"
)

// vendors is a server for all backends. It records each request as explain shows it, and passes it to
// the vendor's strict stand-in.
type vendors struct {
	*httptest.Server
	t        *testing.T
	sentry   *sentryintake.Intake
	posthog  *posthogintake.Intake
	moengage *moengageintake.Intake

	mu       sync.Mutex
	received []string
}

func newVendors(t *testing.T) *vendors {
	t.Helper()
	v := &vendors{t: t, posthog: posthogintake.New(t), moengage: moengageintake.New(t), sentry: sentryintake.New(t,
		sentryintake.Project{ID: "42", PublicKey: sentryKey}, sentryintake.Project{ID: "1", PublicKey: sentryKey}, sentryintake.Project{ID: "2", PublicKey: sentryKey})}
	v.Server = httptest.NewServer(v)
	t.Cleanup(v.Close)
	return v
}

// sentryKey is the key of all projects.
const sentryKey = "0123456789abcdef0123456789abcdef"

// environment returns the variables of all examples.
func (v *vendors) environment() []string {
	dsn := "http://" + sentryKey + "@" + v.Listener.Addr().String() + "/"
	env := []string{
		"SENTRY_DSN=" + dsn + "42", "SHOP_SENTRY_DSN=" + dsn + "1", "BILLING_SENTRY_DSN=" + dsn + "2",
		"POSTHOG_API_KEY=" + posthogintake.Key, "SHOP_POSTHOG_API_KEY=" + posthogintake.Key, "OTHER_POSTHOG_API_KEY=" + posthogintake.Key, "POSTHOG_ENDPOINT=" + v.URL,
		"MOENGAGE_WORKSPACE_ID=" + moengageintake.Workspace, "MOENGAGE_API_KEY=" + moengageintake.Key, "MOENGAGE_DATA_CENTER=1",
		"WEBHOOK_SECRET=" + webhookSecret, "AUDIT_SECRET=" + webhookSecret, "WEBHOOK_TOKEN=token-of-the-lake",
		"PAGERDUTY_KEY=routing-key-of-pagerduty", "PAGERDUTY_URL=" + v.URL + "/v2/enqueue", "DD_API_KEY=key-of-datadog", "PRIVACY_KEY=0123456789abcdef0123456789abcdef",
		"OTLP_ENDPOINT=" + v.URL + "/otlp",
	}
	for _, name := range []string{"WEBHOOK_URL", "AUDIT_URL", "EVENTS_URL", "PARTNER_URL", "SLACK_URL", "DISCORD_URL", "TEAMS_URL", "INBOX_URL"} {
		env = append(env, name+"="+v.URL+"/hook")
	}
	return env
}

// secrets are the values in the environment that explain does not show.
func (v *vendors) secrets() []string {
	return []string{sentryKey, posthogintake.Key, moengageintake.Key, webhookSecret, "token-of-the-lake", "routing-key-of-pagerduty", "key-of-datadog"}
}

// ServeHTTP implements http.Handler.
func (v *vendors) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	sent, err := io.ReadAll(r.Body)
	if !assert.NoError(v.t, err) {
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(sent))
	plain, err := readPlain(r)
	assert.NoError(v.t, err)
	v.record(r, plain)
	r.Body = io.NopCloser(bytes.NewReader(sent))
	switch path := r.URL.Path; {
	case strings.HasPrefix(path, "/api/"):
		v.sentry.ServeHTTP(w, r)
	case strings.HasPrefix(path, "/batch/"):
		v.posthog.ServeHTTP(w, r)
	case strings.HasPrefix(path, "/v1/transition/"), strings.HasPrefix(path, "/v1/customer"), strings.HasPrefix(path, "/v1/event/"):
		v.moengage.ServeHTTP(w, r)
	default:
		w.Header().Set("WebHook-Allowed-Origin", "*")
	}
}

func (v *vendors) record(r *http.Request, body []byte) {
	header := r.Header.Clone()
	for _, name := range []string{"Accept-Encoding", "Content-Length", "Content-Encoding"} {
		header.Del(name)
	}
	// Parts of a configured URL that are not in every URL may be secret.
	path := regexp.MustCompile(`/(structured|binary|batched)$`).ReplaceAllString(r.RequestURI, "/[REDACTED]")
	text := normalized(r.Method, "http://"+r.Host+path, header, string(body), v.secrets())
	if r.Header.Get("Content-Type") == "application/x-protobuf" {
		text = sendTime.ReplaceAllString(otlpOf(v.t, r.URL.Path, body), `"$1":"..."`)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if r.Method != http.MethodOptions {
		v.received = append(v.received, text)
	}
}

// take returns what was received since the last call, sorted, once it is n requests.
func (v *vendors) take(c *collector, n int) []string {
	count := func() int {
		v.mu.Lock()
		defer v.mu.Unlock()
		return len(v.received)
	}
	c.waitFor(fmt.Sprintf("%d requests", n), func() bool { return count() >= n })
	time.Sleep(50 * time.Millisecond) // for one too many
	v.mu.Lock()
	defer v.mu.Unlock()
	received := slices.Sorted(slices.Values(v.received))
	v.received = nil
	return received
}

// otlpOf returns OTLP in protobuf as JSON.
func otlpOf(t *testing.T, path string, body []byte) string {
	t.Helper()
	if strings.HasSuffix(path, "/v1/logs") {
		request := plogotlp.NewExportRequest()
		assert.NoError(t, request.UnmarshalProto(body))
		text, err := (&plog.JSONMarshaler{}).MarshalLogs(request.Logs())
		assert.NoError(t, err)
		return "OTLP\n" + string(text)
	}
	request := ptraceotlp.NewExportRequest()
	assert.NoError(t, request.UnmarshalProto(body))
	text, err := (&ptrace.JSONMarshaler{}).MarshalTraces(request.Traces())
	assert.NoError(t, err)
	return "OTLP\n" + string(text)
}

var (
	// sendTime matches times at which events are received and sent.
	sendTime = regexp.MustCompile(`"(sent_at|observed_at|observedTimeUnixNano)":"[^"]*"`)
	// sendHeaders have such times, signatures over them, or ids of requests.
	sendHeaders = []string{"Webhook-Timestamp", "Webhook-Signature", "Stripe-Signature", "X-Signature-Timestamp", "Posthog-Request-Id"}
)

// normalized returns a request as text, without secrets, times and signatures.
func normalized(method, url string, header http.Header, body string, secrets []string) string {
	var b strings.Builder
	b.WriteString(method + " " + url + "\n")
	for _, name := range slices.Sorted(maps.Keys(header)) {
		value := strings.Join(header[name], ", ")
		switch {
		case slices.Contains(sendHeaders, name):
			value = "..."
		case name == "Authorization":
			value, _, _ = strings.Cut(value, " ")
		}
		b.WriteString(name + ": " + value + "\n")
	}
	b.WriteString("\n" + sendTime.ReplaceAllString(body, `"$1":"..."`))
	text := b.String()
	for _, secret := range secrets {
		text = strings.ReplaceAll(text, secret, "[REDACTED]")
	}
	return text
}

// explained returns what explain shows for all backends, like [vendors.take].
func explained(t *testing.T, environment []string, args ...string) []string {
	t.Helper()
	result := explainResult(t, environment, args...)
	requests := []string{}
	for i := range result.Backends {
		if result.Backends[i].ID == "debug" {
			continue
		}
		for _, r := range result.Backends[i].Requests {
			switch r.Method {
			case http.MethodOptions:
			case "":
				requests = append(requests, "OTLP\n"+sendTime.ReplaceAllString(r.Body, `"$1":"..."`))
			default:
				requests = append(requests, normalized(r.Method, r.URL, r.Headers, r.Body, nil))
			}
		}
	}
	return slices.Sorted(slices.Values(requests))
}

func explainResult(t *testing.T, environment []string, args ...string) *explain.Result {
	t.Helper()
	end := run(t, environment, append([]string{"explain", "--json"}, args...)...)
	require.Zero(t, end.code, "%s", end.stderr)
	var result explain.Result
	require.NoError(t, json.Unmarshal([]byte(end.stdout), &result))
	return &result
}

// inputs returns the input of each example, by the path that it is posted to. Ids and times are fixed, so that
// they are the same each time.
func inputs(now time.Time) map[string]string {
	events := []string{
		`"id":"01a0c0de-0000-7000-8000-000000000001","name":"order_placed","source":{"name":"shop"},"user":{"id":"u1","email":"ann@example.com"},"groups":{"company":"c/1"},"properties":{"order_id":9007199254740993,"total":12.50,"shipping_address":"1 Main Street","note":"a \"quoted\" <b> é"}`,
		`"id":"01a0c0de-0000-7000-8000-000000000002","severity":"error","source":{"name":"billing"},"user":{"id":"u2"},"exception":{"type":"PaymentError","message":"declined"}`,
		`"id":"01a0c0de-0000-7000-8000-000000000003","name":"audit.role_granted","user":{"id":"u1"},"properties":{"role":"admin"}`,
		`"id":"01a0c0de-0000-7000-8000-000000000004","name":"job_failed","severity":"error","message":"timed out","source":{"name":"backups"}`,
		`"id":"01a0c0de-0000-7000-8000-000000000005","name":"signup_completed","user":{"id":"u3"},"type":"track"`,
		`"id":"01a0c0de-0000-7000-8000-000000000006","name":"feature_hovered","user":{"id":"u1"}`,
		`"id":"01a0c0de-0000-7000-8000-000000000007","name":"login_success","user":{"id":"u1"},"destinations":{"moengage":false}`,
	}
	for i := range events {
		events[i] = fmt.Sprintf(`{%s,"timestamp":%q}`, events[i], now.Add(time.Duration(i)*time.Second).Format(time.RFC3339Nano))
	}
	nanos := fmt.Sprint(now.UnixNano())
	resource := `"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]}`
	return map[string]string{
		"/v1/events": "[" + strings.Join(events, ",") + "]",
		"/v1/logs": fmt.Sprintf(`{"resourceLogs":[{%s,"scopeLogs":[{"scope":{"name":"app"},"logRecords":[{"timeUnixNano":%q,"observedTimeUnixNano":%[2]q,"severityNumber":17,"eventName":"order_failed","body":{"stringValue":"no stock"},`+
			`"attributes":[{"key":"user.id","value":{"stringValue":"u1"}},{"key":"n","value":{"intValue":"9007199254740993"}}]}]}]}]}`, resource, nanos),
		"/v1/traces": fmt.Sprintf(`{"resourceSpans":[{%s,"scopeSpans":[{"scope":{"name":"app"},"spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"POST /orders","kind":2,"startTimeUnixNano":%q,"endTimeUnixNano":%q,`+
			`"status":{"code":2},"events":[{"timeUnixNano":%[2]q,"name":"exception","attributes":[{"key":"exception.type","value":{"stringValue":"StockError"}},{"key":"exception.message","value":{"stringValue":"no stock"}}]}]}]}]}]}`,
			resource, nanos, fmt.Sprint(now.Add(time.Millisecond).UnixNano())),
	}
}

// TestExplainShowsWhatBackendsReceive compares explain with the requests of the running binary, for
// every example.
func TestExplainShowsWhatBackendsReceive(t *testing.T) {
	t.Parallel()
	for _, file := range shippedFiles(t) {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			v := newVendors(t)
			environment := v.environment()
			if file == "config.yaml" {
				environment = append(environment, "SENTRY_ENABLED=1", "POSTHOG_ENABLED=1", "MOENGAGE_ENABLED=1", "WEBHOOK_ENABLED=1", "OTLP_ENABLED=1")
			}
			path, err := filepath.Abs(filepath.Join(root, file))
			require.NoError(t, err)
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			var settings []string
			if strings.Contains(string(text), "\n  moengage:") {
				settings = append(settings, "--config", "yaml:exporters::moengage::endpoint: "+v.URL)
			}
			if strings.Contains(string(text), "otlp_http/datadog") {
				settings = append(settings, "--config", "yaml:exporters::otlp_http/datadog::logs_endpoint: "+v.URL+"/v1/logs", "--config", "yaml:exporters::otlp_http/datadog::traces_endpoint: "+v.URL+"/v1/traces")
			}
			local := append([]string{"--config", writeConfig(t, portOfExample.ReplaceAllString(string(text), "endpoint: localhost:0")),
				"--config", "yaml:service::telemetry::metrics::level: none"}, settings...)
			c := launchIn(t, environment, local...)
			c.waitForLog(ready)
			args := append([]string{"--config", path}, settings...)
			for _, post := range postsOf(c, string(text)) {
				compareExplained(t, v, c, post, environment, args)
			}
			c.stop()
		})
	}
}

// post is a way into a collector.
type post struct{ path, url, flag string }

// postsOf returns the ways into a collector that an example has. Sampling whole traces takes longer
// than explain waits.
func postsOf(c *collector, text string) []post {
	var posts []post
	if strings.Contains(text, "\n  event:") {
		posts = append(posts, post{"/v1/events", c.eventURL(), "--event"})
	}
	if strings.Contains(text, "\n  otlp:") {
		posts = append(posts, post{"/v1/logs", "http://" + c.otlpHTTP() + "/v1/logs", "--otlp"})
		if strings.Contains(text, "\n    traces") && !strings.Contains(text, "tail_sampling") {
			posts = append(posts, post{"/v1/traces", "http://" + c.otlpHTTP() + "/v1/traces", "--otlp"})
		}
	}
	return posts
}

func compareExplained(t *testing.T, v *vendors, c *collector, p post, environment, args []string) {
	t.Helper()
	input := filepath.Join(t.TempDir(), "input.json")
	require.NoError(t, os.WriteFile(input, []byte(inputs(exampleTime)[p.path]), 0o600))
	want := explained(t, environment, append(slices.Clone(args), p.flag, input)...)
	response, err := newClient(t).post(p.url, jsonType, inputs(exampleTime)[p.path])
	require.NoError(t, err)
	require.Less(t, response.status, 300, "%s: %v", p.path, response)
	assert.Equal(t, want, v.take(c, len(want)), p.path)
}

// exampleTime is near now, since vendors refuse old events.
var exampleTime = time.Now().Add(-time.Minute).UTC().Truncate(time.Millisecond)

func TestExplainTouchesNeitherPortsNorFilesNorNetwork(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	requests := 0
	backend := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests++ }))
	defer backend.Close()
	config := fmt.Sprintf(`
receivers:
  event: {endpoint: %[1]q}
  otlp: {protocols: {http: {endpoint: %[1]q}}}
extensions:
  file_storage: {directory: ./queue, create_directory: true}
  file_storage/elsewhere: {directory: /does/not/exist}
  dead_letter: {directory: ./dead, endpoint: %[1]q}
  health_check: {endpoint: %[1]q}
  oauth2client: {client_id: a, client_secret: planted-client-secret, token_url: "%[2]s/token"}
exporters:
  webhook: {endpoint: "%[2]s/hook", auth: {authenticator: oauth2client}, dead_letter: dead_letter, sending_queue: {storage: file_storage}, tls: {ca_file: /does/not/exist.pem}}
  webhook/ce: {endpoint: "%[2]s/hook", format: cloudevents, cloudevents: {mode: binary, handshake: {enabled: true, origin: events.example.com}}}
  otlp_http: {endpoint: %[2]q, auth: {authenticator: oauth2client}}
  file: {path: ./events.json}
  kafka: {brokers: ["127.0.0.1:1"]}
service:
  extensions: [file_storage, file_storage/elsewhere, dead_letter, health_check, oauth2client]
  pipelines:
    logs: {receivers: [event, otlp], exporters: [webhook, webhook/ce, otlp_http, file, kafka]}
`, taken.Addr().String(), backend.URL)
	folder := t.TempDir()
	event := filepath.Join(t.TempDir(), "event.json")
	require.NoError(t, os.WriteFile(event, []byte(`{"name":"order_placed"}`), 0o600))
	cmd := command(t.Context(), t, nil, "explain", "--json", "--config", "yaml:"+config, "--event", event)
	cmd.Dir = folder
	require.NoError(t, os.Chmod(folder, 0o500))
	out, err := cmd.Output()
	require.NoError(t, err)
	var result explain.Result
	require.NoError(t, json.Unmarshal(out, &result))
	for i := range result.Backends {
		assert.Equal(t, 1, result.Backends[i].Delivered, "%+v", result.Backends[i])
	}
	assert.Len(t, result.Backends, 5)
	assert.Equal(t, "oauth2client", result.Backends[slices.IndexFunc(result.Backends, func(b explain.Backend) bool { return b.ID == "webhook" })].Requests[0].Auth)
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	assert.Empty(t, entries)
	assert.Zero(t, requests)
}

func TestExamplesPassTheirCases(t *testing.T) {
	t.Parallel()
	for _, file := range shippedFiles(t) {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			config, err := filepath.Abs(filepath.Join(root, file))
			require.NoError(t, err)
			tests, err := filepath.Abs(filepath.Join(root, "examples", "tests", filepath.Base(file)))
			require.NoError(t, err)
			report := filepath.Join(t.TempDir(), "report.xml")
			end := run(t, nil, "test", "--config", config, tests, "--junit", report)
			assert.Zero(t, end.code, "%s%s", end.stdout, end.stderr)
			assert.Empty(t, end.stderr)
			text, err := os.ReadFile(report)
			require.NoError(t, err)
			assert.Contains(t, string(text), `failures="0"`)
		})
	}
}

func TestBadInputOfExplainAndTest(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(folder, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	event := write("event.json", `{"name":"order_placed"}`)
	hook := write("hook.yaml", `
receivers: {event: {endpoint: "localhost:0"}}
exporters: {webhook: {endpoint: https://hooks.example.com}}
service: {pipelines: {logs: {receivers: [event], exporters: [webhook]}}}`)
	two := write("two.yaml", `
receivers: {event: {endpoint: "localhost:0"}, event/b: {endpoint: "localhost:1"}}
exporters: {webhook: {endpoint: https://hooks.example.com}}
service: {pipelines: {logs: {receivers: [event, event/b], exporters: [webhook]}}}`)
	for name, tt := range map[string]struct {
		args []string
		want string
	}{
		"no event":         {[]string{"explain", "--config", hook}, "the event is missing; write --event FILE"},
		"no file":          {[]string{"explain", "--config", hook, "--event", "nope.json"}, "--event: there is no file nope.json; write the name of a file with the event, or - for standard input"},
		"empty":            {[]string{"explain", "--config", hook, "--event", write("empty.json", "\n")}, "is empty; write an event such as"},
		"both":             {[]string{"explain", "--config", hook, "--event", event, "--otlp", event}, "--event and --otlp exclude each other"},
		"two forms":        {[]string{"explain", "--config", hook, "--event", event, "--curl", "--json"}, "--curl and --json exclude each other"},
		"not JSON":         {[]string{"explain", "--config", hook, "--event", write("bad.json", `{"name":`)}, "the receiver event answers 400: "},
		"not an event":     {[]string{"explain", "--config", hook, "--event", write("list.json", `{"properties":{}}`)}, "the receiver event answers 400: "},
		"not OTLP":         {[]string{"explain", "--config", hook, "--otlp", event}, "this is not OTLP JSON; write an object with resourceLogs, resourceSpans or resourceMetrics"},
		"other signal":     {[]string{"explain", "--config", hook, "--otlp", write("spans.json", inputs(exampleTime)["/v1/traces"])}, "the receiver event is in no pipeline of traces"},
		"several":          {[]string{"explain", "--config", two, "--event", event}, "several receivers take this input; write one of them as receiver (--receiver): event, event/b"},
		"unknown receiver": {[]string{"explain", "--config", two, "--event", event, "--receiver", "otlp"}, `"otlp" is not a receiver of a pipeline that takes this input; write one of event, event/b`},
		"no config":        {[]string{"explain", "--config", "nope.yaml", "--event", event}, "nope.yaml"},
		"bad config": {[]string{"explain", "--config", write("broken.yaml", `
receivers: {event: {endpoint: "localhost:0"}}
exporters: {webhook: {endpoint: ""}}
service: {pipelines: {logs: {receivers: [event], exporters: [webhook]}}}`), "--event", event}, "broken.yaml:3: exporters::webhook: endpoint: is missing; write the URL that events are posted to"},
		"unknown key": {[]string{"explain", "--config", write("unknown.yaml", `
receivers: {event: {endpoint: "localhost:0"}}
exporters: {webhook: {endpoint: https://hooks.example.com, nope: 1}}
service: {pipelines: {logs: {receivers: [event], exporters: [webhook]}}}`), "--event", event}, "exporters::webhook: unknown key"},
		"header":          {[]string{"explain", "--config", hook, "--event", event, "--header", "a"}, "--header: \"a\" has no colon"},
		"no cases":        {[]string{"test", "--config", hook}, "the file with the cases is missing; write test --config my.yaml cases.yaml"},
		"no cases file":   {[]string{"test", "--config", hook, "nope.yaml"}, "there is no file nope.yaml"},
		"unknown backend": {[]string{"test", "--config", hook, write("c1.yaml", "cases: [{name: a, event: {name: b}, delivered_to: [nope]}]")}, `c1.yaml:1: no pipeline has an exporter "nope", or it is off; write one of webhook`},
		"unknown member":  {[]string{"test", "--config", hook, write("c2.yaml", "cases:\n  - name: a\n    delivered: [webhook]\n")}, `c2.yaml:3: unknown key "delivered"; write one of name, event, otlp`},
		"bad pointer":     {[]string{"test", "--config", hook, write("c3.yaml", "cases: [{name: a, event: {name: b}, requests: {webhook: {body: {name: b}}}}]")}, `requests::webhook: body: "name" is not a JSON pointer; write one such as /batch/0/event`},
		"wrong type":      {[]string{"test", "--config", hook, write("c4.yaml", "cases: [{name: a, event: {name: b}, delivered_to: {a: b}}]")}, "is a map; write a list, such as [a, b]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			end := run(t, nil, tt.args...)
			assert.Equal(t, 1, end.code)
			assert.Contains(t, end.stderr, tt.want)
			assert.Equal(t, 1, strings.Count(strings.TrimSpace(end.stderr), "\n")+1, "lines: %s", end.stderr)
			assert.Empty(t, end.stdout)
		})
	}
}

func TestFailedCaseExitsWith2(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	cases := filepath.Join(folder, "cases.yaml")
	require.NoError(t, os.WriteFile(cases, []byte(`
environment: {HOOK_URL: https://hooks.example.com/planted-secret}
cases:
  - name: passes
    event: {id: e1, name: order_placed, properties: {total: 9007199254740993}}
    requests: {webhook: {body: {/properties/total: 9007199254740993}}}
  - name: fails
    event: {id: e1, name: order_placed, properties: {total: 9007199254740993}}
    requests: {webhook: {body: {/properties: {total: 9007199254740992}}}}
`), 0o600))
	report := filepath.Join(folder, "report.xml")
	end := run(t, nil, "test", "--junit", report, cases, "--config", `yaml:
receivers: {event: {endpoint: "localhost:0"}}
exporters: {webhook: {endpoint: "${env:HOOK_URL}"}}
service: {pipelines: {logs: {receivers: [event], exporters: [webhook]}}}`)
	assert.Equal(t, 2, end.code)
	assert.Equal(t, `ok    passes
FAIL  fails (`+cases+`:7)
      webhook: /properties differs:
          {
        -   "total": 9007199254740992
        +   "total": 9007199254740993
          }
1 of 2 cases passed
`, end.stdout)
	text, err := os.ReadFile(report)
	require.NoError(t, err)
	assert.Contains(t, string(text), `tests="2" failures="1"`)
	assert.Contains(t, string(text), `<failure message="webhook: /properties differs:">`)
}

func TestExplainShowsNoSecret(t *testing.T) {
	t.Parallel()
	secrets := []string{
		"planted-dsn-key", "phc_planted-api-key", "planted-moengage-key", "planted-url-token", "planted-query-token", "planted-header-token",
		"planted-user-password", "cGxhbnRlZC1zaWduaW5nLXNlY3JldC0wMDAw", "planted-basic-password", "planted-bearer", "planted-file-secret", "planted-write-key", "planted-attribute-token", "plntd",
	}
	folder := t.TempDir()
	file := filepath.Join(folder, "secret")
	require.NoError(t, os.WriteFile(file, []byte("planted-file-secret"), 0o600))
	config := writeConfig(t, `
receivers:
  event: {endpoint: "localhost:0", keys: [{key: planted-write-key, resource: {service.name: shop}}]}
processors:
  transform:
    log_statements: ['set(log.attributes["token"], "${env:PLANTED_TOKEN}")']
extensions:
  basicauth: {client_auth: {username: u, password: planted-basic-password}}
  bearertokenauth: {token: planted-bearer}
exporters:
  sentry: {dsn: "https://planted-dsn-key@o0.ingest.sentry.io/42"}
  posthog: {api_key: "${env:PLANTED_KEY}"}
  moengage: {workspace_id: W1, api_key: planted-moengage-key, data_center: 1}
  webhook/url: {endpoint: "${env:PLANTED_URL}"}
  webhook/literal: {endpoint: "https://u:planted-user-password@hooks.example.com/x/planted-url-token"}
  webhook/header: {endpoint: https://hooks.example.com, headers: {Authorization: "Bearer ${env:PLANTED_HEADER}", X-Short: plntd}, signing: {scheme: standard, secrets: [whsec_cGxhbnRlZC1zaWduaW5nLXNlY3JldC0wMDAw]}}
  webhook/file: {endpoint: https://hooks.example.com, headers: {X-Token: "${file:`+file+`}"}}
  webhook/basic: {endpoint: https://hooks.example.com, auth: {authenticator: basicauth}}
  webhook/bearer: {endpoint: https://hooks.example.com, auth: {authenticator: bearertokenauth}}
  webhook/echo: {endpoint: "https://hooks.example.com/planted-url-token", format: template, template: {text: 'see https://hooks.example.com/planted-url-token and {{ .properties.seen }}'}}
  otlp_http: {endpoint: https://otlp.example.com, headers: {api-key: planted-header-token}}
service:
  extensions: [basicauth, bearertokenauth]
  pipelines:
    logs: {receivers: [event], processors: [transform], exporters: [sentry, posthog, moengage, webhook/url, webhook/literal, webhook/header, webhook/file, webhook/basic, webhook/bearer, webhook/echo, otlp_http]}
`)
	environment := []string{
		"PLANTED_KEY=phc_planted-api-key", "PLANTED_URL=https://hooks.example.com/hook/planted-url-token?k=planted-query-token",
		"PLANTED_HEADER=planted-header-token", "PLANTED_TOKEN=planted-attribute-token",
	}
	event := filepath.Join(folder, "event.json")
	require.NoError(t, os.WriteFile(event, []byte(`{"id":"e1","name":"order_placed","user":{"id":"u1"},"properties":{"seen":"phc_planted-api-key"}}`), 0o600))
	cases := filepath.Join(folder, "cases.yaml")
	require.NoError(t, os.WriteFile(cases, []byte(`cases: [{name: a, event: {name: b, user: {id: u}}, not_delivered_to: [sentry, posthog, moengage, webhook/url, webhook/literal, webhook/header, webhook/file, webhook/basic, webhook/echo, otlp_http],
  requests: {webhook/url: {url: x, body: {"": 1}}, webhook/header: {headers: {Authorization: x, X-Short: x, Webhook-Signature: x}}}}]`), 0o600))
	report := filepath.Join(folder, "report.xml")
	for _, args := range [][]string{
		{"explain", "--config", config, "--event", event},
		{"explain", "--config", config, "--event", event, "--json"},
		{"explain", "--config", config, "--event", event, "--curl"},
		{"test", "--config", config, cases, "--junit", report},
	} {
		end := run(t, environment, args...)
		assert.Contains(t, []int{0, 2}, end.code, end.stderr)
		written, _ := os.ReadFile(report)
		for _, secret := range secrets {
			for _, text := range []string{end.stdout, end.stderr, string(written)} {
				assert.NotContains(t, text, secret, "%v", args)
			}
		}
	}
	curl := run(t, environment, "explain", "--config", config, "--event", event, "--curl").stdout
	for _, want := range []string{`"$PLANTED_KEY"`, `curl -X POST "$PLANTED_URL"`, `'Authorization: Bearer '"$PLANTED_HEADER"`, `-u 'W1:'"$MOENGAGE_API_KEY"`} {
		assert.Contains(t, curl, want)
	}
}

// TestExplainedCurlSendsTheSame runs the commands of --curl, and compares what arrives.
func TestExplainedCurlSendsTheSame(t *testing.T) {
	t.Parallel()
	v := newVendors(t)
	environment := append(v.environment(), "FANOUT_DATA_DIR=")
	config, err := filepath.Abs(filepath.Join(root, "examples", "everything.yaml"))
	require.NoError(t, err)
	event := filepath.Join(t.TempDir(), "event.json")
	require.NoError(t, os.WriteFile(event, []byte(inputs(exampleTime)["/v1/events"]), 0o600))
	args := []string{"--config", config, "--config", "yaml:exporters::moengage::endpoint: " + v.URL, "--event", event}
	script := run(t, environment, append([]string{"explain", "--curl"}, args...)...).stdout
	derived := "SENTRY_DSN_PART_1=" + sentryKey
	var want []string
	for _, request := range explained(t, environment, args...) {
		if !strings.HasPrefix(request, "OTLP\n") {
			want = append(want, request)
		}
	}
	needCurl(t)
	shell := exec.CommandContext(t.Context(), "sh", "-e", "-c", script)
	shell.Env = append(append(environment, derived), "PATH="+os.Getenv("PATH"), "no_proxy=*")
	output, err := shell.CombinedOutput()
	require.NoError(t, err, "%s", output)
	v.mu.Lock()
	defer v.mu.Unlock()
	received := make([]string, len(v.received))
	for i := range received {
		received[i] = strings.ReplaceAll(v.received[i], "Accept: */*\n", "")
	}
	slices.SortFunc(received, cmp.Compare)
	assert.Equal(t, want, received)
}
