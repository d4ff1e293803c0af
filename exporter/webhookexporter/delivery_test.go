// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package webhookexporter

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/exporter/exportertest"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/deliverytest"
)

// async returns a configuration that makes dead letters of failed events, rather than errors.
func async(endpoint string, batching Batching) *Config {
	cfg := testConfig(endpoint, batching)
	cfg.Delivery.Dispatch = delivery.DispatchAsync
	return cfg
}

func TestStatusesMeanWhatTheConfigurationSays(t *testing.T) {
	for name, tt := range map[string]struct {
		success, retry []int
		statuses       []int
		want           map[string]int64
	}{
		"409 may be a success":                        {success: []int{200, 409}, statuses: []int{409}, want: map[string]int64{"delivered": 1}},
		"410 may be a success":                        {success: []int{410}, statuses: []int{410}, want: map[string]int64{"delivered": 1}},
		"2xx that is not listed is refused":           {success: []int{200}, statuses: []int{202}, want: map[string]int64{"dead_lettered/refused": 1}},
		"what else is refused stays refused":          {success: []int{200}, statuses: []int{404}, want: map[string]int64{"dead_lettered/refused": 1}},
		"404 may pass":                                {retry: []int{404}, statuses: []int{404, 404, 200}, want: map[string]int64{"delivered": 1}},
		"410 may pass":                                {retry: []int{410}, statuses: []int{410, 200}, want: map[string]int64{"delivered": 1}},
		"3xx may pass":                                {retry: []int{302}, statuses: []int{302, 200}, want: map[string]int64{"delivered": 1}},
		"503 that is not listed does not pass":        {retry: []int{429}, statuses: []int{503}, want: map[string]int64{"dead_lettered/refused": 1}},
		"401 stays a matter of credentials":           {retry: []int{429}, success: []int{200}, statuses: []int{401}, want: map[string]int64{"dead_lettered/unauthorized": 1}},
		"503 is retried where only successes are set": {success: []int{204}, statuses: []int{503, 204}, want: map[string]int64{"delivered": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWebhook(t)
			for _, code := range tt.statuses {
				w.responses = append(w.responses, status(code))
			}
			cfg := async(w.URL, BatchingSingle)
			cfg.SuccessCodes, cfg.RetryCodes = tt.success, tt.retry
			e := start(t, cfg)
			e.Send(eventsNamed("a"))
			assert.Equal(t, tt.want, e.Outcomes())
			assert.Len(t, w.got(), len(tt.statuses))
		})
	}
}

func TestGoneEndpointIsEnabledByAReplay(t *testing.T) {
	w := newWebhook(t, status(204), status(410))
	e := start(t, async(w.URL, BatchingSingle))
	for _, name := range []string{"a", "b", "c", "d"} {
		e.Send(eventsNamed(name))
	}
	assert.Equal(t, [][]string{{"a"}, {"b"}}, w.got(), "later events are not sent after the 410")
	assert.Equal(t, map[string]int64{"delivered": 1, "dead_lettered/gone": 3}, e.Outcomes())
	require.Len(t, e.Statuses(), 1)
	assert.Contains(t, e.Statuses()[0], "StatusRecoverableError: the endpoint is gone (410), and nothing more is sent to it")
	letters := e.Letters.All()
	assert.Equal(t, 410, letters[0].Status)
	assert.Contains(t, letters[0].Message, "the backend answered 410; the endpoint gets no more events")
	assert.Contains(t, letters[1].Message, "has responded with 410 Gone")

	for _, replayed := range e.Letters.Replay(t.Context()) {
		assert.Equal(t, deadletter.OutcomeDelivered, replayed.Outcome, "%+v", replayed.Letters)
	}
	e.Send(eventsNamed("e"))
	assert.Equal(t, []string{"e"}, w.got()[len(w.got())-1])
	assert.Equal(t, "StatusOK", e.Statuses()[1])
	e.Stop()
	logged := e.Logs.FilterMessage("Events were not delivered and are kept as dead letters").All()
	require.NotEmpty(t, logged)
	assert.Contains(t, logged[0].ContextMap()["what_to_do"], "the endpoint is gone (410)")
}

