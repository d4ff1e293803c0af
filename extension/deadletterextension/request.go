// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// exporterFromPath returns the exporter in the part of the path after apiPath.
func exporterFromPath(r *http.Request) string { return r.PathValue("exporter") }

// parameters are the query parameters of a request.
type parameters struct{ url.Values }

// query reads the query parameters and refuses unknown ones: ignoring a mistyped "reason" would
// replay everything.
func query(w http.ResponseWriter, r *http.Request, known ...string) (parameters, bool) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		writeError(w, http.StatusBadRequest, "malformed query; write percent-encoded name=value pairs separated by &")
		return parameters{}, false
	}
	for name := range values {
		if !slices.Contains(known, name) {
			writeError(w, http.StatusBadRequest, fmt.Sprintf("unknown parameter %q; valid parameters: %s", name, join(known)))
			return parameters{}, false
		}
	}
	return parameters{values}, true
}

// limit reads a positive number. A most other than 0 is its maximum.
func (p parameters) limit(absent, most int) (int, error) {
	if !p.Has("limit") {
		return absent, nil
	}
	n, err := strconv.Atoi(p.Get("limit"))
	if err == nil && n > 0 && (most == 0 || n <= most) {
		return n, nil
	}
	if most == 0 {
		return 0, errors.New("limit: must be a number, 1 or more")
	}
	return 0, fmt.Errorf("limit: must be a number from 1 to %d", most)
}

func (p parameters) flag(name string) (bool, error) {
	if !p.Has(name) {
		return false, nil
	}
	value, err := strconv.ParseBool(p.Get(name))
	if err != nil {
		return false, fmt.Errorf("%s: must be true or false", name)
	}
	return value, nil
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

// apiError is an error response.
type apiError struct {
	status int
	text   string
}

func (p *apiError) Error() string { return p.text }

func unknownExporter(exporter string) error {
	return &apiError{http.StatusNotFound, fmt.Sprintf("exporter %q is not running and has no dead letters; GET %s lists the exporters that do", exporter, apiPath)}
}

func replayUnderWay(exporter string) error {
	return &apiError{http.StatusConflict, fmt.Sprintf("a replay of %s is in progress; try again when it has ended", exporter)}
}

func notAllowed(allow string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Allow", allow)
		writeError(w, http.StatusMethodNotAllowed, "use "+allow+"; to replay, POST "+apiPath+"/{exporter}"+replaySuffix)
	}
}

func writeAPIError(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	if p, ok := errors.AsType[*apiError](err); ok {
		status = p.status
	}
	writeError(w, status, err.Error())
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
