// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"
)

// moment is a time in a response: RFC 3339 in UTC with milliseconds. Leave it out with omitzero.
type moment struct{ time.Time }

// MarshalJSON implements json.Marshaler.
func (m moment) MarshalJSON() ([]byte, error) {
	return []byte(m.UTC().Format(`"2006-01-02T15:04:05.000Z"`)), nil
}

// milliseconds are a duration in a response, to a hundredth.
func milliseconds(d time.Duration) float64 { return round(float64(d) / float64(time.Millisecond)) }

func round(x float64) float64 { return math.Round(x*100) / 100 }

// cut shortens a text to a number of bytes at a character's boundary, with an ellipsis at its end.
func cut(text string, most int) string {
	const ellipsis = "…"
	if len(text) <= most {
		return text
	}
	// A character that is cut in two is invalid, and so is left out.
	return strings.ToValidUTF8(text[:most-len(ellipsis)], "") + ellipsis
}

// apiError is an error response.
type apiError struct {
	status int
	text   string
}

func (e *apiError) Error() string { return e.text }

func apiErrorf(status int, format string, args ...any) error {
	return &apiError{status, fmt.Sprintf(format, args...)}
}

func badRequest(format string, args ...any) error {
	return apiErrorf(http.StatusBadRequest, format, args...)
}

func writeError(w http.ResponseWriter, status int, text string) {
	writeJSON(w, status, errorJSON{text})
}

// errorJSON is the body of an error response.
type errorJSON struct {
	Error string `json:"error"`
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(body)
}

// respond writes the error of a handler.
func respond(w http.ResponseWriter, err error) {
	if e, ok := errors.AsType[*apiError](err); ok {
		writeError(w, e.status, e.text)
		return
	}
	writeError(w, http.StatusInternalServerError, err.Error())
}