func TestGoneEndpointGetsNoMoreOfTheBatch(t *testing.T) {
	for _, dispatch := range []delivery.Dispatch{delivery.DispatchAsync, delivery.DispatchSync} {
		w := newWebhook(t, append([]http.HandlerFunc{status(204)}, slices.Repeat([]http.HandlerFunc{status(410)}, 50)...)...)
		cfg := async(w.URL, BatchingSingle)
		cfg.Delivery.Dispatch = dispatch
		cfg.Delivery.MaxInFlight = 1 // more may be under way when the 410 comes
		cfg.Delivery.RetryConfig.Enabled = false
		e := start(t, cfg)
		_ = e.Consume(t.Context(), eventsNamed("a", "b", "c", "d", "e", "f", "g", "h"))
		e.Settle()
		assert.Len(t, w.got(), 2)
		assert.Equal(t, map[string]int64{"delivered": 1, "dead_lettered/gone": 7}, e.Outcomes())
	}
}

func TestEventsForGoneEndpointSkipTheRateLimit(t *testing.T) {
	w := newWebhook(t, status(410))
	cfg := async(w.URL, BatchingSingle)
	cfg.RateLimit = 0.001
	e := start(t, cfg)
	e.Send(eventsNamed("a"))
	e.Send(eventsNamed("b", "c"))
	assert.Len(t, w.got(), 1)
	assert.Equal(t, map[string]int64{"dead_lettered/gone": 3}, e.Outcomes())
}

func TestLogsAndTracesShareTheEndpoint(t *testing.T) {
	w := newWebhook(t, status(410))
	setup := deliverytest.Setup{Factory: NewFactory(), Config: async(w.URL, BatchingSingle)}
	logs, traces := setup.StartLogs(t), setup.StartTraces(t)
	logs.Send(eventsNamed("a"))
	traces.Send(spansWithEvents())
	assert.Len(t, w.got(), 1)
	assert.Equal(t, map[string]int64{"dead_lettered/gone": 1, "skipped/span": 1}, traces.Outcomes())
}

func TestRetrySchedule(t *testing.T) {
	always := func(code int) []http.HandlerFunc { return slices.Repeat([]http.HandlerFunc{status(code)}, 50) }
	for name, tt := range map[string]struct {
		schedule []time.Duration
		retries  int
		attempts int
		atLeast  time.Duration
	}{
		"as often as there are waits":        {[]time.Duration{time.Millisecond, 150 * time.Millisecond}, 0, 3, 130 * time.Millisecond},
		"less often":                         {[]time.Duration{time.Millisecond, time.Hour}, 1, 2, 0},
		"more often, with the last wait":     {[]time.Duration{time.Millisecond, 20 * time.Millisecond}, 5, 6, 70 * time.Millisecond},
		"a number of retries without a wait": {nil, 3, 4, 0},
	} {
		for _, dispatch := range []delivery.Dispatch{delivery.DispatchAsync, delivery.DispatchSync} {
			t.Run(name+", "+string(dispatch), func(t *testing.T) {
				w := newWebhook(t, always(503)...)
				cfg := testConfig(w.URL, BatchingSingle)
				cfg.Delivery.Dispatch = dispatch
				cfg.Delivery.RetryConfig.MaxElapsedTime = time.Minute
				cfg.RetrySchedule, cfg.Delivery.MaxRetries = tt.schedule, tt.retries
				e := start(t, cfg)
				began := time.Now()
				err := e.Consume(t.Context(), eventsNamed("a"))
				e.Settle()
				assert.Len(t, w.got(), tt.attempts)
				assert.GreaterOrEqual(t, time.Since(began), tt.atLeast)
				if dispatch == delivery.DispatchSync {
					require.ErrorContains(t, err, "the backend answered 503")
					assert.Equal(t, map[string]int64{"returned": 1}, e.Outcomes())
					return
				}
				require.NoError(t, err)
				assert.Equal(t, map[string]int64{"dead_lettered/exhausted": 1}, e.Outcomes())
				assert.Equal(t, tt.attempts, e.Letters.All()[0].Attempts)
			})
		}
	}
}

