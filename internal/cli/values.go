// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/xconfmap"
)

var (
	// shellVariable matches a variable as a shell has it: $TOKEN at the beginning, or after a space or
	// a delimiter. Lower case is for names of events, such as $pageview; $$ stands for $.
	shellVariable = regexp.MustCompile(`(?:^|[\s:/@=])\$\(?([A-Z][A-Z0-9_]+)\b`)
	variableName  = regexp.MustCompile(`^\w*`)
	// unsetFolder matches a path that begins with a variable.
	unsetFolder = regexp.MustCompile(`^\$\{(?:env:)?([A-Za-z_]\w*)(?::-)?\}(/.*)$`)
)

// variableMistakes returns the values with a variable that the collector does not replace, and the
// directories that begin with one that is not set.
func (s *sources) variableMistakes(root map[string]any) []mistake {
	var found []mistake
	walk(nil, root, func(path []string, _ any) {
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
	walk(nil, root, func(path []string, _ any) {
		for _, match := range variable.FindAllStringSubmatch(s.find(path).text(path), -1) {
			if _, isSet := os.LookupEnv(match[1]); !isSet && match[2] == "" {
				found = append(found, at(path, "the environment variable %s is not set; set it, or write a default: ${env:%[1]s:-...}", match[1]))
			}
		}
	})
	return found
}

// variableMistake returns a sentence about the text that is written for a key; empty if it is right.
// Of the text, which may be a secret, it repeats only the name of a variable.
func variableMistake(key, text string) string {
	if begin := strings.LastIndex(text, "${"); begin >= 0 && !strings.Contains(text[begin:], "}") && !strings.HasSuffix(text[:begin], "$") {
		return fmt.Sprintf("${ is not closed; write ${env:%s}, or $${ for this text itself", nameIfSet(variableName.FindString(strings.TrimPrefix(text[begin+2:], "env:"))))
	}
	if match := shellVariable.FindStringSubmatch(text); match != nil {
		return fmt.Sprintf("$%s is not replaced by an environment variable; write ${env:%[1]s}, or $$%[1]s for this text itself", nameIfSet(match[1]))
	}
	if match := unsetFolder.FindStringSubmatch(text); match != nil && key == "directory" && os.Getenv(match[1]) == "" {
		return fmt.Sprintf("the environment variable %s is not set, so this is %s; set it, or write a folder for that case: ${env:%[1]s:-/var/lib/otelcol-fanout}%[2]s", match[1], match[2])
	}
	return ""
}

// nameIfSet returns the name if an environment variable has it, and NAME otherwise.
func nameIfSet(name string) string {
	if _, isSet := os.LookupEnv(name); !isSet {
		return "NAME"
	}
	return name
}

// walk visits each value that is neither a map nor a list, in the order of keys.
func walk(path []string, value any, visit func(path []string, value any)) {
	switch v := value.(type) {
	case xconfmap.ExpandedValue: // in a section that is included
		walk(path, v.Value, visit)
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			walk(append(slices.Clone(path), strings.Split(key, confmap.KeyDelimiter)...), v[key], visit)
		}
	case []any:
		for i, item := range v {
			walk(append(slices.Clone(path), strconv.Itoa(i)), item, visit)
		}
	default:
		visit(path, value)
	}
}
