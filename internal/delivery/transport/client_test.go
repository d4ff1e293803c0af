// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configcompression"
	"go.opentelemetry.io/collector/config/confighttp"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
)

// TestBodyIsNotReusedWhileItIsRead reads bodies after others were made, as net/http does where the
// answer comes before the whole request was read.
func TestBodyIsNotReusedWhileItIsRead(t *testing.T) {
	for _, encoding := range []string{"", "gzip"} {
		t.Run("encoding "+encoding, func(t *testing.T) {
			c, err := newCompressor(configcompression.Type(encoding), 0)
			require.NoError(t, err)
			bodies, want := map[string][]byte{}, bytes.Repeat([]byte("0123456789"), 500)
			for number := range 100 {
				text := fmt.Sprintf("%06d", number)
				body, got, err := c.compress(&Request{Body: append([]byte(text), want...)})
				require.NoError(t, err)
				require.Equal(t, encoding, got)
				bodies[text] = body
			}
			for text, body := range bodies {
				require.Equal(t, text+string(want), string(decoded(t, bytes.NewReader(body), encoding)))
			}
		})
	}
}

// decoded returns the body as a backend reads it.
func decoded(t *testing.T, r io.Reader, encoding string) []byte {
	t.Helper()
	if encoding == "gzip" {
		var err error
		r, err = gzip.NewReader(r)
		require.NoError(t, err)
	}
	text, err := io.ReadAll(r)
	require.NoError(t, err)
	return text
}

// newClient returns a client, and the statuses that it observes.
func newClient(t *testing.T, cfg confighttp.ClientConfig, guard *Guard) (*Client, *[]int) {
	t.Helper()
	var mu sync.Mutex
	var statuses []int
	c, err := NewClient(t.Context(), Settings{
		HTTP: cfg, MaxInFlight: 8, Guard: guard, UserAgent: "agent/1",
		Observe: func(status int, _ time.Duration, _ int) {
			mu.Lock()
			defer mu.Unlock()
			statuses = append(statuses, status)
		},
	}, componenttest.NewNopHost(), componenttest.NewNopTelemetrySettings())
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c, &statuses
}

// TestRequestIsOneWrite checks that headers and body go out in one write, as net/http does for bodies
// in memory that nothing wraps.
func TestRequestIsOneWrite(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		assert.Equal(t, "agent/1", r.UserAgent())
	}))
	defer server.Close()
	c, statuses := newClient(t, confighttp.NewDefaultClientConfig(), nil)
	var writes atomic.Int64
	c.http.Transport.(withoutLocation).RoundTripper.(*http.Transport).DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		return &countedConn{conn, &writes}, err
	}
	for range 5 {
		_, err := c.Send(t.Context(), &Request{URL: server.URL, Body: []byte("body\n")})
		require.NoError(t, err)
	}
	assert.EqualValues(t, 5, writes.Load())
	assert.Equal(t, []int{200, 200, 200, 200, 200}, *statuses)
}

func TestConnectionsAreReused(t *testing.T) {
	const inFlight, each = 8, 200
	var opened atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	c, _ := newClient(t, confighttp.NewDefaultClientConfig(), nil)
	defer c.Close()
	var senders sync.WaitGroup
	for range inFlight {
		senders.Go(func() {
			for range each {
				_, err := c.Send(t.Context(), &Request{URL: server.URL, Body: []byte("body")})
				assert.NoError(t, err)
			}
		})
	}
	senders.Wait()
	assert.LessOrEqual(t, opened.Load(), int64(2*inFlight))
}

func TestGuardChecksEveryConnection(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	c, statuses := newClient(t, confighttp.NewDefaultClientConfig(), &Guard{BlockPrivateNetworks: true})
	_, err := c.Send(t.Context(), &Request{URL: server.URL, Body: []byte("body")})
	var blocked *BlockedError
	require.ErrorAs(t, err, &blocked)
	assert.Equal(t, []int{0}, *statuses)
}

type countedConn struct {
	net.Conn
	writes *atomic.Int64
}

func (c *countedConn) Write(p []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(p)
}

// roundTripper is a http.RoundTripper.
type roundTripper func(*http.Request) (*http.Response, error)

func (t roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return t(req) }

