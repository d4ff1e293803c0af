// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package webhookexporter

import (
	"embed"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/otelcol-fanout/otelcol-fanout/internal/jsontemplate"
)

// presets are templates that users could write as well.
//
//go:embed presets
var presets embed.FS

// templates holds the templates of a configuration. Its methods are safe for concurrent use.
type templates struct {
	// body is nil for formats without a template.
	body *jsontemplate.Tree
	// action and dedupKey are for PagerDuty only.
	action, dedupKey *jsontemplate.Text

	path    []*jsontemplate.Text // by segment
	query   []namedText
	headers []namedText
	// fixedQuery and fixedHeader are the parts without a template. They do not depend on the event,
	// so they are neither in the queue nor in dead letters.
	fixedQuery  url.Values
	fixedHeader http.Header

	content Content
}

type namedText struct {
	name string
	text *jsontemplate.Text
}

func newTemplates(cfg *Config) (*templates, error) {
	t := &templates{content: cfg.Content, fixedQuery: url.Values{}, fixedHeader: http.Header{}}
	var err error
	switch cfg.Format {
	case FormatTemplate:
		t.body, err = jsontemplate.Parse(cfg.Template, "template")
	case FormatSlack, FormatDiscord, FormatTeams, FormatPagerDuty:
		t.body, err = parsePreset(string(cfg.Format))
	}
	if err != nil {
		return nil, err
	}
	if cfg.Format == FormatPagerDuty {
		if err := t.parsePagerDuty(&cfg.PagerDuty); err != nil {
			return nil, err
		}
	}
	if err := t.parseRequest(&cfg.Request); err != nil {
		return nil, err
	}
	return t, nil
}

func parsePreset(name string) (*jsontemplate.Tree, error) {
	text, err := presets.ReadFile("presets/" + name + ".yaml")
	if err != nil {
		return nil, err
	}
	var tree any
	if err := yaml.Unmarshal(text, &tree); err != nil {
		return nil, err
	}
	return jsontemplate.Parse(tree, name)
}

func (t *templates) parseRequest(cfg *RequestConfig) error {
	for i, segment := range segments(cfg.Path) {
		text, err := jsontemplate.ParseText(segment, "request::path")
		if err != nil {
			return fmt.Errorf("%w (in segment %d of the path)", err, i+1)
		}
		if literal, ok := text.Literal(); ok && !isSegment(literal, i == len(segments(cfg.Path))-1) {
			return fmt.Errorf("request::path: segment %d is empty, . or ..; write the path without such segments", i+1)
		}
		t.path = append(t.path, text)
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.Query)) {
		text, err := jsontemplate.ParseText(string(cfg.Query[name]), "request::query::"+name)
		if err != nil {
			return err
		}
		if literal, ok := text.Literal(); !ok {
			t.query = append(t.query, namedText{name, text})
		} else if literal != "" {
			t.fixedQuery.Set(name, literal)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.Headers)) {
		text, err := jsontemplate.ParseText(string(cfg.Headers[name]), "request::headers::"+name)
		if err != nil {
			return err
		}
		if literal, ok := text.Literal(); !ok {
			t.headers = append(t.headers, namedText{name, text})
		} else if value := headerValue(literal); value != "" {
			t.fixedHeader.Set(name, value)
		}
	}
	return nil
}

// segments splits a path at its slashes, but not at those inside a template.
func segments(path string) []string {
	path = strings.TrimPrefix(path, "/")
	if path == "" {
		return nil
	}
	var all []string
	start, inside := 0, false
	for i := range len(path) {
		switch {
		case strings.HasPrefix(path[i:], "{{"):
			inside = true
		case strings.HasPrefix(path[i:], "}}"):
			inside = false
		case path[i] == '/' && !inside:
			all = append(all, path[start:i])
			start = i + 1
		}
	}
	return append(all, path[start:])
}

// hasTarget reports whether the path, query or headers of requests differ from event to event.
func (t *templates) hasTarget() bool { return len(t.path)+len(t.query)+len(t.headers) > 0 }

// appendTarget renders the path, the query and the headers.
func (t *templates) appendTarget(to *target, document map[string]any) error {
	path, err := t.renderPath(document)
	if err != nil {
		return err
	}
	to.path = path
	query := url.Values{}
	for _, q := range t.query {
		value, err := q.text.Render(document)
		if err != nil {
			return err
		}
		if value != "" {
			query.Set(q.name, value)
		}
	}
	to.query = query.Encode()
	for _, h := range t.headers {
		value, err := h.text.Render(document)
		if err != nil {
			return err
		}
		if value = headerValue(value); value != "" {
			to.header = append(to.header, headerField{name: h.name, value: value})
		}
	}
	return nil
}

// errNoPath is the error for an event whose path would lead elsewhere.
var errNoPath = errors.New("request::path: a segment is empty, . or .. for this event; write a default, such as {{ default \"none\" .user.id }}")

func (t *templates) renderPath(document map[string]any) (string, error) {
	var b strings.Builder
	for i, segment := range t.path {
		text, err := segment.Render(document)
		if err != nil {
			return "", err
		}
		if !isSegment(text, i == len(t.path)-1) {
			return "", errNoPath
		}
		b.WriteString("/" + url.PathEscape(text))
	}
	return b.String(), nil
}

// isSegment reports whether the text may stand between two slashes. The last segment may be empty:
// the path then ends in a slash.
func isSegment(text string, isLast bool) bool {
	return text != "." && text != ".." && (text != "" || isLast)
}

// try renders all templates for sample events. It returns only errors that would occur for every
// event.
func (t *templates) try() error {
	for _, document := range t.samples() {
		if err := t.tryOn(document); err != nil {
			return err
		}
	}
	return nil
}

func (t *templates) tryOn(document map[string]any) error {
	if t.body != nil {
		_, err := t.body.Append(nil, document)
		// A value may be of another type in events than in the sample.
		if _, ok := errors.AsType[*jsontemplate.ValueError](err); err != nil && !ok {
			return err
		}
	}
	if t.action != nil {
		if _, err := t.renderPagerDuty(nil, document); err != nil {
			return err
		}
	}
	if err := t.appendTarget(&target{}, document); err != nil && !errors.Is(err, errNoPath) {
		return err
	}
	return nil
}
