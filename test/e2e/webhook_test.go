// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRedirectIsLoggedButNotFollowed(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the redirect was followed with %s %s", r.Method, r.URL)
	}))
	t.Cleanup(elsewhere.Close)
	in := newInbox(t, singleEvents)
	in.respondNext(response{status: http.StatusFound, location: elsewhere.URL + "/hook"})
	c := start(t, configure("", webhook{"shop", in.URL, ""}))

	client := newClient(t)
	client.mustAccept(t, c.eventURL(), linesType, lines(0, 1), 1)
	c.waitForLog("redirects are not followed")

	// The webhook accepts the next event.
	client.mustAccept(t, c.eventURL(), linesType, lines(1, 1), 1)
	in.wait(c, 1)
	c.stop()
	assert.False(t, in.has(eventID(0)))
	assert.True(t, in.has(eventID(1)))
	assert.Len(t, in.attempted(), 2)
}

func TestRetryHonorsRetryAfterWithSameEvent(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ form, batching string }{
		{singleEvents, "batching: single"},
		{arraysOfEvents, "batching: array"},
	} {
		t.Run(tt.batching, func(t *testing.T) {
			t.Parallel()
			in := newInbox(t, tt.form)
			in.respondNext(response{status: http.StatusServiceUnavailable, retryAfter: "1"})
			c := start(t, configure("", webhook{"shop", in.URL, tt.batching + ", retry_on_failure: {initial_interval: 10ms}"}))

			// It has no id, so the collector adds one.
			newClient(t).mustAccept(t, c.eventURL(), jsonType, `{"name": "order_placed"}`, 1)
			in.wait(c, 1)
			c.stop()

			attempts := in.attempted()
			require.Len(t, attempts, 2)
			assert.Equal(t, http.StatusServiceUnavailable, attempts[0].status)
			assert.Equal(t, http.StatusOK, attempts[1].status)
			assert.Equal(t, attempts[0].ids, attempts[1].ids)
			assert.GreaterOrEqual(t, attempts[1].at.Sub(attempts[0].at), time.Second)
		})
	}
}

func TestHangingWebhookDoesNotDelayAnother(t *testing.T) {
	t.Parallel()
	const events = 500
	release := make(chan struct{})
	hanging, healthy := newInbox(t, arraysOfEvents), newInbox(t, arraysOfEvents)
	held := make([]response, events)
	for i := range held {
		held[i] = response{status: http.StatusOK, hold: release}
	}
	hanging.respondNext(held...)
	c := start(t, configure("",
		webhook{"hanging", hanging.URL, "batching: array"},
		webhook{"healthy", healthy.URL, "batching: array"}))
	released := false
	t.Cleanup(func() { // before the collector is stopped
		if !released {
			close(release)
		}
	})

	client := newClient(t)
	for i := range events {
		client.mustAccept(t, c.eventURL(), linesType, lines(i, 1), 1)
	}
	healthy.wait(c, events)
	assert.Zero(t, hanging.count(), "events at the webhook that hangs")

	close(release)
	released = true
	hanging.wait(c, events)
}
