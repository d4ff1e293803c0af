// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package queuefile

import (
	"errors"
	"math"
	"os"

	"golang.org/x/sys/windows"
)

// errLocked is the error of a file that is locked already.
var errLocked = errors.New("locked")

// lock locks a file in the way of bbolt, until it is closed.
func lock(file *os.File) error {
	err := windows.LockFileEx(windows.Handle(file.Fd()), windows.LOCKFILE_FAIL_IMMEDIATELY|windows.LOCKFILE_EXCLUSIVE_LOCK, 0, 1, 0,
		&windows.Overlapped{Offset: math.MaxUint32, OffsetHigh: math.MaxUint32})
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return errLocked
	}
	return err
}
