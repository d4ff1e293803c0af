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

// pathID is the exporter that a path names after lettersPath.
func pathID(r *http.Request) string { return r.PathValue("exporter") }

// parameters are those of a query.
type parameters struct{ url.Values }

// query reads the parameters, and refuses those that are not known: a replay with a mistyped reason would be a replay
// of everything.
func query(w http.ResponseWriter, r *http.Request, known ...string) (parameters, bool) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		refuse(w, http.StatusBadRequest, "the query cannot be read; write name=value, percent-encoded, and & between")
		return parameters{}, false
	}
	for name := range values {
		if !slices.Contains(known, name) {
			refuse(w, http.StatusBadRequest, fmt.Sprintf("there is no parameter %q here; there are: %s", name, join(known)))
			return parameters{}, false
		}
	}
	return parameters{values}, true
}

// limit reads a positive number, at most the given one if that is not 0.
func (p parameters) limit(absent, most int) (int, error) {
	if !p.Has("limit") {
		return absent, nil
	}
	n, err := strconv.Atoi(p.Get("limit"))
	if err == nil && n > 0 && (most == 0 || n <= most) {
		return n, nil
	}
	if most == 0 {
		return 0, errors.New("limit: is not a number of dead letters, 1 or more")
	}
	return 0, fmt.Errorf("limit: is not a number of dead letters from 1 to %d", most)
}

func (p parameters) flag(name string) (bool, error) {
	if !p.Has(name) {
		return false, nil
	}
	value, err := strconv.ParseBool(p.Get(name))
	if err != nil {
		return false, fmt.Errorf("%s: is neither true nor false", name)
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

// problem is what a request is answered with when it cannot be done.
type problem struct {
	status int
	text   string
}

func (p *problem) Error() string { return p.text }

func unknownExporter(exporter string) error {
	return &problem{http.StatusNotFound, fmt.Sprintf("there are no dead letters of %q, and it is not running; GET %s lists what there is", exporter, lettersPath)}
}

func replayUnderWay(exporter string) error {
	return &problem{http.StatusConflict, fmt.Sprintf("a replay of %s is under way; try again when it has ended", exporter)}
}

func notAllowed(allow string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Allow", allow)
		refuse(w, http.StatusMethodNotAllowed, "this takes "+allow+"; a replay is POST "+lettersPath+"/{exporter}"+replayVerb)
	}
}

func refuseWith(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	if p, ok := errors.AsType[*problem](err); ok {
		status = p.status
	}
	refuse(w, status, err.Error())
}

func refuse(w http.ResponseWriter, status int, text string) {
	answer(w, status, map[string]string{"error": text})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(body)
}