func TestRetryScheduleOutlastsMaxElapsedTime(t *testing.T) {
	w := newWebhook(t, status(503), status(503))
	cfg := async(w.URL, BatchingSingle)
	cfg.Delivery.RetryConfig.MaxElapsedTime = cfg.Delivery.RetryConfig.MaxInterval
	cfg.RetrySchedule = []time.Duration{10 * time.Millisecond, 10 * time.Millisecond}
	e := start(t, cfg)
	e.Send(eventsNamed("a"))
	assert.Equal(t, map[string]int64{"delivered": 1}, e.Outcomes())
}

func TestShutdownEndsALongScheduledWait(t *testing.T) {
	w := newWebhook(t, slices.Repeat([]http.HandlerFunc{status(503)}, 50)...)
	cfg := async(w.URL, BatchingSingle)
	cfg.RetrySchedule = []time.Duration{time.Hour}
	e := start(t, cfg)
	require.NoError(t, e.Consume(t.Context(), eventsNamed("a")))
	e.WaitFor("the first attempt", func() bool { return len(w.got()) == 1 })
	e.Stop()
	assert.Equal(t, map[string]int64{"dead_lettered/shutdown": 1}, e.Outcomes())
	assert.LessOrEqual(t, len(w.got()), 2, "one that is under way at the end is the last")
}

func TestCallerEndsALongScheduledWait(t *testing.T) {
	w := newWebhook(t, slices.Repeat([]http.HandlerFunc{status(503)}, 50)...)
	cfg := testConfig(w.URL, BatchingSingle)
	cfg.RetrySchedule = []time.Duration{time.Hour}
	e := start(t, cfg)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	ld := eventsNamed("a")
	go func() { ended <- e.Consume(ctx, ld) }()
	e.WaitFor("the end of the first attempt", func() bool { return len(e.Statuses()) == 1 })
	cancel()
	require.ErrorContains(t, <-ended, "the backend answered 503")
}

func TestRateLimitSpacesRequestsEvenly(t *testing.T) {
	var times []time.Time
	w := newWebhook(t)
	inner := w.Config.Handler
	w.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		times = append(times, time.Now()) // max_in_flight is 1
		inner.ServeHTTP(rw, r)
	})
	cfg := async(w.URL, BatchingSingle)
	cfg.RateLimit = 50
	start(t, cfg).Send(eventsNamed("a", "b", "c", "d", "e", "f"))
	require.Len(t, times, 6)
	assert.GreaterOrEqual(t, times[5].Sub(times[0]), 50*time.Millisecond, "five waits of 20 ms; the first request may arrive late")
}

func TestRateLimitDoesNotDelayShutdown(t *testing.T) {
	w := newWebhook(t)
	cfg := async(w.URL, BatchingSingle)
	cfg.RateLimit = 0.001
	cfg.Delivery.ShutdownTimeout = 50 * time.Millisecond
	e := start(t, cfg)
	require.NoError(t, e.Consume(t.Context(), eventsNamed("a", "b", "c")))
	e.WaitFor("the first event", func() bool { return len(w.got()) == 1 })
	e.Stop()
	assert.Equal(t, map[string]int64{"delivered": 1, "dead_lettered/shutdown": 2}, e.Outcomes())
}

func TestPrivateNetworksAreBlocked(t *testing.T) {
	w := newWebhook(t)
	_, port, err := net.SplitHostPort(w.Listener.Addr().String())
	require.NoError(t, err)
	t.Run("a name that leads to loopback", func(t *testing.T) {
		cfg := async("http://localhost:"+port+"/hook", BatchingSingle)
		cfg.BlockPrivateNetworks = true
		e := start(t, cfg)
		e.Send(eventsNamed("a"))
		assert.Equal(t, map[string]int64{"dead_lettered/blocked": 1}, e.Outcomes())
		assert.Regexp(t, "^(127.0.0.1|::1) is not a public address; block_private_networks refuses it$", e.Letters.All()[0].Message)
		require.NotEmpty(t, e.Statuses())
		assert.Contains(t, e.Statuses()[0], "connecting to the address of the endpoint's host is not allowed")
		assert.Empty(t, w.got())
	})
	t.Run("the same name where private networks may be", func(t *testing.T) {
		start(t, async("http://localhost:"+port+"/hook", BatchingSingle)).Send(eventsNamed("a"))
		assert.Len(t, w.got(), 1)
	})
}

