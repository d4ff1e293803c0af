// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package strictconf

import (
	"fmt"
	"slices"
	"strings"
)

// Default sets a word that is empty, which is what an environment variable that is set to nothing leaves, to its default.
func Default[T ~string](word *T, value T) {
	if *word == "" {
		*word = value
	}
}

// CheckWord returns an error that names the key and the words that it takes where word is none of them.
func CheckWord[T ~string](key string, word T, known ...T) error {
	if slices.Contains(known, word) {
		return nil
	}
	words := make([]string, len(known))
	for i := range known {
		words[i] = string(known[i])
	}
	return fmt.Errorf("%s: %q is not one of its words; write %s", key, word, strings.Join(words, " or "))
}
