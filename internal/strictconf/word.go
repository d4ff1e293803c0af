// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package strictconf

import (
	"fmt"
	"slices"
	"strings"
)

// Default sets a word to its default if it is empty, as an empty environment variable leaves it.
func Default[T ~string](word *T, value T) {
	if *word == "" {
		*word = value
	}
}

// CheckWord returns an error that lists the known words, unless word is one of them.
func CheckWord[T ~string](key string, word T, known ...T) error {
	if slices.Contains(known, word) {
		return nil
	}
	words := make([]string, len(known))
	for i := range known {
		words[i] = string(known[i])
	}
	last := len(words) - 1
	return fmt.Errorf("%s: %q is not valid; write %s or %s", key, word, strings.Join(words[:last], ", "), words[last])
}
