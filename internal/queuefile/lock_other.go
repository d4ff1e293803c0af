// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package queuefile

import (
	"errors"
	"os"
)

// errLocked is the error of a file that is locked already.
var errLocked = errors.New("locked")

// lock does nothing: how bbolt locks files on this system is not known.
func lock(*os.File) error { return nil }
