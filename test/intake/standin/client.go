// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package standin

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

// Helpers for testing the stand-ins themselves.

// Response is the response that a client gets.
type Response struct {
	Status int
	Header http.Header
	Body   string
}

// Send sends a request on its own connection, and follows no redirect.
func Send(r *http.Request) (Response, error) {
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		return Response{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return Response{response.StatusCode, response.Header, string(body)}, err
}

// Compress encodes a body with gzip, deflate or zstd, or leaves it unchanged.
func Compress(encoding string, body []byte) []byte {
	var compressed bytes.Buffer
	var w io.WriteCloser
	switch encoding {
	case "gzip":
		w = gzip.NewWriter(&compressed)
	case "deflate":
		w = zlib.NewWriter(&compressed)
	case "zstd":
		w, _ = zstd.NewWriter(&compressed, zstd.WithEncoderConcurrency(1)) // fails only for invalid options
	default:
		return body
	}
	_, _ = w.Write(body) // writing to a buffer cannot fail
	_ = w.Close()
	return compressed.Bytes()
}

// Failing is a fake test that records failures.
type Failing struct {
	testing.TB
	Failures []string
}

// Errorf implements testing.TB.
func (f *Failing) Errorf(format string, args ...any) {
	f.Failures = append(f.Failures, fmt.Sprintf(format, args...))
}

// Fatalf implements testing.TB. It panics, since it must not return.
func (f *Failing) Fatalf(format string, args ...any) {
	f.Errorf(format, args...)
	panic(f)
}
