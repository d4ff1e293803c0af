// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"strings"

	"go.opentelemetry.io/collector/confmap"
)

// mistakes is an error of one line that lists the mistakes in a configuration.
type mistakes []mistake

// mistake is a sentence about a key, which says what to write.
type mistake struct {
	path     []string // exporters, webhook/shop; none for a key at the top
	sentence string
}

func (m mistake) String() string {
	if len(m.path) == 0 {
		return m.sentence
	}
	return strings.Join(m.path, confmap.KeyDelimiter) + ": " + m.sentence
}

func (m mistakes) Error() string {
	lines := make([]string, len(m))
	for i := range m {
		lines[i] = m[i].String()
	}
	return strings.Join(lines, "; ")
}

// at returns a mistake at a path.
func at(path []string, format string, values ...any) mistake {
	return mistake{path: path, sentence: fmt.Sprintf(format, values...)}
}
