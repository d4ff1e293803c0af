// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryintake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-fanout/otelcol-fanout/test/intake/standin"
)

const goodAuth = "Sentry sentry_version=7, sentry_client=example.go/1.2.3, sentry_key=examplepublickey"

// at sets the intake's clock to the fixtures' time. set moves it.
func at(in *Intake) (set func(time.Duration)) {
	set = func(d time.Duration) { in.Clock(func() time.Time { return now.Add(d) }) }
	set(0)
	return set
}

// endpoint returns the URL for envelopes of a DSN.
func endpoint(t *testing.T, dsn string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	require.NoError(t, err)
	i := strings.LastIndexByte(u.Path, '/')
	return u.Scheme + "://" + u.Host + u.Path[:i] + "/api/" + u.Path[i+1:] + "/envelope/"
}

func newRequest(t *testing.T, in *Intake, body []byte) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, endpoint(t, in.DSN()), bytes.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/x-sentry-envelope")
	r.Header.Set("X-Sentry-Auth", goodAuth)
	return r
}

func send(t *testing.T, in *Intake, raw string) standin.Response {
	t.Helper()
	a, err := standin.Send(newRequest(t, in, []byte(raw)))
	require.NoError(t, err)
	return a
}

// brokenRequest is a request that breaks a rule.
type brokenRequest struct {
	name   string
	rule   Rule
	status int
	change func(r *http.Request)
}

func brokenRequests() []brokenRequest {
	header := func(name, value string) func(r *http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	target := func(target string) func(r *http.Request) {
		return func(r *http.Request) { r.URL.Path, r.URL.RawQuery, _ = strings.Cut(target, "?") }
	}
	body := func(encoding string, body []byte) func(r *http.Request) {
		return func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
			r.Header.Set("Content-Encoding", encoding)
		}
	}
	auth := func(oldAndNew ...string) func(r *http.Request) {
		return header("X-Sentry-Auth", strings.NewReplacer(oldAndNew...).Replace(goodAuth))
	}
	zipped := standin.Compress("gzip", []byte(envelope(header2, item("client_report", report))))
	return []brokenRequest{
		{"a PUT", RuleMethod, 405, func(r *http.Request) { r.Method = http.MethodPut }},
		{"a path without the last slash", RulePath, 404, target("/api/42/envelope")},
		{"the path of an older API", RulePath, 404, target("/api/42/store/")},
		{"a path with a wrong prefix", RulePath, 404, target("/other/api/42/envelope/")},
		{"a path without a project", RulePath, 404, target("/api//envelope/")},
		{"a query", RuleURLSecret, 400, target("/api/42/envelope/?sentry_version=7")},
		{"the key in the query", RuleURLSecret, 400, target("/api/42/envelope/?sentry_key=examplepublickey")},
		{"the key in the path", RuleURLSecret, 400, target("/api/examplepublickey/envelope/")},
		{"JSON as the content type", RuleContentType, 400, header("Content-Type", "application/json")},
		{"no content type", RuleContentType, 400, func(r *http.Request) { r.Header.Del("Content-Type") }},
		{"an unknown encoding", RuleEncoding, 400, header("Content-Encoding", "snappy")},
		{"a body that is not gzip", RuleEncoding, 400, header("Content-Encoding", "gzip")},
		{"a body that is not zstd", RuleEncoding, 400, header("Content-Encoding", "zstd")},
		{"truncated gzip", RuleEncoding, 400, body("gzip", zipped[:len(zipped)-4])},
		{"gzip with data after it", RuleEncoding, 400, body("gzip", append(bytes.Clone(zipped), "more"...))},
		{"two encodings", RuleEncoding, 400, func(r *http.Request) { r.Header["Content-Encoding"] = []string{"gzip", "gzip"} }},
		{"no X-Sentry-Auth", RuleAuth, 403, func(r *http.Request) { r.Header.Del("X-Sentry-Auth") }},
		{"two X-Sentry-Auth headers", RuleAuth, 403, func(r *http.Request) { r.Header.Add("X-Sentry-Auth", goodAuth) }},
		{"another scheme", RuleAuth, 403, auth("Sentry ", "Bearer ")},
		{"version 6", RuleAuth, 403, auth("sentry_version=7", "sentry_version=6")},
		{"no version", RuleAuth, 403, auth("sentry_version=7, ", "")},
		{"no key", RuleAuth, 403, auth(", sentry_key=examplepublickey", "")},
		{"an empty key", RuleAuth, 403, auth("=examplepublickey", "=")},
		{"a duplicate key", RuleAuth, 403, auth("sentry_key=", "sentry_key=a, sentry_key=")},
		{"a key in quotes", RuleAuth, 403, auth("=examplepublickey", `="examplepublickey"`)},
		{"a client without a version", RuleAuth, 403, auth("/1.2.3", "")},
		{"no client", RuleAuth, 403, auth("sentry_client=example.go/1.2.3, ", "")},
		{"a timestamp, which is obsolete", RuleAuth, 403, auth("sentry_key", "sentry_timestamp=1, sentry_key")},
		{"a comma at the end", RuleAuth, 403, auth("examplepublickey", "examplepublickey,")},
		{"a dsn of another host in the envelope", RuleAuthAgrees, 403, dsn("http://examplepublickey@sentry.example.com/42")},
		{"a dsn of another key in the envelope", RuleAuthAgrees, 403, dsn("http://otherpublickey@{host}/42")},
		{"a dsn of another project in the envelope", RuleAuthAgrees, 403, dsn("http://examplepublickey@{host}/43")},
		{"a dsn of another path in the envelope", RuleAuthAgrees, 403, dsn("http://examplepublickey@{host}/sub/42")},
		{"a dsn without a key in the envelope", RuleAuthAgrees, 403, dsn("http://{host}/42")},
		{"a body that is not an envelope", RuleHeader, 400, body("", []byte("hello"))},
		{"an item that is too large", RuleItemSize, 413, body("", []byte(envelope(header2, item("client_report", report+strings.Repeat(" ", 4*kib)))))},
	}
}

