// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package deadletterextension

import (
	"os"
	"path/filepath"
)

// lockDirectory does not lock: this system has no flock.
func lockDirectory(directory string) (*os.File, error) {
	return os.OpenFile(filepath.Join(directory, lockName), os.O_CREATE|os.O_RDWR, fileMode)
}
