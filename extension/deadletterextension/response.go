// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

// errInvalidRequest: the client must write the request differently. The error says how.
var errInvalidRequest = errors.New("invalid request")

// requestError is an error that says how to write the request.
type requestError struct{ text string }

func (e *requestError) Error() string { return e.text }
func (e *requestError) Unwrap() error { return errInvalidRequest }

func invalidRequest(format string, args ...any) error {
	return &requestError{fmt.Sprintf(format, args...)}
}

// statuses are the HTTP statuses of errors. Any other error is a 500.
var statuses = []struct {
	err    error
	status int
}{
	{errInvalidRequest, http.StatusBadRequest},
	{deadletter.ErrInvalidPayload, http.StatusBadRequest},
	{deadletter.ErrUnknownExporter, http.StatusNotFound},
	{deadletter.ErrUnknownLetter, http.StatusNotFound},
	{deadletter.ErrBusy, http.StatusConflict},
	{deadletter.ErrPaused, http.StatusConflict},
	{errStopRequested, http.StatusConflict},
	{deadletter.ErrNotRunning, http.StatusServiceUnavailable},
	{errStopping, http.StatusServiceUnavailable},
	{errExporterStopping, http.StatusServiceUnavailable},
}

func writeFailure(w http.ResponseWriter, err error) {
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		writeError(w, http.StatusRequestEntityTooLarge, "the body is too large; raise max_request_body_size, or edit the file of the dead letter")
		return
	}
	for _, s := range statuses {
		if errors.Is(err, s.err) {
			writeError(w, s.status, err.Error()+advice(err))
			return
		}
	}
	writeError(w, http.StatusInternalServerError, err.Error())
}

// advice says where to look up what a request names.
func advice(err error) string {
	switch {
	case errors.Is(err, deadletter.ErrUnknownExporter):
		return "; GET " + apiPath + " lists the exporters with dead letters"
	case errors.Is(err, deadletter.ErrUnknownLetter):
		return "; GET " + apiPath + "/{exporter} lists the keys"
	}
	return ""
}

func notAllowed(allow string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Allow", allow)
		writeError(w, http.StatusMethodNotAllowed, "use "+allow+"; to replay, POST "+apiPath+"/{exporter}"+replaySuffix)
	}
}

func writeError(w http.ResponseWriter, status int, text string) {
	writeJSON(w, status, map[string]string{"error": text})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(body)
}

func join[T ~string](words []T) string {
	if len(words) == 0 {
		return "none"
	}
	texts := make([]string, len(words))
	for i, word := range words {
		texts[i] = string(word)
	}
	return strings.Join(texts, ", ")
}