// header2 is header, a name that brokenRequests uses for something else.
const header2 = header

// dsn returns a change that adds a dsn to the envelope's header.
func dsn(dsn string) func(r *http.Request) {
	return func(r *http.Request) {
		dsn := strings.Replace(dsn, "{host}", r.URL.Host, 1)
		raw := envelope(strings.Replace(header2, "{", `{"dsn":"`+dsn+`",`, 1), item("client_report", report))
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(raw)), int64(len(raw))
	}
}

func TestRequestRulesAreEnforced(t *testing.T) {
	for _, test := range brokenRequests() {
		t.Run(test.name, func(t *testing.T) {
			in := NewRecording(t)
			at(in)
			in.ReplyWith(func(Envelope) Reply {
				t.Error("the intake asked for a reply")
				return Reply{}
			})
			r := newRequest(t, in, []byte(envelope(header, item("client_report", report))))
			test.change(r)
			a, err := standin.Send(r)
			require.NoError(t, err)
			assert.Equal(t, test.status, a.Status)
			violations := in.Violations()
			require.NotEmpty(t, violations)
			for i := range violations {
				assert.Equal(t, test.rule, violations[i].Rule, violations[i].Error())
			}
			assert.Empty(t, in.Envelopes())
			require.Len(t, in.Requests(), 1)
			assert.Equal(t, test.status, in.Requests()[0].Status)
			assert.Equal(t, violations, in.Requests()[0].Violations)
		})
	}
}

func TestViolationFailsTestWithDetails(t *testing.T) {
	f := &standin.Failing{TB: t}
	in := New(f)
	at(in)
	send(t, in, envelope(header, item("client_report", strings.Replace(report, "queue_overflow", "bored", 1))))
	require.Len(t, f.Failures, 1)
	assert.Contains(t, f.Failures[0], `item 0 (client_report).discarded_events[0].reason is "bored"`)
	assert.Contains(t, f.Failures[0], `rule "client-report"`)
	assert.Contains(t, f.Failures[0], "POST /api/42/envelope/\n"+header)
}

