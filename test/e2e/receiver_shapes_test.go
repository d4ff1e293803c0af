// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/binding"
	ceclient "github.com/cloudevents/sdk-go/v2/client"
	ce "github.com/cloudevents/sdk-go/v2/event"
	"github.com/cloudevents/sdk-go/v2/protocol"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
)

const (
	receiverReadme   = root + "/receiver/eventreceiver/README.md"
	receiverWebhooks = root + "/receiver/eventreceiver/webhooks.md"
	eventsDoc        = root + "/docs/events.md"
)

// blocks returns a document's code blocks in a language.
func blocks(t *testing.T, path, language string) []string {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	var found []string
	for _, match := range regexp.MustCompile("(?s)\n```"+language+"\n(.*?)\n```").FindAllStringSubmatch(string(content), -1) {
		found = append(found, match[1])
	}
	require.NotEmpty(t, found, "%s has no block in %s", path, language)
	return found
}

// blockUnder returns the first code block in a language under a heading of docs/events.md.
func blockUnder(t *testing.T, heading, language string) string {
	t.Helper()
	content, err := os.ReadFile(eventsDoc)
	require.NoError(t, err)
	_, section, _ := strings.Cut(string(content), "\n"+heading)
	block := regexp.MustCompile("(?s)\n```" + language + "\n(.*?)\n```").FindStringSubmatch(section)
	require.NotNil(t, block, "docs/events.md has no block in %s under %s", language, heading)
	return block[1]
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	return listener.Addr().String()
}

// runIn runs a program in a folder, and returns what it prints.
func runIn(t *testing.T, folder string, environment []string, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*waitTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = folder, append(os.Environ(), environment...)
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s: %s", name, output)
	return string(output)
}

// TestReceiverReadmeCommandsWork runs the commands of the README and of webhooks.md with the README's
// configuration.
func TestReceiverReadmeCommandsWork(t *testing.T) {
	t.Parallel()
	in := newInbox(t, arraysOfEvents)
	anyone, withKeys := freeAddress(t), freeAddress(t)
	addresses := strings.NewReplacer("localhost:4319", anyone, "localhost:4320", withKeys)
	secrets := []string{"GITHUB_WEBHOOK_SECRET=a-secret-of-github", "SHOP_WRITE_KEY=a-key-of-the-shop"}

	receivers := blocks(t, receiverReadme, "yaml")[1]
	c := launchWith(t, secrets, addresses.Replace(receivers)+fmt.Sprintf(`
exporters:
  webhook: {endpoint: %q, batching: array}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    logs: {receivers: [event, event/keys], exporters: [webhook]}
`, in.URL))
	c.waitForLog(ready)

	for _, commands := range append(blocks(t, receiverReadme, "sh"), blocks(t, receiverWebhooks, "sh")...) {
		printed := runIn(t, t.TempDir(), secrets, "sh", "-euc", addresses.Replace(commands))
		responses := strings.Split(strings.TrimSpace(printed), "\n")
		assert.Len(t, responses, strings.Count(commands, "curl "), "one response per command")
		for _, response := range responses {
			assert.Regexp(t, `^\{"accepted":[12],("ids":\[[^]]+\],)?"rejected":\[\]\}$`, response, "%s", commands)
		}
	}

	names := map[string]int{}
	for _, e := range in.wait(c, 26) {
		names[e.name()]++
	}
	c.stop()
	assert.Equal(t, map[string]int{
		"order_placed": 1, "a": 9, "b": 3, "Order Placed": 1, "identify": 1, "Pricing": 1, "Home": 1, "group": 1, "alias": 1, "exception": 1,
		"com.example.order.placed": 3, "page_left": 1, "github.pull_request": 1, "click": 1,
	}, names)
}

