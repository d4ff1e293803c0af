// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"fmt"
	"net/http"

	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// project is a Sentry project, identified by one of its DSNs.
type project struct {
	url       string
	publicKey string
	header    http.Header
	limits    limits
	reports   reports
}

// projects are the projects that events may go to. Routing values with the same DSN share a project.
type projects struct {
	attribute string // selects the project; empty if there is only one
	byValue   map[string]*project
	// fallback gets the events with all other values; nil if these are refused.
	fallback *project
}

// newProjects expects a valid configuration.
func newProjects(cfg *Config, client string) *projects {
	byDSN := map[configopaque.String]*project{}
	of := func(text configopaque.String) *project {
		if text == "" {
			return nil
		}
		if p, ok := byDSN[text]; ok {
			return p
		}
		d, err := parseDSN(string(text))
		if err != nil {
			return nil // Validate has refused it
		}
		byDSN[text] = &project{url: d.envelopeURL(), publicKey: d.publicKey, header: http.Header{
			"Content-Type": {"application/x-sentry-envelope"}, "X-Sentry-Auth": {d.auth(client)},
		}}
		return byDSN[text]
	}
	all := &projects{attribute: cfg.Routing.FromAttribute, byValue: map[string]*project{}, fallback: of(cfg.DSN)}
	for value, text := range cfg.Routing.DSNs {
		all.byValue[value] = of(text)
	}
	return all
}

// url returns the URL of the only project; empty if there are several.
func (ps *projects) url() string {
	if len(ps.byValue) > 0 || ps.fallback == nil {
		return ""
	}
	return ps.fallback.url
}

// destination returns the Meta.Destination of an event: its routing value if that has a DSN, else an
// empty string for the fallback.
func (ps *projects) destination(own func(name string) (pcommon.Value, bool), resource pcommon.Map) (string, error) {
	if ps.attribute == "" {
		return "", nil
	}
	value, ok := own(ps.attribute)
	if !ok {
		value, ok = resource.Get(ps.attribute)
	}
	if ok {
		if text := value.AsString(); ps.byValue[text] != nil {
			return text, nil
		}
	}
	if ps.fallback != nil {
		return "", nil
	}
	if !ok {
		return "", fmt.Errorf("has no attribute %s to select a project; set dsn for events without it, and replay", ps.attribute)
	}
	return "", fmt.Errorf("the value of %s has no DSN; add it to routing::dsns, or set dsn for all others, and replay", ps.attribute)
}

// of returns the project of a destination; nil if the configuration has changed and no longer has it.
func (ps *projects) of(destination string) *project {
	if p := ps.byValue[destination]; p != nil {
		return p
	}
	return ps.fallback
}
