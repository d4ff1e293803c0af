// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
)

// maxAnswer is how much of an answer is read. The rest is not: the connection is then closed.
const maxAnswer = 64 << 10

// startClient makes the HTTP client. Compression is ours, since confighttp's is the standard library's.
func (d *deliverer) startClient(ctx context.Context, host component.Host) error {
	cfg := d.http
	var err error
	if d.compressor, err = newCompressor(cfg.Compression, cfg.CompressionParams.Level); err != nil {
		return err
	}
	cfg.Compression = ""
	// A backend is one host, of which net/http would keep two connections only.
	if keepalive := cfg.Keepalive.Get(); keepalive != nil {
		keepalive.MaxIdleConnsPerHost = max(keepalive.MaxIdleConnsPerHost, d.cfg.MaxInFlight)
	}
	// Its spans and metrics would hold the host or the whole URL, and it would wrap the body, so that headers and body are sent apart.
	// Those of exporterhelper and of the ledger tell of the request.
	settings := d.set.TelemetrySettings
	settings.TracerProvider, settings.MeterProvider = nil, nil
	client, err := cfg.ToClient(ctx, d.withGuard(&cfg, host.GetExtensions()), settings)
	if err != nil {
		return err
	}
	client.Transport = withoutLocation{client.Transport}
	d.client = client
	return nil
}

// withoutLocation takes away where an answer redirects to. A client that follows turns the POST into a GET without a body,
// and reports the answer to that as success; one that is told not to follow still fails for a location that is no URL, in
// words that repeat it.
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

// post makes the request. Its errors never hold the URL, whose path or query may be a secret.
func (d *deliverer) post(ctx context.Context, r *Request) (*Response, error) {
	r.Ready(time.Now())
	body, encoding, err := d.compressor.compress(r)
	if err != nil {
		return nil, fmt.Errorf("compressing the request: %w", err)
	}
	// A bytes.Reader is what net/http sends in one packet with the headers.
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.URL, bytes.NewReader(body))
	if err != nil {
		return nil, errNoRequest
	}
	if r.Header != nil {
		req.Header = r.Header.Clone()
	}
	if encoding != "" {
		req.Header.Set("Content-Encoding", encoding)
	}
	var written atomic.Bool
	if r.Once {
		req = req.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { written.Store(true) }}))
	}
	started := time.Now()
	response, err := d.do(req)
	if err != nil {
		d.ledger.requested(0, time.Since(started), len(r.Events))
		err = fmt.Errorf("sending the request: %w", tellable(err))
		if written.Load() {
			err = &mayHaveArrivedError{err}
		}
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	truncated := len(answer) > maxAnswer
	answer = answer[:min(len(answer), maxAnswer)]
	d.ledger.requested(response.StatusCode, time.Since(started), len(r.Events))
	if err != nil && response.StatusCode/100 == 2 {
		err = nil // what it says after 2xx changes nothing that a backend without a body would not say
	}
	if err != nil {
		return nil, &mayHaveArrivedError{fmt.Errorf("reading the answer: %w", tellable(err))}
	}
	return &Response{Status: response.StatusCode, Header: response.Header, Body: answer, Truncated: truncated, ReceivedAt: time.Now(), request: response.Request}, nil
}

// do sends a request as ours.
func (d *deliverer) do(req *http.Request) (*http.Response, error) {
	req.Header.Set("User-Agent", d.userAgent)
	return d.client.Do(req)
}

// tellable is an error of net/http in words that may be logged. Its own hold the URL, and may quote what the backend sent:
// only of kinds that do not are they passed on.
func tellable(err error) error {
	if blocked, ok := errors.AsType[*blockedError](err); ok {
		return blocked
	}
	if operation, ok := errors.AsType[*net.OpError](err); ok {
		return operation
	}
	if certificate, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return certificate
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return errNoAnswer
	}
	for _, known := range []error{context.Canceled, context.DeadlineExceeded, io.ErrUnexpectedEOF, io.EOF} {
		if errors.Is(err, known) {
			return known
		}
	}
	if urlErr, ok := errors.AsType[*url.Error](err); ok {
		err = urlErr.Err
	}
	return fmt.Errorf("the answer is not HTTP, or something before it failed (%T)", err)
}

// mayHaveArrivedError is of a request that was sent, but not answered.
type mayHaveArrivedError struct{ err error }

func (e *mayHaveArrivedError) Error() string { return e.err.Error() }
func (e *mayHaveArrivedError) Unwrap() error { return e.err }

// errNoRequest is of a request that cannot be made, however often it is tried.
var errNoRequest = errors.New("making the request: its URL is not one")

var errNoAnswer = errors.New("there was no answer within the timeout")
