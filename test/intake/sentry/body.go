// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryintake

import (
	"bytes"
	"io"
	"net/http"

	"github.com/otelcol-fanout/otelcol-fanout/test/intake/standin"
)

// body reads and decompresses the body, up to an envelope's limit: 200 MiB, or the test's own.
func (v *visit) body(limit int) ([]byte, bool) {
	if n := len(v.request.Header.Values("Content-Encoding")); n > 1 {
		v.broke(http.StatusBadRequest, RuleEncoding, "request", "has %d Content-Encoding headers", n)
		return nil, false
	}
	var compressed bytes.Buffer
	compressed.Grow(bytes.MinRead + int(min(max(v.request.ContentLength, 0), int64(limit)+1)))
	if _, err := compressed.ReadFrom(io.LimitReader(v.request.Body, int64(limit)+1)); err != nil {
		v.refuse(http.StatusBadRequest, "the client disconnected")
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

// decompress decodes the content encoding, up to a limit in bytes. It does not support Brotli, which
// Relay accepts.
func decompress(encoding string, compressed []byte, limit int64) ([]byte, error) {
	switch encoding {
	case "", "identity":
		return compressed, nil
	case "x-gzip":
		encoding = "gzip"
	}
	return standin.Decompress(encoding, compressed, limit)
}