// launchWith is launch with more environment variables.
func launchWith(t *testing.T, environment []string, configuration string) *collector {
	t.Helper()
	for _, variable := range environment {
		name, value, _ := strings.Cut(variable, "=")
		configuration = strings.ReplaceAll(configuration, "${env:"+name+"}", value)
	}
	return launch(t, "--config", writeConfig(t, configuration))
}

// TestSameEventFromEveryLanguage runs the examples of docs/events.md. They need curl, Node.js,
// Python and Go; Java and Elixir run only if they are installed.
func TestSameEventFromEveryLanguage(t *testing.T) {
	t.Parallel()
	in := newInbox(t, singleEvents)
	c := start(t, configure("", webhook{"shop", in.URL, ""}))
	address := strings.TrimSuffix(strings.TrimPrefix(c.eventURL(), "http://"), "/v1/events")

	needNode(t)
	needCurl(t)
	sent := 0
	for _, language := range []struct {
		block, program, file string
		args                 []string
		required             bool
	}{
		{"sh", "sh", "send.sh", nil, true},
		{"js", "node", "send.mjs", nil, true},
		{"python", "python3", "send.py", nil, true},
		{"go", "go", "main.go", []string{"run"}, true},
		{"java", "java", "SendEvent.java", nil, false},
		{"elixir", "elixir", "send.exs", nil, false},
	} {
		_, err := exec.LookPath(language.program)
		if err != nil && !language.required {
			t.Logf("there is no %s here to send an event from %s", language.program, language.block)
			continue
		}
		require.NoError(t, err, "install %s: docs/events.md has an event sent from %s", language.program, language.block)
		code := blockUnder(t, "## Plain JSON", language.block)
		code = strings.ReplaceAll(code, "localhost:4319", address)
		code = strings.ReplaceAll(code, "order-17-placed", "order-17-from-"+language.block)
		folder := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(folder, language.file), []byte(code+"\n"), 0o600))
		printed := runIn(t, folder, nil, language.program, append(language.args, language.file)...)
		assert.Equal(t, `{"accepted":1,"rejected":[]}`, strings.TrimSpace(printed), language.block)
		sent++
	}

	for _, e := range in.wait(c, sent) {
		assert.Regexp(t, "^order-17-from-", e.id())
		delete(e, "id")
		assert.Equal(t, map[string]any{
			"name": "order_placed", "timestamp": "2026-01-31T12:00:00Z", "source": map[string]any{"name": "shop", "version": "1.2.3"},
			"user":       map[string]any{"id": "u1"},
			"properties": map[string]any{"order_id": json.Number("17"), "total": json.Number("12.5"), "items": []any{"tea", "cup"}},
		}, map[string]any(e))
	}
	c.stop()
}

