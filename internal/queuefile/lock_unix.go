// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package queuefile

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// errLocked is the error of a file that is locked already.
var errLocked = errors.New("locked")

// lock locks a file in the way of bbolt, until it is closed.
func lock(file *os.File) error {
	err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return errLocked
	}
	return err
}