// TestProxyMayBeInAPrivateNetwork checks that the guard leaves the proxy's own address to the
// operator.
func TestProxyMayBeInAPrivateNetwork(t *testing.T) {
	w := newWebhook(t)
	target, err := url.Parse(w.URL)
	require.NoError(t, err)
	var proxied atomic.Int32
	proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		proxied.Add(1)
		r.Out.URL.Scheme, r.Out.URL.Host = "http", target.Host
		r.Out.Header.Set("User-Agent", r.In.Header.Get("User-Agent"))
	}})
	defer proxy.Close()
	cfg := async("http://hooks.example.com/hook", BatchingSingle)
	cfg.ClientConfig.ProxyURL = proxy.URL
	cfg.BlockPrivateNetworks = true
	e := start(t, cfg)
	e.Send(eventsNamed("a"))
	assert.Equal(t, map[string]int64{"delivered": 1}, e.Outcomes())
	assert.Equal(t, int32(1), proxied.Load())
}

// consenting is a webhook that expects a handshake.
type consenting struct {
	*recorder
	asked   atomic.Int32
	consent atomic.Bool
	headers http.Header
}

func (c *consenting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	assert.Equal(c.t, "events.example.com", r.Header.Get("WebHook-Request-Origin"))
	if r.Method != http.MethodOptions {
		assert.True(c.t, c.consent.Load())
		c.recorder.ServeHTTP(w, r)
		return
	}
	c.asked.Add(1)
	assert.NotContains(c.t, r.UserAgent(), "Go-http-client")
	assert.Equal(c.t, "120", r.Header.Get("WebHook-Request-Rate"))
	assert.Equal(c.t, "/hook", r.RequestURI)
	assert.Equal(c.t, "secret", r.Header.Get("X-Key"))
	if c.consent.Load() {
		maps.Copy(w.Header(), c.headers)
	}
	w.WriteHeader(http.StatusOK) // the status is no consent
}

func TestHandshakeAsksForConsent(t *testing.T) {
	c := &consenting{recorder: newRecorder(t), headers: http.Header{"Webhook-Allowed-Origin": {"events.example.com"}, "Webhook-Allowed-Rate": {"3000"}}}
	c.Config.Handler = c
	cfg := async(c.URL+"/hook", BatchingSingle)
	cfg.Format = FormatCloudEvents
	cfg.CloudEvents.Handshake = HandshakeConfig{Enabled: true, Origin: "events.example.com", Rate: 120}
	cfg.ClientConfig.Headers.Set("X-Key", "secret")
	setup := deliverytest.Setup{Factory: NewFactory(), Config: cfg}
	e := setup.StartLogs(t)
	require.NoError(t, e.Consume(t.Context(), eventsNamed("a", "b")))
	e.WaitFor("a second question", func() bool { return c.asked.Load() >= 2 })
	assert.Empty(t, c.all(), "nothing is sent without consent")
	require.NotEmpty(t, e.Statuses())
	assert.Contains(t, e.Statuses()[0], "handshake with the backend: the webhook responded to OPTIONS with 200 but without WebHook-Allowed-Origin: events.example.com")
	c.consent.Store(true)
	e.Settle()
	asked := c.asked.Load()
	e.Send(eventsNamed("c"))
	assert.Len(t, c.all(), 3)
	assert.Equal(t, asked, c.asked.Load(), "it is asked once")
	assert.Equal(t, map[string]int64{"delivered": 3}, e.Outcomes())
}

func TestHandshakeLimitsTheRate(t *testing.T) {
	conf := map[string]any{"format": "cloudevents", "cloudevents": map[string]any{"handshake": map[string]any{"enabled": true, "origin": "a.example"}}}
	for allowed, isSlow := range map[string]bool{"60": true, "*": false, "": false, "-60": false, "many": false} {
		b := testBackend(t, conf)
		require.NoError(t, b.handshake.checkConsent(&http.Response{Header: http.Header{"Webhook-Allowed-Origin": {"*"}, "Webhook-Allowed-Rate": {allowed}}}))
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond) // a second request would be sent after one second
		require.NoError(t, b.pacer.Pace(ctx, &delivery.Request{}))
		assert.Equal(t, isSlow, b.pacer.Pace(ctx, &delivery.Request{}) != nil, "a rate of %q", allowed)
		cancel()
	}
}

