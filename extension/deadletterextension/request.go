// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

// filterParameters are the query parameters that select dead letters.
var filterParameters = []string{"before", "id", "key", "limit", "name", "reason", "status"}

// target is the exporter that a path names, and the key of one of its dead letters, if any.
type target struct {
	folder *folder
	sum    summary
	key    deadletter.Key
}

// find returns the target of an escaped path. An exporter's id may be literal or percent-encoded, and
// may look as if it ended with a key.
func (a *api) find(escaped string) (target, error) {
	id, err := url.PathUnescape(escaped)
	if err != nil {
		return target{}, invalidRequest("malformed path; write the exporter's id percent-encoded")
	}
	if f, sum, ok := a.store.known(id); ok {
		return target{f, sum, ""}, nil
	}
	slash := strings.LastIndexByte(escaped, '/')
	key := deadletter.Key(escaped[slash+1:])
	if _, ok := parseKey(key); slash < 0 || !ok {
		return target{}, unknownExporter(id)
	}
	id, _ = url.PathUnescape(escaped[:slash])
	f, sum, ok := a.store.known(id)
	if !ok {
		return target{}, unknownExporter(id)
	}
	return target{f, sum, key}, nil
}

func escapedTarget(r *http.Request) string {
	return strings.TrimPrefix(r.URL.EscapedPath(), apiPath+"/")
}

// parameters are the query parameters of a request.
type parameters struct{ url.Values }

// query reads the query parameters and refuses unknown ones: ignoring a mistyped "reason" would
// replay everything.
func query(r *http.Request, known ...string) (parameters, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return parameters{}, invalidRequest("malformed query; write percent-encoded name=value pairs separated by &")
	}
	for name, given := range values {
		if !slices.Contains(known, name) {
			return parameters{}, invalidRequest("unknown parameter %q; valid parameters: %s", name, join(known))
		}
		if len(given) > 1 {
			return parameters{}, invalidRequest("%s: is given %d times; give it once", name, len(given))
		}
	}
	return parameters{values}, nil
}

// filter reads which dead letters the request selects. Without a limit it selects up to absent of them,
// and a most other than 0 is the largest limit.
func (p parameters) filter(sum *summary, absent, most int) (which deadletter.Filter, err error) {
	which = deadletter.Filter{ID: p.Get("id"), Name: p.Get("name"), Key: deadletter.Key(p.Get("key"))}
	for _, name := range []string{"id", "name"} {
		if p.Has(name) && p.Get(name) == "" {
			return which, invalidRequest("%s: is empty; leave it out to select any", name)
		}
	}
	if _, ok := parseKey(which.Key); p.Has("key") && !ok {
		return which, invalidRequest("key: must be the key of a listed dead letter, such as 1-9f86d081884c7d659a2feaa0c55ad015")
	}
	if which.Reason, err = p.reason(sum); err != nil {
		return which, err
	}
	if which.Status, err = p.status(); err != nil {
		return which, err
	}
	if which.Before, err = p.before(); err != nil {
		return which, err
	}
	which.Limit, err = p.limit(absent, most)
	return which, err
}

// reason accepts the reasons of stored dead letters too: an edited file may contain others.
func (p parameters) reason(sum *summary) (deadletter.Reason, error) {
	reason := deadletter.Reason(p.Get("reason"))
	if !p.Has("reason") || slices.Contains(deadletter.Reasons(), reason) || sum.count.reasons[reason] > 0 {
		return reason, nil
	}
	return "", invalidRequest("reason: unknown reason; valid reasons: %s", join(deadletter.Reasons()))
}

func (p parameters) status() (int, error) {
	if !p.Has("status") {
		return 0, nil
	}
	status, err := strconv.Atoi(p.Get("status"))
	if err != nil || status < 100 || status > 999 {
		return 0, invalidRequest("status: must be an HTTP status, such as 400")
	}
	return status, nil
}

func (p parameters) before() (time.Time, error) {
	if !p.Has("before") {
		return time.Time{}, nil
	}
	before, err := time.Parse(time.RFC3339Nano, p.Get("before"))
	if err != nil || before.IsZero() {
		return time.Time{}, invalidRequest("before: must be a time as in failed_at, such as 2026-01-31T12:00:00Z, with a + written as %%2B")
	}
	return before, nil
}

func (p parameters) limit(absent, most int) (int, error) {
	if !p.Has("limit") {
		return absent, nil
	}
	n, err := strconv.Atoi(p.Get("limit"))
	if err == nil && n > 0 && (most == 0 || n <= most) {
		return n, nil
	}
	if most == 0 {
		return 0, invalidRequest("limit: must be a number, 1 or more")
	}
	return 0, invalidRequest("limit: must be a number from 1 to %d", most)
}

func (p parameters) flag(name string) (bool, error) {
	if !p.Has(name) {
		return false, nil
	}
	value, err := strconv.ParseBool(p.Get(name))
	if err != nil {
		return false, invalidRequest("%s: must be true or false", name)
	}
	return value, nil
}

// readEdit reads the edited payload from the body, if it has one. As in a file of dead letters, JSON may
// be written as JSON, and any text as a string.
func readEdit(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return nil, fmt.Errorf("%w: reading the body: %w", errInvalidRequest, err)
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, nil
	}
	var body struct {
		Payload json.RawMessage `json:"payload"`
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&body); err != nil || decoder.Decode(&struct{}{}) != io.EOF || len(body.Payload) == 0 || string(body.Payload) == "null" {
		return nil, invalidRequest(`the body must be {"payload": ...} with the edited payload, or empty to replay the original`)
	}
	if body.Payload[0] != '"' {
		return body.Payload, nil
	}
	var payload string
	if err := json.Unmarshal(body.Payload, &payload); err != nil {
		return nil, invalidRequest("payload: %v", err)
	}
	return []byte(payload), nil
}
