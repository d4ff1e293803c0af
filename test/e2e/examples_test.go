// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"

	moengageintake "github.com/otelcol-fanout/otelcol-fanout/test/intake/moengage"
	posthogintake "github.com/otelcol-fanout/otelcol-fanout/test/intake/posthog"
	sentryintake "github.com/otelcol-fanout/otelcol-fanout/test/intake/sentry"
)

// exampleVariables are the variables of all examples, with values that pass validation.
func exampleVariables() []string {
	return []string{
		"SENTRY_DSN=http://key@127.0.0.1:9/42",
		"POSTHOG_API_KEY=" + posthogintake.Key,
		"MOENGAGE_WORKSPACE_ID=w", "MOENGAGE_API_KEY=k", "MOENGAGE_DATA_CENTER=2",
		"WEBHOOK_URL=" + aURL, "WEBHOOK_SECRET=" + webhookSecret, "WEBHOOK_TOKEN=t",
		"AUDIT_URL=" + aURL, "AUDIT_SECRET=" + webhookSecret, "EVENTS_URL=" + aURL, "PARTNER_URL=" + aURL,
		"SLACK_URL=" + aURL, "DISCORD_URL=" + aURL, "TEAMS_URL=" + aURL, "PAGERDUTY_KEY=k",
		"OTLP_ENDPOINT=" + aURL, "DD_API_KEY=k", "PRIVACY_KEY=0123456789abcdef0123456789abcdef", "INBOX_URL=" + aURL,
		"SHOP_SENTRY_DSN=http://key@127.0.0.1:9/1", "BILLING_SENTRY_DSN=http://key@127.0.0.1:9/2",
		"SHOP_POSTHOG_API_KEY=" + posthogintake.Key, "OTHER_POSTHOG_API_KEY=" + posthogintake.Key,
	}
}

// shippedFiles returns the configurations for users, by their path from the root.
func shippedFiles(t *testing.T) []string {
	t.Helper()
	examples, err := filepath.Glob(filepath.Join(root, "examples", "*.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, examples)
	files := []string{"config.yaml"}
	for _, path := range examples {
		files = append(files, filepath.Join("examples", filepath.Base(path)))
	}
	return files
}

func TestShippedConfigurationsAreValid(t *testing.T) {
	t.Parallel()
	for _, file := range shippedFiles(t) {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			path, err := filepath.Abs(filepath.Join(root, file))
			require.NoError(t, err)
			end := run(t, exampleVariables(), "validate", "--config", path)
			assert.Zero(t, end.code)
			assert.Empty(t, end.stderr)
		})
	}
}

// TestEveryShippedConfigurationIsTested checks that each has a test and is listed in
// examples/README.md.
func TestEveryShippedConfigurationIsTested(t *testing.T) {
	t.Parallel()
	tests, err := filepath.Glob("*_test.go")
	require.NoError(t, err)
	inTests := namesIn(t, regexp.MustCompile(`"([\w-]+\.yaml)"`), tests...)
	onPage := namesIn(t, regexp.MustCompile(`\]\(([\w./-]+\.yaml)\)`), filepath.Join(root, "examples", "README.md"))
	for _, file := range shippedFiles(t) {
		assert.Contains(t, inTests, filepath.Base(file), "no test names it")
		assert.Contains(t, onPage, strings.TrimPrefix("../"+file, "../examples/"), "examples/README.md has no link to it")
	}
}