func TestEveryEncodingIsAccepted(t *testing.T) {
	for encoding, is := range map[string]string{"": "", "identity": "", "gzip": "gzip", "x-gzip": "gzip", "deflate": "deflate", "zstd": "zstd"} {
		t.Run(encoding, func(t *testing.T) {
			in := New(t)
			at(in)
			raw := envelope(with(t, headerWithID, `"dsn":"https://examplepublickey@sentry.example.com:8443/sub/path/42"`, `"dsn":"`+in.DSN()+`"`), item("event", event))
			r := newRequest(t, in, standin.Compress(is, []byte(raw)))
			r.Header.Set("Content-Encoding", encoding)
			a, err := standin.Send(r)
			require.NoError(t, err)
			assert.Equal(t, 200, a.Status)
			assert.JSONEq(t, `{"id":"12c2d058d58442709aa2eca08bf20986"}`, a.Body)
			got := in.Envelopes()
			require.Len(t, got, 1)
			assert.Equal(t, raw, string(got[0].Raw))
			assert.Equal(t, "42", got[0].Project)
			assert.Equal(t, "examplepublickey", got[0].Key)
			assert.Equal(t, goodAuth, got[0].Request.Get("X-Sentry-Auth"))
			assert.Equal(t, now, got[0].Arrived)
		})
	}
}

func TestDecompressionStopsAtLimit(t *testing.T) {
	for _, encoding := range []string{"gzip", "deflate", "zstd"} {
		in := New(t)
		in.LimitEnvelope(kib)
		bomb := standin.Compress(encoding, make([]byte, mib))
		require.Less(t, len(bomb), 2*kib)
		r := newRequest(t, in, bomb)
		r.Header.Set("Content-Encoding", encoding)
		a, err := standin.Send(r)
		require.NoError(t, err)
		assert.Equal(t, 413, a.Status)
	}
}

// zeros is an endless body of zeros.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

func TestRequestSizeIsLimited(t *testing.T) {
	in := NewRecording(t)
	r := newRequest(t, in, nil)
	r.Body, r.ContentLength = io.NopCloser(io.LimitReader(zeros{}, maxEnvelope+1)), maxEnvelope+1
	w := httptest.NewRecorder()
	in.ServeHTTP(w, r)
	assert.Equal(t, 413, w.Code)
	require.Len(t, in.Violations(), 1)
	assert.Equal(t, RuleEnvelopeSize, in.Violations()[0].Rule)
}

func TestProjectsCheckKeysAndPaths(t *testing.T) {
	in := New(t, Project{ID: "1", PublicKey: "one"}, Project{ID: "2", PublicKey: "two", SecretKey: "hush", Path: "/sub/path"})
	at(in)
	host := strings.TrimPrefix(in.URL(), "http://")
	assert.Equal(t, "http://one@"+host+"/1", in.DSN())
	assert.Equal(t, "http://two:hush@"+host+"/sub/path/2", in.DSN("2"))
	for _, test := range []struct {
		name, dsn, auth string
		status          int
	}{
		{"the key of the project", in.DSN("1"), "sentry_key=one", 200},
		{"the key without the secret", in.DSN("2"), "sentry_key=two", 200},
		{"the key with the secret", in.DSN("2"), "sentry_key=two, sentry_secret=hush", 200},
		{"the scheme in lower case", in.DSN("1"), "sentry_key=one", 200},
		{"the key of another project", in.DSN("1"), "sentry_key=two", 403},
		{"an unknown key", in.DSN("1"), "sentry_key=three", 403},
		{"a wrong secret", in.DSN("2"), "sentry_key=two, sentry_secret=loud", 403},
		{"a secret of a project without one", in.DSN("1"), "sentry_key=one, sentry_secret=hush", 403},
		{"an unknown project", "http://one@" + host + "/3", "sentry_key=one", 403},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newRequest(t, in, []byte(envelope(header, item("client_report", report))))
			r.URL, _ = url.Parse(endpoint(t, test.dsn))
			r.Header.Set("X-Sentry-Auth", "sentry sentry_version=7, sentry_client=example.go/1.2.3, "+test.auth)
			a, err := standin.Send(r)
			require.NoError(t, err)
			assert.Equal(t, test.status, a.Status)
		})
	}
	assert.Len(t, in.Envelopes(), 4)
}

