// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
)

func TestSDKSendsCompleteEvents(t *testing.T) {
	received := make(chan plog.Logs, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		request := plogotlp.NewExportRequest()
		assert.NoError(t, request.UnmarshalProto(body))
		received <- request.Logs()
	}))
	defer server.Close()

	d := &demo{out: io.Discard}
	sent, err := d.sendWithSDK(t.Context(), strings.TrimPrefix(server.URL, "http://"))
	require.NoError(t, err)
	assert.Equal(t, total{events: 4, requests: 1}, sent)

	logs := <-received
	assert.Equal(t, 4, logs.LogRecordCount())
	assert.Equal(t, "shop", logs.ResourceLogs().At(0).Resource().Attributes().AsRaw()["service.name"])
	order := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(2)
	assert.Equal(t, "order_placed", order.EventName())
	assert.Equal(t, "4bf92f3577b34da6a3ce929d0e0e4736", order.TraceID().String())
	assert.Equal(t, map[string]any{
		"user.id":  "u1",
		"order_id": int64(9007199254740993),
		"total":    map[string]any{"amount": 12.5, "currency": "EUR"},
	}, order.Attributes().AsRaw())
}

func TestSDKErrorIsReturned(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	d := &demo{out: io.Discard}
	_, err := d.sendWithSDK(t.Context(), strings.TrimPrefix(server.URL, "http://"))
	require.ErrorContains(t, err, "sending with the SDK: ")
}

// newEventReceiver returns a stand-in for the event receiver that reports accepted events as told.
func newEventReceiver(t *testing.T, bodies *[]string) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		assert.Equal(t, "application/json", r.Header.Get("Content-Type"))
		*bodies = append(*bodies, string(body))
		_, _ = fmt.Fprintf(w, "{\"accepted\":%d,\"rejected\":[]}\n", strings.Count(string(body), `"name":`))
	}))
	t.Cleanup(server.Close)
	return server
}

func TestCurlSendsShownCommand(t *testing.T) {
	var bodies []string
	server := newEventReceiver(t, &bodies)
	var out bytes.Buffer
	d := &demo{out: &out}
	sent, err := d.sendWithCurl(t.Context(), server.URL)
	require.NoError(t, err)
	assert.Equal(t, total{events: 3, requests: 2}, sent)
	require.Len(t, bodies, 2)
	for _, body := range bodies {
		assert.Contains(t, out.String(), "$ curl -sS "+server.URL+" -H 'content-type: application/json' \\\n  -d '"+body+"'\n")
	}
	assert.Contains(t, out.String(), "\n{\"accepted\":2,\"rejected\":[]}\n")
}

func TestGoSendsSameRequestAsCurl(t *testing.T) {
	_, err := exec.LookPath("curl")
	require.NoError(t, err, "make tools installs curl where apt-get can; else install it")
	var bodies []string
	server := newEventReceiver(t, &bodies)
	byCurl, err := postWithCurl(t.Context(), server.URL, `{"name":"a"}`)
	require.NoError(t, err)
	byGo, err := postWithGo(t.Context(), server.URL, `{"name":"a"}`)
	require.NoError(t, err)
	assert.Equal(t, byCurl, byGo)
	assert.Equal(t, []string{`{"name":"a"}`, `{"name":"a"}`}, bodies)
}

func TestMissingCurlIsReported(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	var bodies []string
	server := newEventReceiver(t, &bodies)
	var out bytes.Buffer
	d := &demo{out: &out}
	_, err := d.sendWithCurl(t.Context(), server.URL)
	require.NoError(t, err)
	assert.Len(t, bodies, 2)
	assert.Contains(t, out.String(), "curl is not installed")
}

func TestResponseMustAcceptEveryEvent(t *testing.T) {
	require.NoError(t, checkAccepted([]byte(`{"accepted":2}`), 2))
	require.ErrorContains(t, checkAccepted([]byte(`{"accepted":1,"rejected":[{"index":1}]}`), 2), "accepted 1 of 2 events")
	require.ErrorContains(t, checkAccepted([]byte(`Not Found`), 2), `"Not Found"`)
}

func TestCommandIsShownAsTyped(t *testing.T) {
	assert.Equal(t, "curl -sS http://127.0.0.1:1/v1/events -H 'content-type: application/json' \\\n  -d '{\"name\":\"it'\\''s\"}'",
		shown(curlCommand("http://127.0.0.1:1/v1/events", `{"name":"it's"}`)))
}
