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
func (r *repairExtension) GetHTTPHandler(context.Context) (extensionmiddleware.WrapHTTPHandlerFunc, error) {
	return func(_ context.Context, next http.Handler) (http.Handler, error) {
		return &repairHandler{extension: r, next: next}, nil
	}, nil
}

type repairHandler struct {
	extension *repairExtension
	next      http.Handler
}

// ServeHTTP lets the receiver handle a request first. Only if the receiver refuses the body as
// malformed is it repaired and handled again. A body that needs no repair is therefore never changed,
// and costs only a copy. Bodies arrive here uncompressed.
func (h *repairHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !isJSON(r) {
		h.next.ServeHTTP(w, r)
		return
	}
	a := h.extension.newAttempt(w, r)
	defer h.extension.release(a)
	h.next.ServeHTTP(a, r)
	r.Body = a.body.ReadCloser
	if a.refused == 0 {
		return
	}
	if a.body.complete {
		if again, findings := repairBody(a.body.copy.Bytes()); again != nil {
			h.extension.count(r.Context(), findings)
			a.resetHeader()
			h.next.ServeHTTP(w, withBody(r, again))
			return
		}
	}
	a.respond()
}

// isJSON reports whether the OTLP receiver would read the request as JSON.
func isJSON(r *http.Request) bool {
	const wanted = "application/json"
	if r.Method != http.MethodPost || r.Body == nil {
		return false
	}
	contentType := r.Header.Get("Content-Type")
	if contentType == wanted {
		return true
	}
	mediaType, _, err := mime.ParseMediaType(contentType)
	return err == nil && mediaType == wanted
}

// withBody returns a copy of the request with another body.
func withBody(r *http.Request, body []byte) *http.Request {
	again := r.Clone(r.Context())
	again.Body = io.NopCloser(bytes.NewReader(body))
	again.ContentLength = int64(len(body))
	again.Header.Set("Content-Length", strconv.Itoa(len(body)))
	return again
}

// newAttempt returns the first attempt to handle a request, and makes it copy the request's body.
func (r *repairExtension) newAttempt(w http.ResponseWriter, req *http.Request) *attempt {
	a, ok := r.attempts.Get().(*attempt)
	if !ok {
		a = &attempt{}
	}
	a.ResponseWriter = w
	if before := w.Header(); len(before) > 0 {
		a.before = before.Clone()
	}
	a.body.ReadCloser = req.Body
	req.Body = &a.body
	return a
}

// release returns an attempt to the pool, unless its body was large.
func (r *repairExtension) release(a *attempt) {
	body := a.body.copy
	*a = attempt{}
	if body.Cap() <= maxPooledBody {
		body.Reset()
		a.body.copy = body
		r.attempts.Put(a)
	}
}

// attempt is the first attempt to handle a request. It holds a refusal back, and passes other
// responses on.
type attempt struct {
	http.ResponseWriter
	body copiedBody

	// before are the headers before the attempt.
	before http.Header

	begun   bool // a response is being passed on
	refused int  // the status of a refusal; 0 if there is none
	refusal bytes.Buffer
}

// WriteHeader implements http.ResponseWriter.
func (a *attempt) WriteHeader(status int) {
	if isRefusal(status) && !a.begun {
		a.refused = status
	}
	if a.refused == 0 {
		a.begun = a.begun || status >= http.StatusOK
		a.ResponseWriter.WriteHeader(status)
	}
}

// isRefusal reports whether the receiver may have refused the body as malformed. Its error quotes the
// body around the fault, and if that cuts a character, it responds with 500 instead of 400.
func isRefusal(status int) bool {
	return status == http.StatusBadRequest || status == http.StatusInternalServerError
}

// Write implements http.ResponseWriter.
func (a *attempt) Write(p []byte) (int, error) {
	if a.refused != 0 {
		return a.refusal.Write(p)
	}
	a.begun = true
	return a.ResponseWriter.Write(p)
}

// respond writes the response that was held back.
func (a *attempt) respond() {
	a.ResponseWriter.WriteHeader(a.refused)
	_, _ = a.ResponseWriter.Write(a.refusal.Bytes()) //nolint:gosec // the response of the receiver, as it is
}

// resetHeader removes the headers of the response that was held back.
func (a *attempt) resetHeader() {
	header := a.Header()
	clear(header)
	maps.Copy(header, a.before)
}

// Unwrap lets http.ResponseController reach the server's writer.
func (a *attempt) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// copiedBody copies a body as it is read.
type copiedBody struct {
	io.ReadCloser
	copy     bytes.Buffer
	complete bool
}

// Read implements io.Reader.
func (b *copiedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.copy.Write(p[:n])
	b.complete = err == io.EOF
	return n, err
}