func TestBodyCanBeSentOnAnotherConnection(t *testing.T) {
	c, _ := newClient(t, confighttp.NewDefaultClientConfig(), nil)
	c.http = &http.Client{Transport: roundTripper(func(req *http.Request) (*http.Response, error) {
		again, err := req.GetBody()
		require.NoError(t, err)
		for _, body := range []io.ReadCloser{req.Body, again} {
			assert.Equal(t, "body", string(decoded(t, body, "")))
			require.NoError(t, body.Close())
		}
		assert.EqualValues(t, len("body"), req.ContentLength)
		return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Header: http.Header{}}, nil
	})}
	response, err := c.Send(t.Context(), &Request{URL: "http://localhost", Header: http.Header{}, Body: []byte("body")})
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, response.Status)
}

func TestKindsOfErrors(t *testing.T) {
	c, _ := newClient(t, confighttp.NewDefaultClientConfig(), nil)
	_, err := c.Send(t.Context(), &Request{URL: "http://%zz"})
	require.ErrorIs(t, err, InvalidRequestError{})

	hangUp := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		assert.NoError(t, err)
		assert.NoError(t, conn.Close())
	}))
	defer hangUp.Close()
	var unanswered *NoResponseError
	_, err = c.Send(t.Context(), &Request{URL: hangUp.URL, Body: []byte("body"), AtMostOnce: true})
	require.ErrorAs(t, err, &unanswered)
	hangUp.Close()
	_, err = c.Send(t.Context(), &Request{URL: hangUp.URL, Body: []byte("body"), AtMostOnce: true})
	require.Error(t, err)
	assert.NotErrorAs(t, err, &unanswered, "nobody listens")
}

func TestUnsupportedCompressionIsRefused(t *testing.T) {
	_, err := newCompressor("snappy", 0)
	require.ErrorContains(t, err, `compression: "snappy" is not supported; use gzip, zstd or none`)
	_, err = newCompressor("gzip", 99)
	require.ErrorContains(t, err, "compression_params::level: 99")
}

func TestResponseIsReadToItsLimit(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(make([]byte, maxResponse+int(r.ContentLength)))
	}))
	defer server.Close()
	c, _ := newClient(t, confighttp.NewDefaultClientConfig(), nil)
	for _, beyond := range []int{0, 1} {
		response, err := c.Send(t.Context(), &Request{URL: server.URL, Body: make([]byte, beyond)})
		require.NoError(t, err)
		assert.Len(t, response.Body, maxResponse)
		assert.Equal(t, beyond > 0, response.Truncated)
	}
}

func TestPublicURLIsTheHost(t *testing.T) {
	for url, want := range map[string]string{
		"https://hooks.slack.com/services/T0/B0/secret": "https://hooks.slack.com",
		"http://user:password@[::1]:8080/a?token=b#c":   "http://[::1]:8080",
		"https://us.i.posthog.com":                      "https://us.i.posthog.com",
		"":                                              "",
		"/hooks/secret":                                 "",
		"http://%zz":                                    "",
	} {
		assert.Equal(t, want, PublicURL(url), url)
	}
}

func TestNameWithoutDotIsNotRedacted(t *testing.T) {
	for where, want := range map[string]string{
		"http://backend:8080":     "[REDACTED] is the backend of shop.example",
		"http://backend/":         "backend:8080 is the backend of shop.example",
		"http://shop.example/":    "backend:8080 is the backend of [REDACTED]",
		"http://other.example:80": "backend:8080 is the backend of shop.example",
	} {
		u, err := url.Parse(where)
		require.NoError(t, err)
		assert.Equal(t, want, withoutHost("backend:8080 is the backend of shop.example", u))
	}
}

func TestBodyIsJoinedFromPayloads(t *testing.T) {
	two := []batch.Event{{Payload: []byte("a")}, {Payload: []byte("bc")}}
	join := Join{Head: "[", Separator: ", ", Tail: "]\n"}
	for name, tt := range map[string]struct {
		request Request
		want    string
	}{
		"two events":                   {Request{Join: join, Events: two}, "[a, bc]\n"},
		"one event":                    {Request{Join: join, Events: two[:1]}, "[a]\n"},
		"one event as it is":           {Request{Events: two[:1]}, "a"},
		"a body of the backend's own":  {Request{Body: []byte("x"), Join: join, Events: two}, "x"},
		"an empty body that is wanted": {Request{Body: []byte{}, Join: join, Events: two}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, "before"+tt.want, string(tt.request.AppendBody([]byte("before"))))
			assert.Equal(t, len(tt.want), tt.request.Size())
		})
	}
}
