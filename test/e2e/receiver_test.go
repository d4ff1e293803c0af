// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBadLineDoesNotAffectOthers(t *testing.T) {
	t.Parallel()
	in := newInbox(t, singleEvents)
	c := start(t, configure("", webhook{"shop", in.URL, ""}))

	body := lines(0, 1) +
		`{"id":"torn","name":` + "\n" +
		lines(1, 1) +
		`{"id":"untold","nome":"order_placed"}` + "\n" +
		lines(2, 1)
	r, err := newClient(t).post(c.eventURL(), linesType, body)
	require.NoError(t, err)
	assert.Equal(t, http.StatusAccepted, r.status)
	assert.Equal(t, 3, r.body.Accepted)
	require.Len(t, r.body.Rejected, 2)
	assert.Equal(t, 1, r.body.Rejected[0].Index)
	assert.Contains(t, r.body.Rejected[0].Error, "not JSON")
	assert.Equal(t, 3, r.body.Rejected[1].Index)
	assert.Equal(t, "untold", r.body.Rejected[1].ID)
	assert.Contains(t, r.body.Rejected[1].Error, "nome")

	in.wait(c, 3)
	c.stop()
	assert.Equal(t, 3, in.count())
	for i := range 3 {
		assert.True(t, in.has(eventID(i)), eventID(i))
	}
}

func TestEventReceiverResponses(t *testing.T) {
	t.Parallel()
	in := newInbox(t, singleEvents)
	c := start(t, configure("max_events: 3, max_request_body_size: 4096", webhook{"shop", in.URL, ""}))
	client, url := newClient(t), c.eventURL()
	oneEvent := `{"name": "order_placed"}`
	asJSON := http.Header{"Content-Type": {jsonType}}
	delivered := 0

	for _, tt := range []struct {
		name     string
		method   string
		url      string
		header   http.Header
		body     string
		status   int
		accepted int
		problem  string
	}{
		{"202 to an event", "POST", url, asJSON, oneEvent, 202, 1, ""},
		{"202 to an array of events", "POST", url, asJSON, "[" + oneEvent + "," + oneEvent + "]", 202, 2, ""},
		{"202 to a content type with a parameter", "POST", url, http.Header{"Content-Type": {"application/json; charset=utf-8"}}, oneEvent, 202, 1, ""},
		{"202 to gzip", "POST", url, http.Header{"Content-Type": {jsonType}, "Content-Encoding": {"gzip"}}, gzipped(t, oneEvent), 202, 1, ""},
		{"400 for invalid JSON", "POST", url, asJSON, `{"name": `, 400, 0, "not JSON"},
		{"400 to an empty body", "POST", url, asJSON, "", 400, 0, "empty"},
		{"400 to no event", "POST", url, asJSON, "[]", 400, 0, "no event"},
		{"400 for neither an event nor an array", "POST", url, asJSON, `"order_placed"`, 400, 0, "object"},
		{"400 for a wrong content encoding", "POST", url, http.Header{"Content-Type": {jsonType}, "Content-Encoding": {"gzip"}}, oneEvent, 400, 0, "gzip"},
		{"404 to another path", "POST", url + "/more", asJSON, oneEvent, 404, 0, "/v1/events"},
		{"405 to another method", "GET", url, nil, "", 405, 0, "POST"},
		{"413 to a body that is too large", "POST", url, asJSON, `{"name": "` + strings.Repeat("x", 4096) + `"}`, 413, 0, "large"},
		{"413 to a body that is too large when unpacked", "POST", url, http.Header{"Content-Type": {jsonType}, "Content-Encoding": {"gzip"}}, gzipped(t, `{"name": "`+strings.Repeat("x", 4096)+`"}`), 413, 0, "large"},
		{"413 to too many events", "POST", url, http.Header{"Content-Type": {linesType}}, lines(0, 4), 413, 0, "more than 3 events"},
		{"415 to another content type", "POST", url, http.Header{"Content-Type": {"text/plain"}}, oneEvent, 415, 0, "application/json"},
		{"415 to no content type", "POST", url, nil, oneEvent, 415, 0, "application/json"},
		{"415 to an unknown encoding", "POST", url, http.Header{"Content-Type": {jsonType}, "Content-Encoding": {"br"}}, oneEvent, 415, 0, "gzip"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := client.send(tt.method, tt.url, tt.header, tt.body)
			require.NoError(t, err)
			assert.Equal(t, tt.status, r.status)
			assert.Equal(t, jsonType, r.header.Get("Content-Type"))
			assert.Equal(t, tt.accepted, r.body.Accepted)
			assert.Empty(t, r.body.Rejected)
			if tt.problem == "" {
				assert.Empty(t, r.body.Error)
			} else {
				assert.Contains(t, r.body.Error, tt.problem)
			}
			if tt.status == http.StatusMethodNotAllowed {
				assert.Equal(t, http.MethodPost, r.header.Get("Allow"))
			}
		})
		delivered += tt.accepted
	}
	in.wait(c, delivered)
	c.stop()
	assert.Equal(t, delivered, in.count(), "events of the requests that were accepted")
}

func TestRequestOfOnlyBadEventsIsRejected(t *testing.T) {
	t.Parallel()
	in := newInbox(t, singleEvents)
	c := start(t, configure("", webhook{"shop", in.URL, ""}))
	r, err := newClient(t).post(c.eventURL(), jsonType, `[{"id": "e1", "nome": "order_placed"}, 5]`)
	require.NoError(t, err)
	assert.Equal(t, http.StatusBadRequest, r.status)
	assert.Zero(t, r.body.Accepted)
	require.Len(t, r.body.Rejected, 2)
	assert.Equal(t, "e1", r.body.Rejected[0].ID)
	assert.Equal(t, 1, r.body.Rejected[1].Index)
	c.stop()
	assert.Empty(t, in.attempted())
}

func TestRefusingPipelineMakesClientRetry(t *testing.T) {
	t.Parallel()
	in := newInbox(t, singleEvents)
	in.respondNext(response{status: http.StatusServiceUnavailable}, response{status: http.StatusServiceUnavailable})
	// Without a queue and retries, the client gets the webhook's response.
	c := start(t, configure("", webhook{"shop", in.URL, "dispatch: sync, retry_on_failure: {enabled: false}"}))
	client := newClient(t)

	for range 2 {
		r, err := client.post(c.eventURL(), linesType, lines(0, 1))
		require.NoError(t, err)
		assert.Equal(t, http.StatusServiceUnavailable, r.status)
		assert.Zero(t, r.body.Accepted)
		assert.Contains(t, r.body.Error, "again later")
		assert.NotContains(t, r.body.Error, "secret", "the URL of the webhook is not shown")
		wait, err := strconv.Atoi(r.header.Get("Retry-After"))
		require.NoError(t, err)
		assert.GreaterOrEqual(t, wait, 1)
		assert.LessOrEqual(t, wait, 5)
	}
	assert.Zero(t, in.count())

	client.mustAccept(t, c.eventURL(), linesType, lines(0, 1), 1)
	assert.True(t, in.has(eventID(0)), "delivered before the response")
	assert.Len(t, in.attempted(), 3)
}

func gzipped(t *testing.T, body string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(body))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.String()
}
