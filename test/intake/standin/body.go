// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package standin

import (
	"bytes"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

// Decompress decodes a gzip, deflate or zstd body, up to a maximum size.
func Decompress(encoding string, compressed []byte, limit int64) ([]byte, error) {
	var body io.Reader
	var err error
	switch encoding {
	case "gzip":
		body, err = gzip.NewReader(bytes.NewReader(compressed))
	case "deflate":
		body, err = zlib.NewReader(bytes.NewReader(compressed))
	case "zstd":
		var decoder *zstd.Decoder
		if decoder, err = zstd.NewReader(bytes.NewReader(compressed), zstd.WithDecoderConcurrency(1)); err == nil {
			defer decoder.Close()
		}
		body = decoder
	default:
		err = fmt.Errorf("%q is not a content encoding that the stand-in reads", encoding)
	}
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(body, limit))
}
