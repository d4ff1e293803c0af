// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package queuefile

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"go.opentelemetry.io/collector/component"
)

// Queue is whose queue a file holds.
type Queue struct {
	Exporter component.ID
	// Signal is logs, traces, metrics or profiles.
	Signal string
}

// signals are the names of exporterhelper's queues.
func signals() []string { return []string{"logs", "traces", "metrics", "profiles"} }

const (
	exporterPrefix = "exporter_"
	damagedSuffix  = ".damaged-"
)

// Path returns the path of the file in which file_storage keeps what a component stores under a name;
// for an exporter's queue the name is the signal.
func Path(directory string, kind component.Kind, id component.ID, name string) string {
	raw := strings.ToLower(kind.String()) + "_" + id.Type().String() + "_" + id.Name()
	if name != "" {
		raw += "_" + name
	}
	raw = sanitize(raw)
	path := filepath.Join(directory, raw)
	if _, err := os.Lstat(path); errors.Is(err, syscall.ENAMETOOLONG) {
		digest := sha256.Sum256([]byte(raw))
		return filepath.Join(directory, hex.EncodeToString(digest[:]))
	}
	return path
}

// Path returns the path of the queue's file.
func (q Queue) Path(directory string) string {
	return Path(directory, component.KindExporter, q.Exporter, q.Signal)
}

// sanitize writes each unsafe character as a tilde and its number.
func sanitize(name string) string {
	var b strings.Builder
	for _, r := range name {
		if isSafe(r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "~%04X", r)
		}
	}
	return b.String()
}

func isSafe(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' || r == '_'
}

// ParseName returns whose queue a file holds, by the file's name. An exporter's type may contain
// underscores; isType, which may be nil, reports whether there is such a type, and the longest wins.
func ParseName(file string, isType func(component.Type) bool) (Queue, bool) {
	rest, ok := strings.CutPrefix(file, exporterPrefix)
	end := strings.LastIndexByte(rest, '_')
	if !ok || end < 0 || !slices.Contains(signals(), rest[end+1:]) {
		return Queue{}, false
	}
	var likely Queue
	for i := end - 1; i > 0; i-- {
		if rest[i] != '_' {
			continue
		}
		id, ok := newID(rest[:i], unsanitize(rest[i+1:end]))
		if !ok {
			continue
		}
		q := Queue{Exporter: id, Signal: rest[end+1:]}
		if isType != nil && isType(id.Type()) {
			return q, true
		}
		// Without knowing the types: one without a name, else the shortest.
		if likely.Signal == "" || likely.Exporter.Name() != "" {
			likely = q
		}
	}
	return likely, likely.Signal != ""
}

func newID(kind, name string) (component.ID, bool) {
	text := kind
	if name != "" {
		text += "/" + name
	}
	var id component.ID
	return id, id.UnmarshalText([]byte(text)) == nil
}

// unsanitize reverses sanitize, for characters with a number of four digits.
func unsanitize(name string) string {
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		if name[i] == '~' && i+5 <= len(name) {
			if r, err := strconv.ParseUint(name[i+1:i+5], 16, 16); err == nil {
				b.WriteRune(rune(r))
				i += 4
				continue
			}
		}
		b.WriteByte(name[i])
	}
	return b.String()
}
