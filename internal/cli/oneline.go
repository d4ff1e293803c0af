// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"regexp"
	"strings"

	"github.com/otelcol-fanout/otelcol-fanout/internal/explain"
)

// oneLine returns an error that rewords err, a collector error of possibly several lines, as one line
// that names the file, the line, the component and the key. It wraps err; nil stays nil.
func (s *sources) oneLine(err error) error {
	if err == nil {
		return nil
	}
	return &oneLineError{err: err, sources: s}
}

type oneLineError struct {
	err     error
	sources *sources
}

func (e *oneLineError) Unwrap() error { return e.err }

func (e *oneLineError) Error() string { return explain.Visible(e.text()) }

func (e *oneLineError) text() string {
	if found, ok := errors.AsType[mistakes](e.err); ok {
		return invalid + e.sources.explainAll(found)
	}
	var lines []string
	for line := range strings.Lines(e.err.Error()) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	text := strings.Join(lines, "; ")
	for _, r := range rewordings {
		text = r.pattern.ReplaceAllString(text, r.text)
	}
	return e.sources.explain(rewordTypes(text))
}

// invalid is the beginning of errors about the configuration as a whole.
const invalid = "invalid configuration: "

// rewordings turn the collector's messages about a bad configuration into terms of the YAML that
// the user wrote. They are applied in this order.
var rewordings = []struct {
	pattern *regexp.Regexp
	text    string
}{
	// The header of a list of errors, at every level of the configuration.
	{regexp.MustCompile(`decoding failed due to the following error\(s\):;? ?`), ""},
	{regexp.MustCompile(`^failed to get config: cannot unmarshal the configuration: `), "invalid configuration: "},
	{regexp.MustCompile(`^failed to get config: cannot resolve the configuration: `), "invalid configuration: "},
	{regexp.MustCompile(`^failed to build pipelines: (connectors::)`), "invalid configuration: $1"},
	{regexp.MustCompile(`^failed to build pipelines: connector "([^"]+)" used as (\w+) in \[([^\]]+)\] pipeline but not used in any supported (\w+) pipeline`),
		"invalid configuration: connectors::$1: is among the ${2}s of $3, but among the ${4}s of no pipeline that fits; add it there"},
	{regexp.MustCompile(`cannot convert the confmap\.Conf: `), ""},
	{regexp.MustCompile(`retrieved value \(type=string\) cannot be used as a Conf: assuming string type since contents are not valid YAML: yaml: `), "it is not YAML: "},
	{regexp.MustCompile(`retrieved value \(type=[^)]*\) cannot be used as a Conf`), "it is not a map with receivers, exporters and service at its top"},
	{regexp.MustCompile(`'(\w+)' error reading configuration for "([^"]+)": `), "$1::$2: "},
	{regexp.MustCompile(`in "([^"]+)" id: unknown pipeline signal: "([^"]+)"`), `"$1" is not the name of a pipeline, because "$2" is not a signal; write one such as logs/sentry or traces/sentry`},
	{regexp.MustCompile(`scheme "([^"]+)" is not supported for uri "([^":]+):[^"]*"`), `$${$2:...}: "$1" is not a source of values; write $${env:NAME} or $${file:NAME}`},
	{regexp.MustCompile(`environment variable "([^"]+)" has invalid name: must match regex \S+`), `$${env:$1}: this is not the name of a variable; write letters, digits and _`},
	{regexp.MustCompile(`^failed to build pipelines: cycle detected: (.*)`),
		"invalid configuration: service::pipelines: events would go round in a cycle: $1; remove the last connector from the exporters of a pipeline that it feeds"},
	{regexp.MustCompile(`::: `), ": "},
	// Squashed structs have a name in Go only.
	{regexp.MustCompile(`::(?:delivery|clientconfig|serverconfig|timeoutconfig)(::\w)`), "$1"},
	// Names of Go types, and empty names, mean nothing to a user.
	{regexp.MustCompile(`'(?:\w+\.\w*[A-Z]\w*)?' `), ""},
	{regexp.MustCompile(`has invalid keys: `), "unknown key: "},
	// What remains is the key, relative to the component or to another key.
	{regexp.MustCompile(`'([\w.]+)' '\[([^\s\]]+)\]' `), "'$1::$2' "},
	{regexp.MustCompile(`(\w::[^\s:]+): '([\w:\[\]/-]+)' `), "$1::$2: "},
	{regexp.MustCompile(`(\w::[^\s:]+): '([\w:\[\]/-]+)' `), "$1::$2: "},
	{regexp.MustCompile(`([:;]) '([\w.:\[\]/-]+)' `), "$1 $2: "},
	{regexp.MustCompile(`: time: (?:invalid duration|unknown unit|missing unit in duration)\b[^;]*`), ": is not a duration; write one such as 30s, 5m or 1h"},
	{regexp.MustCompile(`\baddress already in use$`), "address already in use; is another collector running?"},
	{regexp.MustCompile(`: at least one endpoint must be specified`), ": endpoint: is missing; write the URL of the backend, such as https://otlp.example.com (is an environment variable unset?)"},
}
