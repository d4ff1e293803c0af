// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryintake

import (
	"bytes"
	"io"
	"net/http"

	"github.com/otelcol-fanout/otelcol-fanout/test/intake/standin"
)

// body reads and decompresses the body, but not more of it than an envelope may have: 200 MiB, or what the test says.
func (v *visit) body(limit int) ([]byte, bool) {
	if n := len(v.request.Header.Values("Content-Encoding")); n > 1 {
		v.broke(http.StatusBadRequest, RuleEncoding, "request", "has %d headers Content-Encoding", n)
		return nil, false
	}
	var compressed bytes.Buffer
	compressed.Grow(bytes.MinRead + int(min(max(v.request.ContentLength, 0), int64(limit)+1)))
	if _, err := compressed.ReadFrom(io.LimitReader(v.request.Body, int64(limit)+1)); err != nil {
		v.refuse(http.StatusBadRequest, "the client went away")
		return nil, false
	}
	body, err := decompress(v.request.Header.Get("Content-Encoding"), compressed.Bytes(), int64(limit)+1)
	switch {
	case err != nil:
		v.broke(http.StatusBadRequest, RuleEncoding, "body", "cannot be decompressed: %v", err)
	case len(body) > maxEnvelope:
		v.broke(http.StatusRequestEntityTooLarge, RuleEnvelopeSize, "body", "has more than %d bytes", maxEnvelope)
	case len(body) > limit:
		v.refuse(http.StatusRequestEntityTooLarge, "envelope too large")
	default:
		return body, true
	}
	return nil, false
}

// decompress undoes the content encoding, and stops after a number of bytes. Brotli, which Relay has too, is not among what
// this intake takes.
func decompress(encoding string, compressed []byte, limit int64) ([]byte, error) {
	switch encoding {
	case "", "identity":
		return compressed, nil
	case "x-gzip":
		encoding = "gzip"
	}
	return standin.Decompress(encoding, compressed, limit)
}
