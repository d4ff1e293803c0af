// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

const (
	// longestFolderName leaves room within the 255 bytes that file systems take.
	longestFolderName = 200
	// digestMark stands before the digest of an id that is too long; no escaped byte looks like it.
	digestMark   = "%-"
	digestPrefix = 100
	digestLength = 32
)

// folderName is the name of an exporter's folder: its id, with every byte but a-z, 0-9, '_', '-' and inner dots
// written as %XX, so that no two ids share a folder, not even where the file system does not tell A from a.
func folderName(id string) string {
	name := escapeID(id)
	if name != "" && len(name) <= longestFolderName {
		return name
	}
	digest := sha256.Sum256([]byte(id))
	return name[:min(len(name), digestPrefix)] + digestMark + hex.EncodeToString(digest[:digestLength/2])
}

func escapeID(id string) string {
	const hexDigits = "0123456789ABCDEF"
	name := make([]byte, 0, len(id)+8)
	for i := range len(id) {
		c := id[i]
		inner := i > 0 && i < len(id)-1
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.' && inner {
			name = append(name, c)
			continue
		}
		name = append(name, '%', hexDigits[c>>4], hexDigits[c&15])
	}
	return string(name)
}

// exporterID is the id that a folder was named after. It is empty for one that was too long; ok is false for a folder
// that we did not name.
func exporterID(name string) (id string, ok bool) {
	if at := len(name) - digestLength - len(digestMark); at >= 0 && strings.HasPrefix(name[at:], digestMark) {
		_, err := hex.DecodeString(name[at+len(digestMark):])
		return "", err == nil
	}
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		if name[i] != '%' {
			b.WriteByte(name[i])
			continue
		}
		if i+2 >= len(name) {
			return "", false
		}
		c, err := hex.DecodeString(name[i+1 : i+3])
		if err != nil {
			return "", false
		}
		b.Write(c)
		i += 2
	}
	return b.String(), folderName(b.String()) == name
}
