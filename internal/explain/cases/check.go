// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package cases

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/otelcol-fanout/otelcol-fanout/internal/explain"
)

// Outcome says whether a case holds.
type Outcome struct {
	Name string
	// Place is the file and the line of the case.
	Place string
	// Failures say what does not hold, each in one or more lines.
	Failures []string
	Took     time.Duration
}

// Run runs the cases of a file one after another. An error is about the configuration or the file, and
// has one line.
func (f *File) Run(ctx context.Context, set explain.Settings) ([]Outcome, error) {
	outcomes := make([]Outcome, 0, len(f.Cases))
	for i := range f.Cases {
		c := &f.Cases[i]
		began := time.Now()
		in, err := c.input()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.place(c), err)
		}
		result, err := explain.Run(ctx, set, in)
		if _, ok := errors.AsType[explain.InputError](err); ok {
			return nil, fmt.Errorf("%s: %w", f.place(c), err)
		}
		if err != nil {
			return nil, err
		}
		failures, err := c.check(result)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.place(c), err)
		}
		outcomes = append(outcomes, Outcome{Name: c.Name, Place: f.place(c), Failures: failures, Took: time.Since(began)})
	}
	return outcomes, nil
}

// check returns what does not hold. Its error is for a backend that the configuration does not have.
func (c *Case) check(result *explain.Result) ([]string, error) {
	backends := map[string]*explain.Backend{}
	for i := range result.Backends {
		backends[result.Backends[i].ID] = &result.Backends[i]
	}
	var failures []string
	for _, id := range slices.Concat(c.DeliveredTo, c.NotDeliveredTo, slices.Sorted(maps.Keys(c.Requests))) {
		if backends[id] == nil {
			return nil, fmt.Errorf("no pipeline has an exporter %q, or it is off; write one of %s", id, strings.Join(slices.Sorted(maps.Keys(backends)), ", "))
		}
	}
	for _, id := range c.DeliveredTo {
		if b := backends[id]; b.Delivered == 0 {
			failures = append(failures, fmt.Sprintf("%s must get the event, but does not%s", id, because(b)))
		}
	}
	for _, id := range c.NotDeliveredTo {
		if b := backends[id]; b.Delivered > 0 {
			failures = append(failures, fmt.Sprintf("%s must not get the event, but does%s", id, shown(b)))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(c.Requests)) {
		failures = append(failures, c.Requests[id].check(id, backends[id])...)
	}
	return failures, nil
}

// because says why a backend gets nothing.
func because(b *explain.Backend) string {
	var reasons []string
	if b.Why != "" {
		reasons = append(reasons, b.Why)
	}
	if b.Error != "" {
		reasons = append(reasons, b.Error)
	}
	for _, s := range b.Skipped {
		reasons = append(reasons, "skipped: "+s.Reason)
	}
	for _, r := range b.Refused {
		reasons = append(reasons, "refused: "+r.Reason+": "+r.Message)
	}
	if len(reasons) == 0 {
		return ""
	}
	return ": " + strings.Join(reasons, "; ")
}

// shown returns the first body that a backend gets.
func shown(b *explain.Backend) string {
	requests := requestsOf(b)
	if len(requests) == 0 {
		return ""
	}
	return ":\n" + explain.Pretty(requests[0].Body)
}

// requestsOf returns the requests with events; a handshake has none.
func requestsOf(b *explain.Backend) []*explain.Request {
	var found []*explain.Request
	for i := range b.Requests {
		if b.Requests[i].Method != http.MethodOptions {
			found = append(found, &b.Requests[i])
		}
	}
	return found
}

func (e Expectations) check(id string, b *explain.Backend) []string {
	requests := requestsOf(b)
	var failures []string
	for i := range e {
		name := id
		if len(e) > 1 {
			name = fmt.Sprintf("%s, request %d", id, i+1)
		}
		if i >= len(requests) {
			return append(failures, name+": there is no such request"+because(b))
		}
		for _, failure := range e[i].check(requests[i]) {
			failures = append(failures, name+": "+failure)
		}
	}
	if len(e) > 1 && len(requests) > len(e) {
		failures = append(failures, fmt.Sprintf("%s: there are %d requests, and %d are expected", id, len(requests), len(e)))
	}
	return failures
}

func (e *Expectation) check(r *explain.Request) []string {
	var failures []string
	if e.Method != "" && e.Method != r.Method {
		failures = append(failures, "the method differs:"+diff(e.Method, r.Method))
	}
	if e.URL != "" && e.URL != r.URL {
		failures = append(failures, "the URL differs:"+diff(e.URL, r.URL))
	}
	for _, name := range slices.Sorted(maps.Keys(e.Headers)) {
		if got := strings.Join(r.Headers.Values(name), ", "); got != e.Headers[name] {
			failures = append(failures, fmt.Sprintf("the header %s differs:%s", name, diff(e.Headers[name], got)))
		}
	}
	for _, name := range e.HasHeaders {
		if len(r.Headers.Values(name)) == 0 {
			failures = append(failures, fmt.Sprintf("there is no header %s", name))
		}
	}
	if len(e.Body)+len(e.Absent) == 0 {
		return failures
	}
	body, err := valueOf(r.Body)
	if err != nil {
		return append(failures, err.Error())
	}
	return append(failures, e.checkBody(body)...)
}

func (e *Expectation) checkBody(body any) []string {
	var failures []string
	for _, pointer := range slices.Sorted(maps.Keys(e.Body)) {
		want, err := wanted(e.Body[pointer])
		if err != nil {
			failures = append(failures, fmt.Sprintf("%s: %v", pointer, err))
			continue
		}
		got, ok := find(body, pointer)
		switch {
		case !ok:
			failures = append(failures, fmt.Sprintf("%s is missing:%s", pointer, diff(pretty(want), "")))
		case !equal(want, got):
			failures = append(failures, fmt.Sprintf("%s differs:%s", pointer, diff(pretty(want), pretty(got))))
		}
	}
	for _, pointer := range e.Absent {
		if got, ok := find(body, pointer); ok {
			failures = append(failures, fmt.Sprintf("%s must be absent:%s", pointer, diff("", pretty(got))))
		}
	}
	return failures
}

func wanted(node yaml.Node) (any, error) {
	text, err := toJSON(&node)
	if err != nil {
		return nil, err
	}
	return decode(text)
}