// namesIn returns the matches of the pattern's group in the files.
func namesIn(t *testing.T, pattern *regexp.Regexp, files ...string) []string {
	t.Helper()
	var names []string
	for _, path := range files {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		for _, match := range pattern.FindAllStringSubmatch(string(text), -1) {
			names = append(names, match[1])
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

var portOfExample = regexp.MustCompile(`(?m)endpoint: localhost:\d+$`)

// startExample starts a file in examples with these environment variables and free ports. settings
// are more configuration, such as "exporters::moengage::endpoint: http://127.0.0.1:9".
func startExample(t *testing.T, name string, environment []string, settings ...string) *instrumentedCollector {
	t.Helper()
	example, err := os.ReadFile(filepath.Join(root, "examples", name))
	require.NoError(t, err)
	args := []string{"--config", writeConfig(t, portOfExample.ReplaceAllString(string(example), "endpoint: localhost:0"))}
	for _, setting := range settings {
		args = append(args, "--config", "yaml:"+setting)
	}
	return startOnFreePort(t, nil, func(port int) *collector {
		return launchIn(t, environment, append(args, "--config", "yaml:service::telemetry::metrics::readers: "+metricsReaders(port))...)
	})
}

// emitRecord emits a record like an application with the OpenTelemetry SDK. Name and body may be
// empty.
func (a *goApp) emitRecord(severity log.Severity, name, body string, attributes ...attribute.KeyValue) {
	var record log.Record
	record.SetSeverity(severity)
	record.SetEventName(name)
	if body != "" {
		record.SetBody(attribute.StringValue(body))
	}
	record.AddAttributes(attributes...)
	a.logger.Emit(a.t.Context(), record)
}

// post sends events as JSON, all of which must be accepted.
func (p *instrumentedCollector) post(events ...string) {
	p.t.Helper()
	newClient(p.t).mustAccept(p.t, p.eventURL(), jsonType, "["+strings.Join(events, ",")+"]", len(events))
}

var (
	wantedVariable = regexp.MustCompile(`\$\{env:(\w+)\}`) // one without a default
	shownEvent     = regexp.MustCompile(`(?m)^#.* -d '(\{.*\})'`)
)

// TestExampleCommandsWork runs each example and its curl command. Examples of the webhook exporter
// may have none.
func TestExampleCommandsWork(t *testing.T) {
	t.Parallel()
	sink := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(sink.Close)
	environment := []string{"POSTHOG_ENDPOINT=" + sink.URL}
	for _, variable := range exampleVariables() {
		environment = append(environment, strings.NewReplacer(aURL, sink.URL, "127.0.0.1:9", sink.Listener.Addr().String()).Replace(variable))
	}
	moengage := "exporters::moengage::endpoint: " + sink.URL
	for name, settings := range map[string][]string{
		"errors-to-sentry.yaml": nil, "audit-webhook.yaml": nil, "slack-alerts.yaml": nil, "redaction.yaml": nil, "sampling.yaml": nil,
		"signups-and-errors.yaml": nil, "several-projects.yaml": nil, "local-development.yaml": nil,
		"product-analytics.yaml": {moengage}, "everything.yaml": {moengage},
		"datadog.yaml": {"exporters::otlp_http/datadog::logs_endpoint: " + sink.URL, "exporters::otlp_http/datadog::traces_endpoint: " + sink.URL},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			example, err := os.ReadFile(filepath.Join(root, "examples", name))
			require.NoError(t, err)
			head, rest, _ := strings.Cut(string(example), "\nreceivers:\n")
			assert.Contains(t, head, "bin/otelcol-fanout --config examples/"+name+"\n")
			for _, variable := range wantedVariable.FindAllStringSubmatch(rest, -1) {
				assert.Contains(t, head, " "+variable[1]+"=", "the variables to set")
			}
			event := shownEvent.FindStringSubmatch(head)
			require.NotNil(t, event, "an event to try it with")
			startExample(t, name, environment, settings...).post(event[1])
		})
	}
}

func TestErrorsExampleSendsOnlySentryIssues(t *testing.T) {
	t.Parallel()
	in := sentryintake.New(t)
	p := startExample(t, "errors-to-sentry.yaml", []string{"SENTRY_DSN=" + in.DSN()})
	app := newGoApp(t, p.otlpHTTP())

	ctx, request := app.tracer.Start(t.Context(), "POST /orders")
	request.AddEvent("cache_missed")
	_, work := app.tracer.Start(ctx, "reserve")
	reserve(work)
	work.End()
	request.End()
	app.emitRecord(log.SeverityInfo, "order_placed", "an order was placed")
	app.emitRecord(log.SeverityInfo, "", "a plain log")
	app.emitRecord(log.SeverityWarn, "", "the disk is nearly full")
	app.emitRecord(log.SeverityError, "", "the disk is full")
	app.sendSpans()
	app.sendLogs()
	p.post(`{"exception":{"type":"PaymentError","message":"declined"}}`, `{"name":"page_viewed"}`)

	// Two spans, two events in them, four records and two JSON events.
	assert.Equal(t, map[string]int{"delivered": 3, "skipped": 7}, p.settled("sentry", 10).outcomes)
	p.stop()
	for _, envelope := range in.Envelopes() {
		for _, item := range envelope.Items {
			assert.Equal(t, "event", item.Type)
		}
	}
	assert.ElementsMatch(t, []string{"tea is out of stock", "the disk is full", "declined"}, issueMessages(t, in))
}

// issueMessages returns the messages of the issues at the intake, with and without an exception.
func issueMessages(t *testing.T, in *sentryintake.Intake) []string {
	t.Helper()
	var said []string
	for _, raw := range in.Raw("event") {
		var issue struct {
			Exception struct{ Values []exception }
			Message   string
		}
		require.NoError(t, json.Unmarshal(raw, &issue), "%s", raw)
		message := issue.Message
		for _, thrown := range issue.Exception.Values {
			message = thrown.Value
		}
		said = append(said, message)
	}
	return said
}

func TestProductAnalyticsExampleFollowsRoutingTable(t *testing.T) {
	t.Parallel()
	posthog, moengage := posthogintake.New(t), moengageintake.New(t)
	p := startExample(t, "product-analytics.yaml", []string{
		"POSTHOG_API_KEY=" + posthogintake.Key, "POSTHOG_ENDPOINT=" + posthog.URL(),
		"MOENGAGE_WORKSPACE_ID=" + moengageintake.Workspace, "MOENGAGE_API_KEY=" + moengageintake.Key, "MOENGAGE_DATA_CENTER=1",
	}, "exporters::moengage::endpoint: "+moengage.URL())
	app := newGoApp(t, p.otlpHTTP())
	user := attribute.String("user.id", "u1001")
	app.emit("login_success", user)
	app.emit("feature_clicked", user)
	app.emit("notification_sent", user)
	app.emit("debug_heartbeat", user)
	app.emit("", user, attribute.String("fanout.type", "identify"), attribute.Map("fanout.traits", attribute.String("plan", "pro")))
	app.emit("", append(exceptionAttributes(stockError{"tea"}, nil), user)...)
	app.emitRecord(log.SeverityInfo, "", "a plain log", user)
	app.sendLogs()
	p.post(`{"id":"0198c0de-0000-7000-8000-000000000001","name":"order_placed","user":{"id":"u1001"},"properties":{"total":12.5}}`,
		`{"type":"page","name":"Pricing","user":{"id":"u1001"},"context":{"url.full":"https://shop.example.com/pricing"}}`)

	assert.Equal(t, map[string]int{"delivered/": 5, "skipped/exceptions_off": 1, "skipped/plain_log": 1}, p.settled("posthog", 7).reasons)
	assert.Equal(t, map[string]int{"delivered": 4}, p.settled("moengage", 4).outcomes)
	p.stop()

	ids := map[string]string{}
	for _, e := range posthog.Events() {
		ids[e.Name] = e.UUID
		assert.Equal(t, "u1001", e.DistinctID, e.Name)
	}
	assert.ElementsMatch(t, []string{"login_success", "feature_clicked", "$identify", "order_placed", "$pageview"}, slices.Collect(maps.Keys(ids)))
	actions := map[string]string{}
	for _, a := range moengage.Actions() {
		actions[a.Name] = a.ID
		assert.Equal(t, "u1001", a.Customer, a.Name)
	}
	assert.ElementsMatch(t, []string{"Logged In", "notification_sent", "order_placed"}, slices.Collect(maps.Keys(actions)))
	assert.Equal(t, ids["order_placed"], actions["order_placed"], "the id at both")
	assert.Equal(t, "0198c0de-0000-7000-8000-000000000001", ids["order_placed"])
	users := moengage.Taken().Users
	require.Len(t, users, 1)
	assert.Equal(t, map[string]any{"plan": "pro"}, users[0].Attributes)
}

const auditEvent = `{"id":"a1","name":"audit.role_granted","user":{"id":"u1"},"properties":{"role":"admin"}}`

// signedEvents extracts the events from Standard Webhooks, and checks their signatures.
func signedEvents(t *testing.T) func(header http.Header, body []byte) []byte {
	t.Helper()
	verifier, err := standardwebhooks.NewWebhook(webhookSecret)
	require.NoError(t, err)
	return func(header http.Header, body []byte) []byte {
		assert.NoError(t, verifier.Verify(body, header))
		var payload struct{ Data json.RawMessage }
		assert.NoError(t, unmarshal(body, &payload))
		return payload.Data
	}
}

// taken returns the accepted events, including repeats.
func (b *backend) taken() []event {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Concat(slices.Collect(maps.Values(b.events))...)
}

func TestAuditExampleReturnsErrorsOfAuditEventsOnly(t *testing.T) {
	t.Parallel()
	audit, others := newBackend(t, accepting), newBackend(t, accepting)
	audit.open = signedEvents(t)
	p := startExample(t, "audit-webhook.yaml", []string{"AUDIT_URL=" + audit.URL, "AUDIT_SECRET=" + webhookSecret, "EVENTS_URL=" + others.URL})
	client, app := newClient(t), newSDK(p)

	audit.setBehavior(refusing(http.StatusUnprocessableEntity, "no such role"))
	r, err := client.post(p.eventURL(), jsonType, auditEvent)
	require.NoError(t, err)
	assert.Equal(t, http.StatusBadRequest, r.status, "the webhook refuses it for good")
	assert.Zero(t, r.body.Accepted)
	granted := records(0, 1)
	granted.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).SetEventName("audit.role_granted")
	status, _, err := app.post(granted)
	require.NoError(t, err)
	assert.Equal(t, http.StatusBadRequest, status, "over OTLP too")

	audit.setBehavior(refusing(http.StatusServiceUnavailable, "busy"))
	r, err = client.post(p.eventURL(), jsonType, auditEvent)
	require.NoError(t, err)
	assert.Equal(t, http.StatusServiceUnavailable, r.status, "the webhook is down longer than the caller waits")
	assert.NotEmpty(t, r.header.Get("Retry-After"))
	assert.Greater(t, audit.requested(), 2, "it was tried again meanwhile")

	app.mustExport(t, records(0, 3))
	others.setBehavior(refusing(http.StatusBadRequest, "no"))
	app.mustExport(t, records(3, 3))
	assert.Empty(t, audit.taken())

	audit.setBehavior(accepting)
	client.mustAccept(t, p.eventURL(), jsonType, auditEvent, 1)
	require.Len(t, audit.taken(), 1, "it arrived before the response")
	assert.Equal(t, "a1", audit.taken()[0].id())
	assert.Equal(t, map[string]int{"delivered": 1, "returned": 3}, p.settled("webhook/audit", 4).outcomes)
	p.settled("webhook/events", 6)
	p.stop()
	assert.Len(t, audit.taken(), 1, "events that are not audit events")
	for _, e := range others.taken() {
		assert.Equal(t, "order_placed", e.name())
	}
}

