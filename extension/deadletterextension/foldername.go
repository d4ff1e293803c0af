// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

const (
	// maxFolderName is well within the 255 bytes that file systems allow.
	maxFolderName = 200
	// digestMark precedes the digest of an id that is too long. No escaped byte looks like it.
	digestMark   = "%-"
	digestPrefix = 100
	digestLength = 32
)

// folderName returns the name of an exporter's folder: its id with every byte except a-z, 0-9, '_',
// '-' and inner dots written as %XX. No two ids share a folder, even on a case-insensitive file
// system.
func folderName(id string) string {
	name := escapeID(id)
	if name != "" && len(name) <= maxFolderName {
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

// exporterID returns the id in a folder's name. It is empty if the id was too long for a name; ok
// is false if the folder was not created by this extension.
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
