// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package memoryguardextension

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"

	"go.opentelemetry.io/collector/extension/extensionmiddleware"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// maxDrained is how much of a refused body is read and discarded. A client that is still sending
// when the connection closes may not see the response.
const maxDrained = 1 << 20

var errRefused = errors.New("request refused to save memory")

// GetHTTPHandler implements extensionmiddleware.HTTPServer.
func (g *guard) GetHTTPHandler(context.Context) (extensionmiddleware.WrapHTTPHandlerFunc, error) {
	return func(_ context.Context, next http.Handler) (http.Handler, error) {
		return &guardedHandler{guard: g, next: next}, nil
	}, nil
}

type guardedHandler struct {
	guard *guard
	next  http.Handler
}

// ServeHTTP refuses a request, or counts its body while next reads it. Bodies arrive here
// uncompressed.
func (h *guardedHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	why := h.guard.shortage()
	if why == "" {
		why = h.guard.foresee(r.ContentLength)
	}
	if why != "" {
		_, _ = io.CopyN(io.Discard, r.Body, maxDrained)
		h.guard.refuse(w, r, why)
		return
	}
	body := &countedBody{ReadCloser: r.Body, guard: h.guard}
	body.refuse = func(why reason) { h.guard.refuse(w, r, why) }
	defer body.release()
	r.Body = body
	h.next.ServeHTTP(&guardedWriter{ResponseWriter: w, body: body}, r)
}

// foresee returns the reason to refuse a request whose length is known, before it is read. It
// reserves nothing: a client that announces much and sends little must not use up the budget.
func (g *guard) foresee(length int64) reason {
	switch {
	case length > g.inflight.max:
		return reasonTooLarge
	case length > 0 && g.inflight.used.Load()+length > g.inflight.max:
		return reasonInflight
	}
	return ""
}

// refuse writes the response that OTLP asks for, in the encoding of the request.
func (g *guard) refuse(w http.ResponseWriter, r *http.Request, why reason) {
	g.count(r.Context(), why, "http")
	wait := retryAfter()
	refusal := why.status(wait).Proto()
	contentType, marshal := "application/json", protojson.Marshal
	if got, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); got == "application/x-protobuf" {
		contentType, marshal = got, proto.Marshal
	}
	body, err := marshal(refusal)
	if err != nil {
		body = nil // the status says enough
	}
	w.Header().Set("Content-Type", contentType)
	if why != reasonTooLarge {
		w.Header().Set("Retry-After", strconv.Itoa(wait))
	}
	w.WriteHeader(why.httpStatus())
	_, _ = w.Write(body)
}

// countedBody counts a body as it arrives. When there is no room for more of it, it writes the
// response itself, and reading fails.
type countedBody struct {
	io.ReadCloser
	guard  *guard
	refuse func(reason)

	held    int64
	refused bool
}

// Read implements io.Reader.
func (b *countedBody) Read(p []byte) (int, error) {
	if b.refused {
		return 0, errRefused
	}
	n, err := b.ReadCloser.Read(p)
	if n == 0 {
		return 0, err
	}
	if why := b.guard.admit(b.held, int64(n)); why != "" {
		b.refused = true
		_, _ = io.CopyN(io.Discard, b.ReadCloser, maxDrained)
		b.refuse(why)
		return 0, errRefused
	}
	b.held += int64(n)
	return n, err
}

func (b *countedBody) release() { b.guard.inflight.release(b.held) }

// guardedWriter discards what a handler responds to a body that could not be read, once the
// request has been refused.
type guardedWriter struct {
	http.ResponseWriter
	body *countedBody
}

// Header implements http.ResponseWriter.
func (w *guardedWriter) Header() http.Header {
	if w.body.refused {
		return http.Header{}
	}
	return w.ResponseWriter.Header()
}

// WriteHeader implements http.ResponseWriter.
func (w *guardedWriter) WriteHeader(status int) {
	if !w.body.refused {
		w.ResponseWriter.WriteHeader(status)
	}
}

// Write implements http.ResponseWriter.
func (w *guardedWriter) Write(p []byte) (int, error) {
	if w.body.refused {
		return len(p), nil
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the server's writer.
func (w *guardedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
