// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/confmap"
)

var (
	// shellVariable matches a variable as a shell has it: $TOKEN at the beginning, or after a space or
	// a delimiter. Lower case is for names of events, such as $pageview; $$ stands for $.
	shellVariable = regexp.MustCompile(`(?:^|[\s:/@=])\$\(?([A-Z][A-Z0-9_]+)\b`)
	// unsetFolder matches a path that begins with a variable.
	unsetFolder = regexp.MustCompile(`^\$\{(?:env:)?([A-Za-z_]\w*)(?::-)?\}(/.*)$`)
)

// variableMistakes returns the values with a variable that the collector does not replace, and the
// directories that begin with one that is not set.
func (s *sources) variableMistakes(root map[string]any) []mistake {
	var found []mistake
	walk(nil, root, func(path []string) {
		text := s.find(path).text(path)
		if sentence := variableMistake(path[len(path)-1], text); sentence != "" {
			found = append(found, at(path, "%s", sentence))
		}
	})
	return found
}

// unsetVariables returns the values with a variable that is not set and has no default.
func (s *sources) unsetVariables(root map[string]any) []mistake {
	var found []mistake
	walk(nil, root, func(path []string) {
		for _, match := range variable.FindAllStringSubmatch(s.find(path).text(path), -1) {
			if _, isSet := os.LookupEnv(match[1]); !isSet && match[2] == "" {
				found = append(found, at(path, "the environment variable %s is not set; set it, or write a default: ${env:%[1]s:-...}", match[1]))
			}
		}
	})
	return found
}

// variableMistake returns a sentence about the text that is written for a key; empty if it is right.
func variableMistake(key, text string) string {
	if !strings.Contains(text, "$") {
		return ""
	}
	if unclosed := unclosedVariable(text); unclosed != "" {
		return unclosed + " is not closed; write " + unclosed + "}"
	}
	if match := shellVariable.FindStringSubmatch(text); match != nil {
		return "$" + match[1] + " is not replaced by the environment variable; write ${env:" + match[1] + "}, or $$" + match[1] + " for this text itself"
	}
	if match := unsetFolder.FindStringSubmatch(text); match != nil && key == "directory" && os.Getenv(match[1]) == "" {
		return "the environment variable " + match[1] + " is not set, so this is " + match[2] +
			"; set it, or write a folder for that case: ${env:" + match[1] + ":-/var/lib/otelcol-fanout}" + match[2]
	}
	return ""
}

// unclosedVariable returns the beginning of a variable without a closing brace, such as ${env:TOKEN.
func unclosedVariable(text string) string {
	open := strings.LastIndex(text, "${")
	if open < 0 || strings.Contains(text[open:], "}") || strings.HasSuffix(text[:open], "$") {
		return ""
	}
	name := strings.TrimPrefix(text[open:], "${")
	name = strings.TrimPrefix(name, "env:")
	end := strings.IndexFunc(name, func(r rune) bool { return !isNameRune(r) })
	if end < 0 {
		end = len(name)
	}
	return "${env:" + name[:end]
}

func isNameRune(r rune) bool {
	return r == '_' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'
}

// walk visits each value that is neither a map nor a list, in the order of keys.
func walk(path []string, value any, visit func(path []string)) {
	switch v := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			walk(append(slices.Clone(path), strings.Split(key, confmap.KeyDelimiter)...), v[key], visit)
		}
	case []any:
		for i, item := range v {
			walk(append(slices.Clone(path), strconv.Itoa(i)), item, visit)
		}
	default:
		visit(path)
	}
}