func TestHandshakeWithoutResponse(t *testing.T) {
	w := newWebhook(t)
	w.Close()
	cfg := async(w.URL+"/hunter2-hunter2", BatchingSingle)
	cfg.Format = FormatCloudEvents
	cfg.CloudEvents.Handshake = HandshakeConfig{Enabled: true, Origin: "events.example.com"}
	cfg.Delivery.MaxRetries = 1
	e := deliverytest.Setup{Factory: NewFactory(), Config: cfg, Credentials: []string{"hunter2"}}.StartLogs(t)
	e.Send(eventsNamed("a"))
	assert.Equal(t, map[string]int64{"dead_lettered/exhausted": 1}, e.Outcomes())
	assert.Contains(t, e.Letters.All()[0].Message, "connection refused")
}

func TestRoutingKeyIsRedacted(t *testing.T) {
	const key = "hunter2-hunter2-hunter2"
	w := httptest.NewServer(deliverytest.Answer(400, `{"message":"Invalid routing key `+key+`"}`))
	defer w.Close()
	cfg := async(w.URL, "")
	cfg.Format = FormatPagerDuty
	cfg.PagerDuty.RoutingKey = key
	e := deliverytest.Setup{Factory: NewFactory(), Config: cfg, Credentials: []string{key}}.StartLogs(t)
	e.Send(eventsNamed("a"))
	e.Stop()
	letters := e.Letters.All()
	require.Len(t, letters, 1)
	assert.Contains(t, letters[0].Message, "Invalid routing key [REDACTED]")
}

func TestDiscordRetryAfterInTheBody(t *testing.T) {
	b := testBackend(t, map[string]any{"format": "discord"})
	for body, want := range map[string]time.Duration{
		`{"retry_after":1.5,"global":false}`: 1500 * time.Millisecond, `{"retry_after":-1}`: 0, `{"retry_after":1e30}`: 0, `<html>`: 0,
	} {
		c := b.ClassifyResponse(&delivery.Request{}, &delivery.Response{Status: 429, Body: []byte(body)})
		assert.Equal(t, delivery.Retryable, c.Kind)
		assert.Equal(t, want, c.Wait, body)
	}
}

func TestEventsOfOneTargetShareARequest(t *testing.T) {
	rec := newRecorder(t)
	cfg := async(rec.URL+"/hook/", BatchingArray)
	cfg.Request.Path = "/by-name/{{ .name }}/"
	e := start(t, cfg)
	e.Send(eventsNamed("a", "b", "a", "b", "a"))
	var got []string
	for _, req := range rec.all() {
		got = append(got, fmt.Sprint(req.uri, " ", strings.Count(string(req.body), `"id"`)))
	}
	slices.Sort(got)
	assert.Equal(t, []string{"/hook/by-name/a/ 3", "/hook/by-name/b/ 2"}, got)
}

// TestFixedQueryAndHeadersAreInNoDeadLetter checks that a key in a header or the query, which is
// not a template, does not leave the configuration. deliverytest looks for it.
func TestFixedQueryAndHeadersAreInNoDeadLetter(t *testing.T) {
	for _, format := range []Format{FormatEvent, FormatOTLPJSON} {
		w := newRecorder(t)
		w.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			assert.Equal(t, "hunter2-header", r.Header.Get("X-Key"))
			assert.Equal(t, "/hook?a=1&token=hunter2%26query&name=a", r.RequestURI)
			assert.Equal(t, "a", r.Header.Get("X-Name"))
			rw.WriteHeader(http.StatusBadRequest)
		})
		cfg := async(w.URL+"/hook?a=1", BatchingSingle)
		cfg.Format = format
		cfg.Request = RequestConfig{
			Query:   map[string]configopaque.String{"token": "hunter2&query", "name": "{{ .name }}", "none": ""},
			Headers: map[string]configopaque.String{"X-Key": " hunter2-header\n", "X-Name": "{{ .name }}", "X-None": ""},
		}
		e := deliverytest.Setup{Factory: NewFactory(), Config: cfg, Credentials: []string{"hunter2"}}.StartLogs(t)
		e.Send(eventsNamed("a"))
		assert.Equal(t, []string{"a:refused"}, e.Letters.Reasons())
		assert.Equal(t, "?name=a\nX-Name: a", e.Letters.All()[0].Destination)
	}
}

