// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package otlprepairextension

import (
	"bytes"
	"context"
	"io"
	"maps"
	"mime"
	"net/http"
	"strconv"

	"go.opentelemetry.io/collector/extension/extensionmiddleware"
)

// maxPooledBody is the size up to which a body buffer returns to the pool.
const maxPooledBody = 1 << 20

// GetHTTPHandler implements extensionmiddleware.HTTPServer.
func (r *repair) GetHTTPHandler(context.Context) (extensionmiddleware.WrapHTTPHandlerFunc, error) {
	return func(_ context.Context, next http.Handler) (http.Handler, error) {
		return &repairHandler{repair: r, next: next}, nil
	}, nil
}

type repairHandler struct {
	repair *repair
	next   http.Handler
}

// ServeHTTP lets the receiver decode a request first. Only if it refuses the body as malformed, the
// body is repaired and handled once more. So a body that needs no repair costs no more than a copy,
// and is never changed. Bodies arrive here uncompressed.
func (h *repairHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !isJSON(r) {
		h.next.ServeHTTP(w, r)
		return
	}
	body := h.repair.buffer()
	defer h.repair.release(body)
	read := &copiedBody{ReadCloser: r.Body, copy: body}
	r.Body = read
	response := &heldResponse{ResponseWriter: w, header: http.Header{}}
	h.next.ServeHTTP(response, r)
	if !response.held {
		response.commit()
		return
	}
	if read.complete {
		if again, findings := repairBody(body.Bytes()); again != nil {
			h.repair.count(r.Context(), findings)
			h.next.ServeHTTP(w, withBody(r, again))
			return
		}
	}
	response.release()
}

// isJSON reports whether the OTLP receiver would read the request as JSON.
func isJSON(r *http.Request) bool {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && mediaType == "application/json" && r.Method == http.MethodPost && r.Body != nil
}

func withBody(r *http.Request, body []byte) *http.Request {
	again := r.Clone(r.Context())
	again.Body = io.NopCloser(bytes.NewReader(body))
	again.ContentLength = int64(len(body))
	again.Header.Set("Content-Length", strconv.Itoa(len(body)))
	return again
}

func (r *repair) buffer() *bytes.Buffer {
	if body, ok := r.bodies.Get().(*bytes.Buffer); ok {
		return body
	}
	return &bytes.Buffer{}
}

func (r *repair) release(body *bytes.Buffer) {
	if body.Cap() <= maxPooledBody {
		body.Reset()
		r.bodies.Put(body)
	}
}

// copiedBody copies a body as it is read.
type copiedBody struct {
	io.ReadCloser
	copy     *bytes.Buffer
	complete bool
}

// Read implements io.Reader.
func (b *copiedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.copy.Write(p[:n])
	b.complete = err == io.EOF
	return n, err
}

// heldResponse holds a response with status 400 back. It passes others on.
type heldResponse struct {
	http.ResponseWriter
	header    http.Header
	committed bool
	held      bool
	body      bytes.Buffer
}

// Header implements http.ResponseWriter.
func (w *heldResponse) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *heldResponse) WriteHeader(status int) {
	if status == http.StatusBadRequest && !w.committed {
		w.held = true
	}
	if !w.held {
		w.commit()
		w.ResponseWriter.WriteHeader(status)
	}
}

// Write implements http.ResponseWriter.
func (w *heldResponse) Write(p []byte) (int, error) {
	if w.held {
		return w.body.Write(p)
	}
	w.commit()
	return w.ResponseWriter.Write(p)
}

// commit writes the headers that are set before the status.
func (w *heldResponse) commit() {
	if !w.committed {
		w.committed = true
		maps.Copy(w.ResponseWriter.Header(), w.header)
		w.header = w.ResponseWriter.Header()
	}
}

// release writes the response that was held back.
func (w *heldResponse) release() {
	w.commit()
	w.ResponseWriter.WriteHeader(http.StatusBadRequest)
	_, _ = w.ResponseWriter.Write(w.body.Bytes()) // fails only if the client is gone
}

// Unwrap lets http.ResponseController reach the server's writer.
func (w *heldResponse) Unwrap() http.ResponseWriter { return w.ResponseWriter }
