// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package inbox

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func newTestInbox(fail int) (*Inbox, *bytes.Buffer) {
	var out bytes.Buffer
	b := New("audit", &out, Failures{Requests: fail})
	b.now = func() time.Time { return time.Date(2026, 1, 2, 12, 0, 1, 123e6, time.UTC) }
	return b, &out
}

func post(b *Inbox, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	b.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body)))
	return w
}

func TestEventIsOneLine(t *testing.T) {
	for _, tt := range []struct{ name, body, want string }{
		{
			"a track event",
			`{"id":"1","name":"order_placed","user":{"id":"u1"},"properties":{ "order_id": 7 }}`,
			`order_placed    user=u1  {"order_id":7}`,
		},
		{
			"numbers keep every digit",
			`{"name":"order_placed","user":{"id":"u1"},"properties":{"order_id":9007199254740993,"price":1.50}}`,
			`order_placed    user=u1  {"order_id":9007199254740993,"price":1.50}`,
		},
		{"a user who is not known", `{"name":"page_viewed","user":{"anonymous_id":"a1"}}`, `page_viewed     user=a1  {}`},
		{"no user", `{"name":"job_done"}`, `job_done        user=-  {}`},
		{"no name but a type", `{"type":"identify","user":{"id":"u1"}}`, `identify        user=u1  {}`},
		{"a log", `{"message":"disk full"}`, `disk full       user=-  {}`},
		{"a null name", `{"name":null,"body":null}`, `-               user=-  {}`},
		{"control characters", `{"name":"a\nb\u001b[2J"}`, `a\u000ab\u001b[2J         user=-  {}`},
		{"control characters in properties", "{\"name\":\"a\",\"properties\":{\"x\":\"\u009b\"}}", `a               user=-  {"x":"\u009b"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, out := newTestInbox(0)
			assert.Equal(t, http.StatusOK, post(b, tt.body).Code)
			assert.Equal(t, "12:00:01.123  audit      "+tt.want+"\n", out.String())
		})
	}
}

func TestArrayHoldsSeveralEvents(t *testing.T) {
	b, out := newTestInbox(0)
	assert.Equal(t, http.StatusOK, post(b, ` [{"id":"1","name":"a"},{"id":"2","name":"b"}] `).Code)
	assert.Equal(t, 2, strings.Count(out.String(), "\n"))
	assert.Equal(t, Counts{Events: 2, IDs: 2, Requests: 1}, b.Counts())
	assert.Equal(t, []string{"1", "2"}, b.IDs())
}

func TestSameIDIsSameEvent(t *testing.T) {
	b, _ := newTestInbox(0)
	post(b, `{"id":"1","name":"a"}`)
	post(b, `{"id":"1","name":"a"}`)
	post(b, `{"name":"no id"}`)
	assert.Equal(t, Counts{Events: 3, IDs: 1, Requests: 3}, b.Counts())
}

func TestFirstRequestsFailOnPurpose(t *testing.T) {
	b, out := newTestInbox(2)
	for _, want := range []int{http.StatusServiceUnavailable, http.StatusServiceUnavailable, http.StatusOK, http.StatusOK} {
		assert.Equal(t, want, post(b, `{"id":"1","name":"a"}`).Code)
	}
	assert.Equal(t, Counts{Events: 2, IDs: 1, Requests: 2, Refused: 2}, b.Counts())
	assert.Contains(t, out.String(), "audit      responded 503: on purpose, 1 more to come\n")
}

func TestFailuresHaveConfiguredStatus(t *testing.T) {
	b, out := newTestInbox(1)
	b.fail.Status = http.StatusBadRequest
	for _, want := range []int{http.StatusBadRequest, http.StatusOK} {
		assert.Equal(t, want, post(b, `{"id":"1","name":"a"}`).Code)
	}
	assert.Equal(t, Counts{Events: 1, IDs: 1, Requests: 1, Refused: 1}, b.Counts())
	assert.Contains(t, out.String(), "audit      responded 400: on purpose, 0 more to come\n")
}

func TestInvalidRequestsAreRefused(t *testing.T) {
	for _, tt := range []struct {
		name, method, encoding, body string
		want                         int
	}{
		{"not JSON", http.MethodPost, "", "hello", http.StatusBadRequest},
		{"nothing", http.MethodPost, "", "", http.StatusBadRequest},
		{"an array with something else in it", http.MethodPost, "", `[{"name":"a"},7]`, http.StatusBadRequest},
		{"a body that is too large", http.MethodPost, "", strings.Repeat(" ", maxBody+1), http.StatusBadRequest},
		{"a compressed body", http.MethodPost, "gzip", `{}`, http.StatusUnsupportedMediaType},
		{"another method", http.MethodGet, "", "", http.StatusMethodNotAllowed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, out := newTestInbox(0)
			r := httptest.NewRequest(tt.method, "/", strings.NewReader(tt.body))
			if tt.encoding != "" {
				r.Header.Set("Content-Encoding", tt.encoding)
			}
			w := httptest.NewRecorder()
			b.ServeHTTP(w, r)
			assert.Equal(t, tt.want, w.Code)
			assert.Equal(t, Counts{Refused: 1}, b.Counts())
			assert.Equal(t, 1, strings.Count(out.String(), "\n"))
			assert.Contains(t, out.String(), "responded ")
		})
	}
}

func TestInboxConsentsToCloudEvents(t *testing.T) {
	for name, tt := range map[string]struct{ asked, want http.Header }{
		"an origin":            {http.Header{"Webhook-Request-Origin": {"a.example"}}, http.Header{"Allow": {"POST"}, "Webhook-Allowed-Origin": {"a.example"}}},
		"an origin and a rate": {http.Header{"Webhook-Request-Origin": {"a.example"}, "Webhook-Request-Rate": {"120"}}, http.Header{"Allow": {"POST"}, "Webhook-Allowed-Origin": {"a.example"}, "Webhook-Allowed-Rate": {"120"}}},
		"nothing":              {nil, http.Header{"Allow": {"POST"}}},
	} {
		t.Run(name, func(t *testing.T) {
			b, out := newTestInbox(1)
			w := httptest.NewRecorder()
			r := httptest.NewRequest(http.MethodOptions, "/", nil)
			r.Header = tt.asked
			b.ServeHTTP(w, r)
			assert.Equal(t, http.StatusOK, w.Code)
			assert.Equal(t, tt.want, w.Header())
			assert.Empty(t, out.String())
			assert.Zero(t, b.Counts())
		})
	}
}

func TestWaitReturnsWhenEventsArrive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := newTestInbox(0)
		waited := make(chan error, 1)
		go func() { waited <- b.Wait(t.Context(), 2) }()

		post(b, `{"id":"1","name":"a"}`)
		post(b, `{"id":"1","name":"a"}`)
		synctest.Wait()
		assert.Empty(t, waited, "one event counted as two")
		post(b, `{"id":"2","name":"b"}`)
		require.NoError(t, <-waited)
	})
}

func TestWaitErrorNamesMissingEventsAndCause(t *testing.T) {
	b, _ := newTestInbox(0)
	post(b, `{"id":"1","name":"a"}`)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("waited for 15s"))
	assert.EqualError(t, b.Wait(ctx, 2), "audit has 1 of 2 events: waited for 15s")
}

func TestServerReceivesUntilClosed(t *testing.T) {
	b, _ := newTestInbox(0)
	s, err := Listen(t.Context(), "127.0.0.1:0", b)
	require.NoError(t, err)

	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	response, err := client.Post(s.URL, "application/json", strings.NewReader(`{"id":"1","name":"a"}`))
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.NoError(t, s.Wait(t.Context(), 1))

	_, err = Listen(t.Context(), strings.TrimPrefix(s.URL, "http://"), b)
	require.ErrorContains(t, err, "audit inbox: listen tcp ")

	s.Close()
	_, err = client.Post(s.URL, "application/json", strings.NewReader(`{}`))
	require.Error(t, err)
}
