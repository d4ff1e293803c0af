// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deliverytest

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// ReadBody reads and decompresses the body of a request. It supports the encodings that delivery
// writes: gzip, zstd and none.
func ReadBody(r *http.Request) ([]byte, error) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	switch encoding := r.Header.Get("Content-Encoding"); encoding {
	case "":
		return raw, nil
	case "gzip":
		unzipped, err := gzip.NewReader(bytes.NewReader(raw))
		if err != nil {
			return nil, err
		}
		return io.ReadAll(unzipped)
	case "zstd":
		decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		defer decoder.Close()
		return decoder.DecodeAll(raw, nil)
	default:
		return nil, fmt.Errorf("delivery does not write the content encoding %q", encoding)
	}
}

// Answer responds with a status, a body and headers, given as names and values in turn.
func Answer(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// Hang sends no response until the client has gone. The body must have been read before.
func Hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// Reset resets the connection.
func Reset(w http.ResponseWriter, _ *http.Request) {
	onConnection(w, func(connection net.Conn) {
		if tcp, ok := connection.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
	})
}

// Garbage responds with bytes that are not HTTP.
func Garbage(w http.ResponseWriter, _ *http.Request) {
	onConnection(w, func(connection net.Conn) { _, _ = io.WriteString(connection, "\x00\x01garbage\r\n\r\n") })
}

// onConnection takes over the connection from the server, and closes it afterwards.
func onConnection(w http.ResponseWriter, do func(net.Conn)) {
	connection, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // closes it, too
	}
	do(connection)
	_ = connection.Close()
}