// TestCloudEventsSDKSends sends with the CloudEvents SDK for Go, in each of its modes.
func TestCloudEventsSDKSends(t *testing.T) {
	t.Parallel()
	in := newInbox(t, singleEvents)
	c := start(t, configure("", webhook{"shop", in.URL, ""}))
	target, err := cehttp.New(cehttp.WithTarget(c.eventURL()))
	require.NoError(t, err)
	sender, err := ceclient.New(target)
	require.NoError(t, err)

	newEvent := func(id string, data any) ce.Event {
		e := ce.New()
		e.SetID(id)
		e.SetSource("https://shop.example/cart?a=b")
		e.SetType("com.example.order.placed")
		e.SetSubject(`the order "17" – 100% paid`)
		e.SetTime(time.Date(2026, 1, 31, 12, 0, 0, 123456789, time.UTC))
		e.SetExtension("sequence", 7)
		e.SetExtension("express", true)
		require.NoError(t, e.SetData("application/json", data))
		require.NoError(t, e.Validate())
		return e
	}
	ids := []string{
		"00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002",
		"00000000-0000-4000-8000-000000000003", "00000000-0000-4000-8000-000000000004",
	}
	data := map[string]any{"order_id": int64(9007199254740993), "name": "Zoë 👩‍🚀"}
	for mode, id := range map[string]string{"binary": ids[0], "structured": ids[1]} {
		ctx := binding.WithForceBinary(t.Context())
		if mode == "structured" {
			ctx = binding.WithForceStructured(t.Context())
		}
		result := sender.Send(ctx, newEvent(id, data))
		assert.True(t, protocol.IsACK(result), "%s: %v", mode, result)
	}
	batch, err := cehttp.NewHTTPRequestFromEvents(t.Context(), c.eventURL(), []ce.Event{newEvent(ids[2], data), newEvent(ids[3], data)})
	require.NoError(t, err)
	response, err := newClient(t).http.Do(batch)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusAccepted, response.StatusCode)

	for _, e := range in.wait(c, len(ids)) {
		sequence := e["properties"].(map[string]any)["cloudevents.sequence"]
		assert.Equal(t, "7", fmt.Sprint(sequence))
		delete(e["properties"].(map[string]any), "cloudevents.sequence") // a string in binary mode
		express := e["properties"].(map[string]any)["cloudevents.express"]
		assert.Equal(t, "true", fmt.Sprint(express))
		delete(e["properties"].(map[string]any), "cloudevents.express")
		assert.Contains(t, ids, e.id())
		assert.Equal(t, "com.example.order.placed", e.name())
		assert.Equal(t, "2026-01-31T12:00:00.123456789Z", e["timestamp"])
		assert.Equal(t, `the order "17" – 100% paid`, e["subject"])
		assert.Equal(t, map[string]any{
			"cloudevents.event_source": "https://shop.example/cart?a=b", "order_id": json.Number("9007199254740993"), "name": "Zoë 👩‍🚀",
		}, e["properties"])
	}
	c.stop()
}

const webhookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// TestStandardWebhooksLibrariesSend sends webhooks signed by the Standard Webhooks libraries for Go
// and Node.js.
func TestStandardWebhooksLibrariesSend(t *testing.T) {
	t.Parallel()
	in := newInbox(t, singleEvents)
	c := start(t, configure("webhooks: {users: {scheme: standard, secrets: ["+webhookSecret+"]}}", webhook{"shop", in.URL, ""}))
	url := strings.Replace(c.eventURL(), "/v1/events", "/v1/webhooks/users", 1)

	signer, err := standardwebhooks.NewWebhook(webhookSecret)
	require.NoError(t, err)
	const body = `{"type":"user.created","timestamp":"2026-01-31T12:00:00Z","data":{"id":"u1","name":"Zoë 👩‍🚀"}}`
	post := func(id string, at time.Time, body string) int {
		signature, err := signer.Sign("msg_go", at, []byte(body))
		require.NoError(t, err)
		r, err := newClient(t).send(http.MethodPost, url, http.Header{
			"Content-Type": {jsonType}, "Webhook-Id": {id}, "Webhook-Timestamp": {fmt.Sprint(at.Unix())}, "Webhook-Signature": {signature},
		}, body)
		require.NoError(t, err)
		return r.status
	}
	assert.Equal(t, http.StatusAccepted, post("msg_go", time.Now(), body))
	assert.Equal(t, http.StatusUnauthorized, post("msg_other", time.Now(), body), "an id that was not signed")
	assert.Equal(t, http.StatusUnauthorized, post("msg_go", time.Now().Add(-6*time.Minute), body), "sent again later")
	sent := 1

	needNode(t)
	output, err := inNodeFolder(t, "node", "send_webhook.mjs", url, webhookSecret, "msg_node")
	require.NoError(t, err, "node/send_webhook.mjs: %s", output)
	sent++
	for _, e := range in.wait(c, sent) {
		assert.Contains(t, []string{"msg_go", "msg_node"}, e.id())
		assert.Equal(t, "user.created", e.name())
		assert.Equal(t, "2026-01-31T12:00:00Z", e["timestamp"])
		assert.Equal(t, map[string]any{"name": "users"}, e["source"])
		assert.Equal(t, map[string]any{"id": "u1", "name": "Zoë 👩‍🚀"}, e["properties"].(map[string]any)["data"])
	}
	c.stop()
	assert.Equal(t, sent, in.count())
}