func TestUnknownProjectFailsTest(t *testing.T) {
	f := &standin.Failing{TB: t}
	in := New(f)
	assert.Panics(t, func() { in.DSN("7") })
	assert.Equal(t, []string{`the intake has no project "7"`}, f.Failures)
}

func TestRepliesAreWritten(t *testing.T) {
	for _, test := range []struct {
		name   string
		reply  Reply
		status int
		header string // an expected header, if any
		body   string
		taken  bool
	}{
		{"OK", OK(), 200, "", `{}`, true},
		{"rate limited", RateLimited("60:error:organization:quota:"), 429, "X-Sentry-Rate-Limits: 60:error:organization:quota:", `{"detail":"rate limit"}`, false},
		{"limits with a 200", LimitsFromNowOn("1.5::project"), 200, "X-Sentry-Rate-Limits: 1.5::project", `{}`, true},
		{"Retry-After", RetryAfter("30"), 429, "Retry-After: 30", `{"detail":"rate limit"}`, false},
		{"a bare 429", TooManyRequests(), 429, "", `{"detail":"rate limit"}`, false},
		{"too large", TooLarge(), 413, "", `{"detail":"envelope exceeded size limits"}`, false},
		{"causes", BadRequest("a", `"b"`), 400, "X-Sentry-Error: bad request", `{"causes":["a","\"b\""],"detail":"bad request"}`, false},
		{"forbidden", Forbidden(), 403, "", `{"detail":"event submission rejected with_reason: ProjectId"}`, false},
		{"unavailable", Unavailable(), 503, "", `{"detail":"failed to queue envelope"}`, false},
		{"garbage", Garbage(), 200, "", "<html>\x00\xff{{{", true},
		{"a redirect", Redirect(307, "http://127.0.0.1:1/"), 307, "Location: http://127.0.0.1:1/", "", false},
		{"another status", Reply{Status: 418, Body: "tea"}, 418, "", "tea", false},
		{"accepted in part", Reply{Status: 429, Taken: true}, 429, "", "", true},
		{"slow", Slow(time.Millisecond), 200, "", `{}`, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := New(t)
			at(in)
			in.ReplyWith(func(e Envelope) Reply {
				assert.Len(t, e.Items, 1)
				return test.reply
			})
			a := send(t, in, envelope(header, item("client_report", report)))
			assert.Equal(t, test.status, a.Status)
			assert.Equal(t, test.body, a.Body)
			if name, value, ok := strings.Cut(test.header, ": "); ok {
				assert.Equal(t, value, a.Header.Get(name))
			}
			assert.Equal(t, test.taken, len(in.Envelopes()) == 1)
			assert.Equal(t, test.status, in.Requests()[0].Status)
		})
	}
}

func TestConnectionsAreReset(t *testing.T) {
	in := New(t)
	at(in)
	replies := []Reply{Reset(), {Reset: true, Taken: true}}
	in.ReplyWith(func(Envelope) Reply { return replies[len(in.Requests())] })
	for taken := range 2 {
		_, err := standin.Send(newRequest(t, in, []byte(envelope(header, item("client_report", report)))))
		assert.True(t, errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF), "%v", err)
		assert.Len(t, in.Envelopes(), taken)
	}
	assert.Zero(t, in.Requests()[1].Status)
}

func TestHungReplyIsWrittenOnRelease(t *testing.T) {
	in := New(t)
	at(in)
	reply, release := Hung()
	in.ReplyWith(func(Envelope) Reply {
		go release()
		return reply
	})
	assert.Equal(t, 200, send(t, in, envelope(header, item("client_report", report))).Status)
	assert.Len(t, in.Envelopes(), 1)
	release()
}

func TestHungReplyEndsWhenClientDisconnects(t *testing.T) {
	in := New(t)
	at(in)
	ctx, cancel := context.WithCancel(t.Context())
	in.ReplyWith(func(Envelope) Reply {
		cancel()
		reply, _ := Hung()
		return reply
	})
	_, err := standin.Send(newRequest(t, in, []byte(envelope(header, item("client_report", report)))).WithContext(ctx))
	require.ErrorIs(t, err, context.Canceled)
	WaitFor(in, 1, in.Requests)
	assert.Empty(t, in.Envelopes())
}

