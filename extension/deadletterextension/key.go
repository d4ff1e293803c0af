// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

// digestSize makes it infeasible to construct two dead letters with the same key.
const digestSize = 16

// letterKey is a key's content: the number of the file, and a digest of the line. A file keeps its
// number when it is rewritten, and the line its text.
type letterKey struct {
	file   uint64
	digest [digestSize]byte
}

// keyOf returns the key of a dead letter, from its line without white space at the ends.
func keyOf(file uint64, text []byte) letterKey { return letterKey{file, digestOf(text)} }

func digestOf(text []byte) [digestSize]byte {
	whole := sha256.Sum256(text)
	return [digestSize]byte(whole[:digestSize])
}

func (k letterKey) String() string {
	return strconv.FormatUint(k.file, 10) + "-" + hex.EncodeToString(k.digest[:])
}

var keyForm = regexp.MustCompile(`^(0|[1-9][0-9]{0,17})-([0-9a-f]{32})$`)

func unknownLetter(key deadletter.Key) error {
	return fmt.Errorf("key %q: %w", key, deadletter.ErrUnknownLetter)
}

// parseKey is the inverse of String. A dead letter has only one spelling of its key.
func parseKey(text deadletter.Key) (key letterKey, ok bool) {
	parts := keyForm.FindStringSubmatch(string(text))
	if parts == nil {
		return letterKey{}, false
	}
	file, err := strconv.ParseUint(parts[1], 10, 64)
	if err != nil {
		return letterKey{}, false
	}
	_, err = hex.Decode(key.digest[:], []byte(parts[2]))
	key.file = file
	return key, err == nil
}