// TestTrackAPILibrarySends sends an event of each kind in one batch with Segment's library for
// Node.js.
func TestTrackAPILibrarySends(t *testing.T) {
	t.Parallel()
	needNode(t)
	in := newInbox(t, singleEvents)
	c := start(t, configure("keys: [{key: k1, resource: {service.name: shop}}]", webhook{"shop", in.URL, ""}))
	host := strings.TrimSuffix(c.eventURL(), "/v1/events")
	output, err := inNodeFolder(t, "node", "send_track.mjs", host, "k1")
	require.NoError(t, err, "node/send_track.mjs: %s", output)

	kinds := map[string]string{}
	for _, e := range in.wait(c, 6) {
		kinds[e.name()] = text(e["type"])
		assert.Equal(t, map[string]any{"name": "shop"}, e["source"], "the source of the key")
		assert.NotEmpty(t, e.id(), "the library's messageId")
	}
	assert.Equal(t, map[string]string{
		"Order Placed": "", "identify": "identify", "Pricing": "page", "Home": "screen", "group": "group", "alias": "alias",
	}, kinds)

	output, err = inNodeFolder(t, "node", "send_track.mjs", host, "k2")
	require.Error(t, err, "a key that the receiver does not know: %s", output)
	c.stop()
	assert.Equal(t, 6, in.count())
}

// TestBrowserSends opens a page in Chromium that sends events in every way a page can.
func TestBrowserSends(t *testing.T) {
	t.Parallel()
	needChromium(t)

	var left atomic.Bool
	var receiverURL atomic.Value
	pageServer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			left.Store(true)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		page, err := template.ParseFiles("browser/page.html")
		if err == nil {
			err = page.Execute(w, receiverURL.Load())
		}
		if err != nil {
			t.Errorf("the page: %v", err)
		}
	}))
	t.Cleanup(pageServer.Close)
	in := newInbox(t, singleEvents)
	c := start(t, configure("cors: {allowed_origins: ["+pageServer.URL+"]}, keys: [{key: page-key, resource: {service.name: page}}]", webhook{"shop", in.URL, ""}))
	receiverURL.Store(c.eventURL())

	ctx, cancel := context.WithTimeout(t.Context(), 2*waitTimeout)
	defer cancel()
	browser := exec.CommandContext(ctx, "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
		"--no-first-run", "--user-data-dir="+t.TempDir(), "--remote-debugging-port=0", pageServer.URL)
	browser.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // its helpers end with it
	browser.WaitDelay = time.Second
	var said output
	browser.Stdout, browser.Stderr = &said, &said
	require.NoError(t, browser.Start())
	t.Cleanup(func() {
		_ = syscall.Kill(-browser.Process.Pid, syscall.SIGKILL)
		_ = browser.Wait()
		if t.Failed() {
			t.Logf("the browser said:\n%s", said.tail())
		}
	})

	want := map[string]bool{
		"beacon_of_text": true, "beacon_with_its_key_in_the_body": true, "beacon_of_json": true, "fetch": true, "beacon_when_the_page_is_left": true,
	}
	for _, e := range in.wait(c, len(want)) {
		assert.True(t, want[e.name()], e.name())
		delete(want, e.name())
		assert.Equal(t, map[string]any{"name": "page"}, e["source"])
		properties := e["properties"].(map[string]any)
		assert.Equal(t, "Zoë 👩‍🚀", properties["text"])
		if accepted, ok := properties["accepted"]; ok {
			assert.Equal(t, json.Number("1"), accepted, "the page could read the response")
		}
	}
	assert.Empty(t, want)
	c.waitFor("the next page", left.Load)
	c.stop()
}

