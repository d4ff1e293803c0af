// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

// recorder takes every request of any vendor and keeps what it was sent, headers included.
type recorder struct {
	*httptest.Server

	mu   sync.Mutex
	sent map[string]*strings.Builder // by the first element of the path
}

func newRecorder(t *testing.T) *recorder {
	t.Helper()
	r := &recorder{sent: map[string]*strings.Builder{}}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

// ServeHTTP implements http.Handler.
func (r *recorder) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body := io.Reader(request.Body)
	if request.Header.Get("Content-Encoding") == "gzip" {
		unzipped, err := gzip.NewReader(body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		body = unzipped
	}
	content, _ := io.ReadAll(body)
	vendor := strings.Split(request.URL.Path, "/")[1]
	r.mu.Lock()
	if r.sent[vendor] == nil {
		r.sent[vendor] = &strings.Builder{}
	}
	fmt.Fprintf(r.sent[vendor], "%s\n%v\n%s\n", request.URL, request.Header, content)
	r.mu.Unlock()
	response := `{"id":"0","status":"success"}`
	if vendor == "posthog" {
		response = `{"status":1}`
	}
	_, _ = io.WriteString(w, response)
}

// sentTo returns everything that a vendor was sent.
func (r *recorder) sentTo(vendor string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sent[vendor] == nil {
		return ""
	}
	return r.sent[vendor].String()
}

// plantIn puts an address into every kind of attribute.
func plantIn(m pcommon.Map, address string) {
	for _, name := range []string{"user.email", "fanout.previous_id", "exception.message", "url.full", "note"} {
		m.PutStr(name, "to "+address)
	}
	m.PutStr("user.id", address)
	m.PutStr("exception.type", "Error")
	m.PutStr("exception.stacktrace", "Error: "+address+" is taken\n    at signUp (/app/signup.js:10:5)\n  [cause]: Error: "+address+"\n      at x (/app/x.js:1:1)")
	for _, name := range []string{"fanout.traits", "fanout.traits_once", "fanout.groups", "properties", "context"} {
		nested := m.PutEmptyMap(name)
		nested.PutStr("contact", address)
		nested.PutStr("company", address)
		nested.PutEmptyMap("traits").PutStr("contact", address)
		nested.PutEmptySlice("to").AppendEmpty().SetEmptyMap().PutStr("address", address)
		nested.PutStr("to "+address, "a name")
	}
}

func plantedLogs(address string) plog.Logs {
	logs := plog.NewLogs()
	rl := logs.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", "shop")
	rl.Resource().Attributes().PutStr("owner", address)
	sl := rl.ScopeLogs().AppendEmpty()
	sl.Scope().SetName("scope of " + address)
	sl.Scope().Attributes().PutStr("owner", address)
	for _, kind := range []string{"track", "identify", "alias", "group", "page", "screen", "exception", "log"} {
		r := sl.LogRecords().AppendEmpty()
		r.SetSeverityNumber(plog.SeverityNumberError)
		r.Body().SetEmptyMap().PutStr("message", "mail to "+address)
		plantIn(r.Attributes(), address)
		switch kind {
		case "exception":
		case "log":
			r.Body().SetStr("mail to " + address)
			r.Attributes().RemoveIf(func(name string, _ pcommon.Value) bool { return strings.HasPrefix(name, "exception.") })
		default:
			r.SetEventName("mailed " + address)
			r.Attributes().PutStr("fanout.type", kind)
			r.Attributes().RemoveIf(func(name string, _ pcommon.Value) bool { return strings.HasPrefix(name, "exception.") })
		}
	}
	return logs
}

func plantedTraces(address string) ptrace.Traces {
	traces := ptrace.NewTraces()
	rs := traces.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr("owner", address)
	span := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	span.SetTraceID([16]byte{1})
	span.SetSpanID([8]byte{2})
	span.SetName("GET /users/" + address)
	span.Status().SetCode(ptrace.StatusCodeError)
	span.Status().SetMessage("no " + address)
	plantIn(span.Attributes(), address)
	span.Attributes().PutStr("gen_ai.operation.name", "chat")
	span.Attributes().PutStr("gen_ai.input.messages", `[{"role":"user","content":"I am `+address+`"}]`)
	for _, name := range []string{"exception", "mailed " + address} {
		event := span.Events().AppendEmpty()
		event.SetName(name)
		plantIn(event.Attributes(), address)
	}
	plantIn(span.Links().AppendEmpty().Attributes(), address)
	return traces
}

// withPrivacy is a configuration with all backends behind the privacy processor.
func withPrivacy(url, action string) string {
	return fmt.Sprintf(`receivers:
  otlp: {protocols: {http: {endpoint: "127.0.0.1:0"}}}
processors:
  privacy:
    hash_key: 0123456789abcdef0123456789abcdef
    rules: [{preset: email, action: %[2]s}]
exporters:
  sentry: {dsn: "http://key@%[3]s/sentry/42", send_default_pii: true}
  posthog: {endpoint: "%[1]s/posthog", api_key: phc_examplekeyofaproject, logs: as_events}
  moengage: {endpoint: "%[1]s/moengage", workspace_id: W, api_key: K, data_center: 1}
  webhook: {endpoint: "%[1]s/webhook", batching: array}
service:
  pipelines:
    logs: {receivers: [otlp], processors: [privacy], exporters: [sentry, posthog, moengage, webhook]}
    traces: {receivers: [otlp], processors: [privacy], exporters: [sentry, posthog, webhook]}
`, url, action, strings.TrimPrefix(url, "http://"))
}

func TestPersonalDataReachesNoBackend(t *testing.T) {
	t.Parallel()
	const address = "ada@example.com"
	for _, action := range []string{"hash", "mask", "drop"} {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			r := newRecorder(t)
			p := startOnFreePort(t, nil, func(port int) *collector {
				return launch(t, "--config", writeConfig(t, withPrivacy(r.URL, action)), "--config", "yaml:service::telemetry::metrics::readers: "+metricsReaders(port))
			})
			newSDK(p).mustExport(t, plantedLogs(address))
			body, err := ptraceotlp.NewExportRequestFromTraces(plantedTraces(address)).MarshalProto()
			require.NoError(t, err)
			response, err := p.client.Post("http://"+p.otlpHTTP()+"/v1/traces", "application/x-protobuf", strings.NewReader(string(body)))
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			assert.Equal(t, http.StatusOK, response.StatusCode)
			p.stop() // delivers what is queued
			for _, vendor := range []string{"sentry", "posthog", "moengage", "webhook"} {
				if vendor != "moengage" || action != "drop" { // MoEngage takes no event without a user
					assert.NotEmpty(t, r.sentTo(vendor), vendor)
				}
				assertNoSecrets(t, vendor, r.sentTo(vendor), []string{address, "ada%40example.com", "example.com"})
			}
			assertNoSecrets(t, "the log", p.stderr.String(), []string{address})
			assert.Contains(t, r.sentTo("posthog"), `"$set"`, "traits are still traits")
		})
	}
}
