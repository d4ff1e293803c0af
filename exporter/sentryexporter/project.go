// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"fmt"
	"net/http"

	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// project is a Sentry project as one of its DSNs names it.
type project struct {
	url       string
	publicKey string
	header    http.Header
	limits    limits
	// reports are of what was dropped of the project's.
	reports reports
}

// projects are those that events may go to. Routing values with the same DSN share one.
type projects struct {
	attribute string // names the project; empty if there is only one
	byValue   map[string]*project
	// fallback is where all other values go; nil for nowhere.
	fallback *project
}

// newProjects is for a configuration that is valid.
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
			return nil // Validate has looked
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

// destination is what is written into the queue of where an event goes: the routing value where it has a DSN of its own, else
// nothing.
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
		return "", fmt.Errorf("there is no attribute %s to choose a project by; set dsn for what has none", ps.attribute)
	}
	return "", fmt.Errorf("the value of %s has no DSN; add it to routing::dsns, or set dsn for all others, and replay", ps.attribute)
}

// of is the project of a destination; nil where the configuration has changed and no longer knows it.
func (ps *projects) of(destination string) *project {
	if p := ps.byValue[destination]; p != nil {
		return p
	}
	return ps.fallback
}