func TestDisconnectBreaksNoRule(t *testing.T) {
	in := New(t)
	at(in)
	ctx, cancel := context.WithCancel(t.Context())
	body, more := io.Pipe()
	r := newRequest(t, in, nil).WithContext(ctx)
	r.Body, r.ContentLength = body, -1
	go func() {
		_, _ = more.Write([]byte(header))
		cancel()
		_ = more.CloseWithError(context.Canceled) // otherwise its reader would keep waiting
	}()
	_, err := standin.Send(r)
	require.ErrorIs(t, err, context.Canceled)
	WaitFor(in, 1, in.Requests)
	assert.Empty(t, in.Envelopes())
}

func TestLoweredSizeLimitsAreEnforced(t *testing.T) {
	raw := envelope(header, item("client_report", report))
	for _, test := range []struct {
		name   string
		limit  func(in *Intake)
		status int
	}{
		{"an envelope at the limit", func(in *Intake) { in.LimitEnvelope(len(raw)) }, 200},
		{"an envelope over the limit", func(in *Intake) { in.LimitEnvelope(len(raw) - 1) }, 413},
		{"an item at the limit", func(in *Intake) { in.LimitItem("client_report", len(report)) }, 200},
		{"an item over the limit", func(in *Intake) { in.LimitItem("client_report", len(report)-1) }, 413},
		{"an item of another type", func(in *Intake) { in.LimitItem("event", 1) }, 200},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := New(t)
			at(in)
			test.limit(in)
			assert.Equal(t, test.status, send(t, in, raw).Status)
			assert.Equal(t, test.status == 200, len(in.Envelopes()) == 1)
		})
	}
}

func TestAcceptedItemsAreReturned(t *testing.T) {
	in := New(t)
	at(in)
	send(t, in, envelope(withoutDSN, item("event", event), attachment))
	send(t, in, envelope(withoutDSN, item("transaction", transaction)))
	send(t, in, envelope(headerWithTrace, container("log", log, log), container("span", span), item("client_report", report)))

	assert.Len(t, in.Envelopes(), 3)
	assert.Equal(t, "error", in.Events()[0]["level"])
	assert.Equal(t, "GET /users", in.Transactions()[0]["transaction"])
	assert.Len(t, in.Logs(), 2)
	assert.Equal(t, "1767323045.123456", fmt.Sprint(in.Logs()[1]["timestamp"]))
	assert.Equal(t, "438f40bd3b4a41ee", in.Spans()[0]["span_id"])
	assert.Contains(t, in.ClientReports()[0], "discarded_events")
	assert.Equal(t, [][]byte{[]byte(log), []byte(log)}, in.Raw("log"))
	assert.Equal(t, [][]byte{[]byte("\xef\xbb\xbfHello\r\n")}, in.Raw("attachment"))
	assert.Empty(t, in.Decoded("attachment"))
	assert.Empty(t, in.Violations())
}

func TestWaitForReturnsEnoughItems(t *testing.T) {
	in := New(t)
	at(in)
	var sent sync.WaitGroup
	sent.Go(func() {
		for range 3 {
			_, err := standin.Send(newRequest(t, in, []byte(envelope(header, item("client_report", report)))))
			assert.NoError(t, err)
		}
	})
	assert.GreaterOrEqual(t, len(WaitFor(in, 2, in.ClientReports)), 2)
	assert.Len(t, WaitFor(in, 3, in.Envelopes), 3)
	sent.Wait()
}

func TestConcurrentRequestsAreRecorded(t *testing.T) {
	in := New(t)
	at(in)
	in.ReplyWith(func(e Envelope) Reply { return Reply{Header: http.Header{"X-Items": {strconv.Itoa(len(e.Items))}}} })
	raw := envelope(header, item("client_report", report))
	var sent sync.WaitGroup
	for range 20 {
		sent.Go(func() {
			a, err := standin.Send(newRequest(t, in, []byte(raw)))
			if assert.NoError(t, err) {
				assert.Equal(t, "1", a.Header.Get("X-Items"))
			}
		})
	}
	assert.Len(t, WaitFor(in, 20, in.ClientReports), 20)
	sent.Wait()
}
