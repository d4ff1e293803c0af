// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"fmt"
	"os"
	"regexp"
	"strings"

	"go.opentelemetry.io/collector/confmap"
)

var (
	// mistakePath matches the path with which a mistake begins: exporters::webhook/shop or, in
	// messages of the collector, service.pipelines[logs].receivers.
	mistakePath = regexp.MustCompile(`(^|[:;] )((?:receivers|processors|exporters|connectors|extensions|service)(?:::[^\s:]+|[.\[][\w.\[\]/-]+)*): `)
	// mistakeKey matches the key below that path: sending_queue::batch.
	mistakeKey  = regexp.MustCompile(`^([\w/-]+(?:(?:::|\.)[\w/-]+|\[[^\]\s]*\])*): `)
	mistakenKey = regexp.MustCompile(`^unknown key:? "?([^\s";]+)"?`)

	variable = regexp.MustCompile(`\$\{(?:env:)?([A-Za-z_]\w*)(:-[^{}]*)?\}`)
	// expansion matches messages about a variable, which do not say where it is.
	expansion = regexp.MustCompile(`^` + invalid + `\$\{([^}]+)\}`)
	// inclusion matches messages about a file that another one includes.
	inclusion = regexp.MustCompile(`^` + invalid + `unable to read the file (file:[^\s:]+)`)
)

const (
	notYAML  = invalid + "it is not YAML: "
	notAtTop = invalid + "it is not a map"
	isUnset  = " (is an environment variable unset?)"
)

// explain adds to each mistake in an error the file and the line, and names the variable that has no
// value. The error stays as it is where it is about something else.
func (s *sources) explain(text string) string {
	if strings.HasPrefix(text, notYAML) || strings.HasPrefix(text, notAtTop) {
		return s.explainSyntax(text)
	}
	var out strings.Builder
	found := mistakePath.FindAllStringSubmatchIndex(text, -1)
	for i, match := range found {
		start, end := match[4], len(text)
		if i == 0 {
			out.WriteString(cmp.Or(text[:start], invalid)) // validate lacks these words
		}
		if i+1 < len(found) {
			end = found[i+1][4]
		}
		mistake, isFollowed := strings.CutSuffix(text[start:end], "; ")
		out.WriteString(s.explainMistake(mistake, text[match[4]:match[5]]))
		if isFollowed {
			out.WriteString("; ")
		}
	}
	if len(found) == 0 {
		return s.explainVariable(text)
	}
	return out.String()
}

// explainSyntax explains why the last document could not be read.
func (s *sources) explainSyntax(text string) string {
	d := s.last()
	if d == nil {
		return text
	}
	if mistake := d.syntaxError(); mistake != "" {
		return invalid + mistake
	}
	return invalid + d.at(0) + strings.TrimPrefix(text, invalid)
}

// explainVariable adds where a variable is that an error is about.
func (s *sources) explainVariable(text string) string {
	match := expansion.FindStringSubmatch(text)
	if match == nil {
		match = inclusion.FindStringSubmatch(text)
	}
	if match == nil {
		return text
	}
	name := strings.TrimSuffix(match[1], "...")
	prefix := cmp.Or(s.findText("${"+name).prefix(), s.findText("${"+strings.TrimPrefix(name, "env:")).prefix())
	return invalid + prefix + strings.TrimPrefix(text, invalid)
}

// explainAll explains mistakes in one line.
func (s *sources) explainAll(found mistakes) string {
	lines := make([]string, len(found))
	for i, m := range found {
		lines[i] = s.explainMistake(m.String(), strings.Join(m.path, confmap.KeyDelimiter))
	}
	return strings.Join(lines, "; ")
}

// explainMistake explains one mistake, which begins with the path, if it has one.
func (s *sources) explainMistake(mistake, path string) string {
	keys := splitPath(path)
	rest := strings.TrimPrefix(mistake[len(path):], ": ")
	for _, key := range []*regexp.Regexp{mistakenKey, mistakeKey} {
		if match := key.FindStringSubmatch(rest); match != nil {
			keys = append(keys, splitKeys(match[1])...)
			break
		}
	}
	at := s.find(keys)
	before, after, _ := strings.Cut(mistake, isUnset)
	cause := unsetVariable(at.text(keys))
	if cause == "" || strings.Contains(before, "environment variable") {
		return at.prefix() + before + after
	}
	return at.prefix() + before + " (" + cause + ")" + after
}

// splitPath splits the path of a component, whose name may contain a period, or of a key.
func splitPath(path string) []string {
	section, rest, isComponent := strings.Cut(path, confmap.KeyDelimiter)
	if !isComponent || section == "service" {
		return splitKeys(path)
	}
	id, rest, hasKey := strings.Cut(rest, confmap.KeyDelimiter)
	if !hasKey {
		return []string{section, id}
	}
	return append([]string{section, id}, splitKeys(rest)...)
}

// splitKeys splits a::b, and a.b[c] as the collector writes it.
func splitKeys(path string) []string {
	path = strings.ReplaceAll(path, confmap.KeyDelimiter, ".")
	return strings.FieldsFunc(path, func(r rune) bool { return strings.ContainsRune(".[]", r) })
}

// unsetVariable says which variable or file in the text has no content; it is empty if
// there is none.
func unsetVariable(text string) string {
	if file, isFile := strings.CutPrefix(text, "${file:"); isFile {
		return fmt.Sprintf("the file %s is empty", strings.TrimSuffix(file, "}"))
	}
	for _, match := range variable.FindAllStringSubmatch(text, -1) {
		switch value, isSet := os.LookupEnv(match[1]); {
		case match[2] != "" && match[2] != ":-": // it has a default
		case !isSet:
			return fmt.Sprintf("the environment variable %s is not set", match[1])
		case value == "":
			return fmt.Sprintf("the environment variable %s is empty", match[1])
		}
	}
	return ""
}