func TestRequestTemplatesSeeTheSummary(t *testing.T) {
	for _, format := range []Format{FormatEvent, FormatOTLPJSON} {
		w := newRecorder(t)
		cfg := async(w.URL, BatchingSingle)
		cfg.Format, cfg.Content = format, ContentSummary
		cfg.Request.Headers = map[string]configopaque.String{"X-Text": "{{ .text }}", "X-Name": "{{ .name }}"}
		ld := eventsNamed("a")
		ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body().SetStr("a secret")
		start(t, cfg).Send(ld)
		require.Len(t, w.all(), 1)
		assert.Equal(t, "a", w.all()[0].header.Get("X-Name"))
		assert.Empty(t, w.all()[0].header.Get("X-Text"))
	}
}

func TestTooLongTargetIsADeadLetter(t *testing.T) {
	w := newRecorder(t)
	cfg := async(w.URL, BatchingSingle)
	cfg.Request.Headers = map[string]configopaque.String{"X": "{{ .name }}"}
	fits := strings.Repeat("n", maxTarget-len("\nX: "))
	e := start(t, cfg)
	e.Send(eventsNamed(fits, fits+"n"))
	require.Len(t, w.all(), 1)
	assert.Equal(t, fits, w.all()[0].header.Get("X"))
	assert.Equal(t, map[string]int64{"delivered": 1, "dead_lettered/encoding": 1}, e.Outcomes())
	assert.Contains(t, e.Letters.All()[0].Message, "8193 bytes, but the limit is 8192")
}

func TestOTLPSpansRefuseRequestTemplates(t *testing.T) {
	cfg := async("http://localhost/", BatchingSingle)
	cfg.Format = FormatOTLPJSON
	cfg.Request.Path = "/{{ .name }}"
	factory := NewFactory()
	_, err := factory.CreateTraces(t.Context(), exportertest.NewNopSettings(factory.Type()), cfg)
	require.ErrorContains(t, err, "request: templates need events, but otlp_json sends whole spans")
}

func TestPathThatLeadsElsewhereIsRefused(t *testing.T) {
	rec := newRecorder(t)
	cfg := async(rec.URL, BatchingSingle)
	cfg.Request.Path = "/users/{{ .user.id }}/{{ .name }}"
	e := start(t, cfg)
	ld := eventsNamed("fine", "..", "../admin", "a?b#c")
	for _, rl := range ld.ResourceLogs().All() {
		for _, record := range rl.ScopeLogs().At(0).LogRecords().All() {
			record.Attributes().PutStr("user.id", "u/1")
		}
	}
	e.Send(ld)
	var uris []string
	for _, req := range rec.all() {
		uris = append(uris, req.uri)
	}
	slices.Sort(uris)
	assert.Equal(t, []string{"/users/u%2F1/..%2Fadmin", "/users/u%2F1/a%3Fb%23c", "/users/u%2F1/fine"}, uris)
	assert.Equal(t, []string{"..:encoding"}, e.Letters.Reasons())
	assert.Contains(t, e.Letters.All()[0].Message, "request::path: a segment is empty, . or .. for this event")
}

// TestEditedDeadLetterStaysAtTheEndpoint checks that a target is never another host.
func TestEditedDeadLetterStaysAtTheEndpoint(t *testing.T) {
	b := testBackend(t, nil)
	for _, destination := range []string{
		"https://evil.example.com/x", "//evil.example.com/x", "@evil.example.com", "\\\\evil", "/a\nHost: evil\nX Y: z\nno header", "?q\r\nX: y", "/%zz",
	} {
		requests, _ := b.BuildRequests([]delivery.Event{{Meta: delivery.Meta{Destination: destination}, Payload: []byte("{}")}})
		parsed, err := url.Parse(requests[0].URL)
		if err == nil {
			assert.Equal(t, "example.com", parsed.Host, destination)
		}
	}
}
