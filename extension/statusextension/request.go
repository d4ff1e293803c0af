// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	defaultLimit = 100
	maxLimit     = 1000
)

// parameters are the query parameters of a request. The methods note the first invalid one, which err
// returns.
type parameters struct {
	values url.Values
	failed error
}

// withoutParameters returns a request without some query parameters.
func withoutParameters(r *http.Request, names []string) *http.Request {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil || len(names) == 0 {
		return r
	}
	for _, name := range names {
		values.Del(name)
	}
	stripped := r.Clone(r.Context())
	stripped.URL.RawQuery = values.Encode()
	return stripped
}

// query reads the query parameters. It refuses unknown and repeated ones: ignoring a mistyped
// "reason" would delete everything.
func query(r *http.Request, known ...string) (*parameters, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, badRequest("malformed query; write percent-encoded name=value pairs separated by &")
	}
	for name, given := range values {
		switch {
		case !slices.Contains(known, name):
			return nil, badRequest("unknown parameter %q; valid parameters: %s", shorten(name), cmp.Or(strings.Join(known, ", "), "none"))
		case len(given) > 1:
			return nil, badRequest("%s: is given %d times; give it once", name, len(given))
		}
	}
	return &parameters{values: values}, nil
}

// err returns the error of the first invalid parameter.
func (p *parameters) err() error { return p.failed }

func (p *parameters) fail(format string, args ...any) {
	if p.failed == nil {
		p.failed = badRequest(format, args...)
	}
}

func (p *parameters) text(name string) string { return p.values.Get(name) }

// list reads values separated by commas.
func (p *parameters) list(name string) []string {
	if p.values.Get(name) == "" {
		return nil
	}
	items := strings.Split(p.values.Get(name), ",")
	for i, item := range items {
		items[i] = strings.TrimSpace(item)
		if items[i] == "" {
			p.fail("%s: an item is empty; separate values by one comma", name)
		}
	}
	return items
}

// choices reads values separated by commas, each of which must be a valid one.
func (p *parameters) choices(name string, valid ...string) []string {
	items := p.list(name)
	for _, item := range items {
		if !slices.Contains(valid, item) {
			p.fail("%s: %q is not a choice; valid are %s, several separated by commas", name, shorten(item), strings.Join(valid, ", "))
		}
	}
	return items
}

// number reads a number within bounds, which is absent if it is not given.
func (p *parameters) number(name string, absent, least, most int) int {
	if !p.values.Has(name) {
		return absent
	}
	n, err := strconv.Atoi(p.values.Get(name))
	if err != nil || n < least || n > most {
		p.fail("%s: must be a number from %d to %d", name, least, most)
	}
	return n
}

// status reads an HTTP status; 0 if it is not given.
func (p *parameters) status() int { return p.number("status", 0, 100, 599) }

func (p *parameters) flag(name string) bool {
	if !p.values.Has(name) {
		return false
	}
	value, err := strconv.ParseBool(p.values.Get(name))
	if err != nil {
		p.fail("%s: must be true or false", name)
	}
	return value
}

// duration reads a duration from 0 to most, such as 30s.
func (p *parameters) duration(name string, absent, most time.Duration) time.Duration {
	if !p.values.Has(name) {
		return absent
	}
	value, err := time.ParseDuration(p.values.Get(name))
	if err != nil || value < 0 || value > most {
		p.fail("%s: must be a duration from 0s to %s, such as 30s", name, most)
	}
	return value
}

// time reads a time; zero if it is not given.
func (p *parameters) time(name string) time.Time {
	if !p.values.Has(name) {
		return time.Time{}
	}
	value, err := time.Parse(time.RFC3339, p.values.Get(name))
	if err != nil {
		p.fail("%s: must be a time such as 2026-01-31T12:00:00Z", name)
	}
	return value
}

// readError returns the response for a body that cannot be read.
func readError(err error) error {
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return apiErrorf(http.StatusRequestEntityTooLarge, "the body is larger than %d bytes", tooLarge.Limit)
	}
	return badRequest("cannot read the body: the connection ended, or its encoding is invalid")
}

// shorten cuts what a client sent before an error repeats it.
func shorten(text string) string { return cut(text, 128) }
