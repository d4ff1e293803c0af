// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/upstream"
)

// maxResponse is how many bytes of a response are read. The rest is not: the connection is then
// closed.
const maxResponse = 64 << 10

// Settings are what a [Client] is made of.
type Settings struct {
	// HTTP is the exporter's HTTP client configuration; its endpoint is not used.
	HTTP confighttp.ClientConfig
	// MaxInFlight is how many requests there are at a time, so that each finds an open connection.
	MaxInFlight int
	// Guard refuses to dial some addresses; nil refuses none.
	Guard *Guard
	// UserAgent is the User-Agent of all requests.
	UserAgent string
	// Observe is called after each request with its status, 0 where there was no response, how long
	// it took, and its number of events.
	Observe func(status int, took time.Duration, events int)
}

// Client makes requests. Its methods are safe for concurrent use.
type Client struct {
	http       *http.Client
	compressor *compressor
	userAgent  string
	observe    func(status int, took time.Duration, events int)
}

// NewClient makes the client of an exporter as it starts, with the authenticators and middlewares
// that the host has. An error names the key of the configuration that is wrong.
func NewClient(ctx context.Context, s Settings, host component.Host, telemetry component.TelemetrySettings) (*Client, error) {
	cfg := s.HTTP
	// Compression is ours: confighttp's is the standard library's, which takes several times as
	// long.
	compressor, err := newCompressor(cfg.Compression, cfg.CompressionParams.Level)
	if err != nil {
		return nil, err
	}
	cfg.Compression = ""
	// A backend is one host, of which net/http would keep two connections only.
	if keepalive := cfg.Keepalive.Get(); keepalive != nil {
		keepalive.MaxIdleConnsPerHost = max(keepalive.MaxIdleConnsPerHost, s.MaxInFlight)
	}
	extensions := host.GetExtensions()
	if s.Guard != nil {
		extensions = upstream.WithTransport(&cfg, extensions, s.Guard.protect)
	}
	// otelhttp's spans and metrics would hold the host or the whole URL, and it would wrap the
	// body, so that headers and body are sent apart. exporterhelper's spans and our metrics tell of
	// the request.
	telemetry.TracerProvider, telemetry.MeterProvider = nil, nil
	client, err := cfg.ToClient(ctx, extensions, telemetry)
	if err != nil {
		return nil, err
	}
	client.Transport = withoutLocation{client.Transport}
	return &Client{http: client, compressor: compressor, userAgent: s.UserAgent, observe: s.Observe}, nil
}

// withoutLocation takes away where a response redirects to. A client that follows turns the POST
// into a GET without a body, and reports the response to that as success; one that is told not to
// follow still fails for a location that is not a URL, with an error that repeats it.
type withoutLocation struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t withoutLocation) RoundTrip(req *http.Request) (*http.Response, error) {
	response, err := t.RoundTripper.RoundTrip(req)
	if err == nil {
		response.Header.Del("Location")
	}
	return response, err
}

// CloseIdleConnections is for http.Client's method of that name.
func (t withoutLocation) CloseIdleConnections() {
	if closer, ok := t.RoundTripper.(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}

// Send makes the request, and reads the response. Its errors hold no secret; [InvalidRequestError],
// [*BlockedError] and [*UnansweredError] are kinds of them.
func (c *Client) Send(ctx context.Context, r *Request) (*Response, error) {
	r.Prepare(time.Now())
	req, arrived, err := c.newRequest(ctx, r)
	if err != nil {
		return nil, err
	}
	started := time.Now()
	response, err := c.Do(req)
	if err != nil {
		c.observe(0, time.Since(started), len(r.Events))
		err = fmt.Errorf("sending the request: %w", Redacted(err))
		if arrived.Load() {
			err = &UnansweredError{err}
		}
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxResponse+1))
	c.observe(response.StatusCode, time.Since(started), len(r.Events))
	// What follows a 2xx changes nothing that a backend without a body would not say.
	if err != nil && response.StatusCode/100 != 2 {
		return nil, &UnansweredError{fmt.Errorf("reading the response: %w", Redacted(err))}
	}
	return &Response{
		Status: response.StatusCode, Header: response.Header, Body: body[:min(len(body), maxResponse)], Truncated: len(body) > maxResponse,
		ReceivedAt: time.Now(), request: response.Request,
	}, nil
}

// newRequest returns the request of net/http. arrived becomes true when its header is written,
// where the request wants to know.
func (c *Client) newRequest(ctx context.Context, r *Request) (req *http.Request, arrived *atomic.Bool, err error) {
	body, encoding, err := c.compressor.compress(r)
	if err != nil {
		return nil, nil, fmt.Errorf("compressing the request: %w", err)
	}
	arrived = &atomic.Bool{}
	if r.AtMostOnce {
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { arrived.Store(true) }})
	}
	// A bytes.Reader is what net/http sends in one packet with the header.
	req, err = http.NewRequestWithContext(ctx, http.MethodPost, r.URL, bytes.NewReader(body))
	if err != nil {
		return nil, nil, InvalidRequestError{}
	}
	if r.Header != nil {
		req.Header = r.Header.Clone()
	}
	if encoding != "" {
		req.Header.Set("Content-Encoding", encoding)
	}
	return req, arrived, nil
}

// Do makes a request of another kind, such as a handshake, with the client's User-Agent and
// transport. Its errors are net/http's, which hold the URL.
func (c *Client) Do(req *http.Request) (*http.Response, error) {
	req.Header.Set("User-Agent", c.userAgent)
	return c.http.Do(req)
}

// Close closes the connections that are not in use.
func (c *Client) Close() { c.http.CloseIdleConnections() }