// TestMemoryLimiterRefusesWith503 checks that events refused by memory_limiter get 503 and go
// nowhere.
func TestMemoryLimiterRefusesWith503(t *testing.T) {
	t.Parallel()
	in := newInbox(t, singleEvents)
	c := start(t, fmt.Sprintf(`receivers:
  event: {endpoint: "127.0.0.1:0"}
processors:
  memory_limiter: {check_interval: 10ms, limit_mib: 2, spike_limit_mib: 1}
exporters:
  webhook: {endpoint: %q}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    logs: {receivers: [event], processors: [memory_limiter], exporters: [webhook]}
`, in.URL))
	client := newClient(t)
	c.waitForLog("Refusing data.") // it refuses right after this
	accepted := 0
	c.waitFor("the first refusal", func() bool {
		r, err := client.post(c.eventURL(), linesType, lines(accepted, 1))
		require.NoError(t, err)
		accepted += r.body.Accepted
		return r.status == http.StatusServiceUnavailable
	})
	for range 20 {
		r, err := client.post(c.eventURL(), linesType, lines(accepted, 1))
		require.NoError(t, err)
		assert.Equal(t, http.StatusServiceUnavailable, r.status)
		assert.NotEmpty(t, r.header.Get("Retry-After"))
		assert.Zero(t, r.body.Accepted)
	}
	c.stop()
	assert.Equal(t, accepted, in.count(), "only the accepted events")
}

// TestFullQueueLosesAndRepeatsNothing sends events to an exporter whose queue fills up at once,
// with a client that retries when asked to: each event arrives once.
func TestFullQueueLosesAndRepeatsNothing(t *testing.T) {
	t.Parallel()
	const events = 60
	arrived := make(chan string, 10*events)
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		request := plogotlp.NewExportRequest()
		if err == nil {
			err = request.UnmarshalJSON(body)
		}
		if err != nil {
			t.Errorf("the backend was sent: %v", err)
		}
		for _, rl := range request.Logs().ResourceLogs().All() {
			for _, record := range rl.ScopeLogs().At(0).LogRecords().All() {
				id, _ := record.Attributes().Get("log.record.uid")
				arrived <- id.Str()
			}
		}
		select {
		case <-time.After(20 * time.Millisecond): // so that the queue fills
		case <-r.Context().Done():
		}
		w.Header().Set("Content-Type", jsonType)
		_, _ = io.WriteString(w, "{}")
	}))
	t.Cleanup(slow.Close)
	c := start(t, fmt.Sprintf(`receivers:
  event: {endpoint: "127.0.0.1:0", deduplication: {window: 10m}}
exporters:
  otlp_http: {endpoint: %q, encoding: json, compression: none, sending_queue: {queue_size: 1, num_consumers: 1}}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    logs: {receivers: [event], exporters: [otlp_http]}
`, slow.URL))

	var refused atomic.Int32
	var senders sync.WaitGroup
	client, url := newClient(t), c.eventURL()
	for i := range events {
		senders.Go(func() {
			for {
				r, err := client.post(url, linesType, lines(i, 1))
				if !assert.NoError(t, err) || r.status == http.StatusAccepted {
					break
				}
				assert.Equal(t, http.StatusServiceUnavailable, r.status)
				assert.NotEmpty(t, r.header.Get("Retry-After"))
				refused.Add(1)
				time.Sleep(10 * time.Millisecond)
			}
			// As if the response got lost, the client sends it once more.
			r, err := client.post(url, linesType, lines(i, 1))
			assert.NoError(t, err)
			assert.Equal(t, http.StatusAccepted, r.status)
		})
	}
	senders.Wait()
	c.stop()
	close(arrived)
	times := map[string]int{}
	for id := range arrived {
		times[id]++
	}
	assert.Positive(t, refused.Load(), "the queue was full")
	assert.Len(t, times, events, "no accepted event is lost")
	for id, n := range times {
		assert.Equal(t, 1, n, id)
	}
}