func TestSlackExampleSendsFailedJobsOnly(t *testing.T) {
	t.Parallel()
	s := newStrictServer(t)
	p := startExample(t, "slack-alerts.yaml", []string{"SLACK_URL=" + s.URL + "/slack"})
	app := newGoApp(t, p.otlpHTTP())
	app.emitRecord(log.SeverityInfo, "job_finished", "done", attribute.String("job", "nightly"))
	app.emitRecord(log.SeverityError, "job_failed", "no space left", attribute.String("job", "hourly"), attribute.Bool("will_retry", true))
	app.emitRecord(log.SeverityError, "order_failed", "no stock")
	app.emitRecord(log.SeverityFatal, "", "out of memory")
	app.emit("", exceptionAttributes(stockError{"tea"}, nil)...)
	app.emitRecord(log.SeverityError, "job_failed", "no space left <!channel>", attribute.String("job", "nightly"), attribute.Int("attempt", 3))
	app.sendLogs()
	p.post(`{"name":"job_failed","message":"timed out","source":{"name":"backups"}}`, `{"name":"Job_Failed"}`)

	assert.Equal(t, map[string]int{"delivered": 2}, p.settled("webhook/slack", 2).outcomes)
	p.stop()
	messages := map[string]string{}
	for _, request := range s.at("/slack") {
		messages[text(decoded(t, request.body)["text"])] = string(request.body)
	}
	assert.ElementsMatch(t, []string{"job_failed: no space left &lt;!channel&gt;", "job_failed: timed out"}, slices.Collect(maps.Keys(messages)))
	assert.Contains(t, messages["job_failed: timed out"], "backups")
	assert.Contains(t, messages["job_failed: no space left &lt;!channel&gt;"], "nightly")
}
