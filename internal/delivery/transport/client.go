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

// maxResponse is the number of bytes read of a response. If there are more, the connection is closed.
const maxResponse = 64 << 10

// Settings configures a [Client].
type Settings struct {
	// HTTP is the exporter's HTTP client configuration; its endpoint is ignored.
	HTTP confighttp.ClientConfig
	// MaxInFlight is the number of requests at a time; twice as many idle connections are kept open.
	MaxInFlight int
	// Guard refuses connections to some addresses; nil refuses none.
	Guard *Guard
	// UserAgent is the User-Agent header of all requests.
	UserAgent string
	// Observe is called after each request with its status, 0 without a response, its duration, and
	// its number of events.
	Observe func(status int, took time.Duration, events int)
}

// Client makes requests. Its methods are safe for concurrent use.
type Client struct {
	http       *http.Client
	compressor *compressor
	userAgent  string
	observe    func(status int, took time.Duration, events int)
}

// NewClient creates an exporter's client at start, with the host's authenticators and middlewares. An
// error names the configuration key that is wrong.
func NewClient(ctx context.Context, s Settings, host component.Host, telemetry component.TelemetrySettings) (*Client, error) {
	cfg := s.HTTP
	// The client compresses by itself: confighttp uses the standard library, which takes several
	// times as long.
	compressor, err := newCompressor(cfg.Compression, cfg.CompressionParams.Level)
	if err != nil {
		return nil, err
	}
	cfg.Compression = ""
	// A backend is one host, and net/http keeps only two idle connections per host by default. A
	// response is there before its connection is idle again, so that the next request may need one
	// more connection; without room for twice as many, the surplus would be closed and opened anew.
	if keepalive := cfg.Keepalive.Get(); keepalive != nil {
		keepalive.MaxIdleConnsPerHost = max(keepalive.MaxIdleConnsPerHost, 2*s.MaxInFlight)
	}
	extensions := host.GetExtensions()
	if s.Guard != nil {
		extensions = upstream.WithTransport(&cfg, extensions, s.Guard.protect)
	}
	// otelhttp's spans and metrics would hold the host or the whole URL, and its wrapper of the body
	// would send headers and body in separate packets. exporterhelper's spans and delivery's own
	// metrics cover the requests.
	telemetry.TracerProvider, telemetry.MeterProvider = nil, nil
	client, err := cfg.ToClient(ctx, extensions, telemetry)
	if err != nil {
		return nil, err
	}
	client.Transport = withoutLocation{client.Transport}
	return &Client{http: client, compressor: compressor, userAgent: s.UserAgent, observe: s.Observe}, nil
}

// withoutLocation removes the Location header of responses, so that redirects are not followed:
// http.Client would turn the POST into a GET without a body. http.ErrUseLastResponse is not enough,
// because an invalid Location would still be an error, which quotes it.
type withoutLocation struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t withoutLocation) RoundTrip(req *http.Request) (*http.Response, error) {
	response, err := t.RoundTripper.RoundTrip(req)
	if err == nil {
		response.Header.Del("Location")
	}
	return response, err
}

// CloseIdleConnections implements the method that http.Client looks for.
func (t withoutLocation) CloseIdleConnections() {
	if closer, ok := t.RoundTripper.(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}

// Send makes the request, and reads the response. Its errors hold no secret; they may be an
// [InvalidRequestError], a [*BlockedError] or a [*NoResponseError].
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
			err = &NoResponseError{err}
		}
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxResponse+1))
	c.observe(response.StatusCode, time.Since(started), len(r.Events))
	// After a 2xx an incomplete body is no failure: the events have arrived.
	if err != nil && response.StatusCode/100 != 2 {
		return nil, &NoResponseError{fmt.Errorf("reading the response: %w", Redacted(err))}
	}
	return &Response{
		Status: response.StatusCode, Header: response.Header, Body: body[:min(len(body), maxResponse)], Truncated: len(body) > maxResponse,
		ReceivedAt: time.Now(), request: response.Request,
	}, nil
}

// newRequest returns the net/http request. For an AtMostOnce request, arrived becomes true when its
// headers have been written.
func (c *Client) newRequest(ctx context.Context, r *Request) (req *http.Request, arrived *atomic.Bool, err error) {
	body, encoding, err := c.compressor.compress(r)
	if err != nil {
		return nil, nil, fmt.Errorf("compressing the request: %w", err)
	}
	arrived = &atomic.Bool{}
	if r.AtMostOnce {
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { arrived.Store(true) }})
	}
	// net/http sends a bytes.Reader in one packet with the headers.
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

// Do makes any other request, such as a handshake, with the client's User-Agent and transport. Its
// errors are those of net/http, which hold the URL.
func (c *Client) Do(req *http.Request) (*http.Response, error) {
	req.Header.Set("User-Agent", c.userAgent)
	return c.http.Do(req)
}

// Close closes the idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }
