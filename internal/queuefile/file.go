// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package queuefile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

// DamagedError is the error of a file that must not be opened as a database.
type DamagedError struct {
	// File is the path of the file.
	File string
	// Problem says what is wrong, such as "page 7: its id is 0".
	Problem string
	// Recreate reports whether the storage's recreate asks to set such a file aside.
	Recreate bool
}

// Error implements error.
func (e *DamagedError) Error() string {
	return fmt.Sprintf("the queue file %s is damaged (%s)", e.File, e.Problem)
}

// InUseError is the error of a file that another process, or another extension, has open.
type InUseError struct {
	// File is the path of the file.
	File string
}

// Error implements error.
func (e *InUseError) Error() string {
	return fmt.Sprintf("the queue file %s is in use by another collector", e.File)
}

// File is an open file of a queue. While it is open, no collector can open it.
type File struct {
	path string
	file *os.File
	// content holds size bytes.
	content io.ReaderAt
	size    int64
}

// Open opens and locks a file. It returns an [InUseError] if a collector has the file open.
func Open(path string) (*File, error) {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	switch {
	case err != nil:
	case !info.Mode().IsRegular():
		err = &fs.PathError{Op: "open", Path: path, Err: errors.New("not a regular file")}
	default:
		if err = lock(file); errors.Is(err, errLocked) {
			err = &InUseError{File: path}
		}
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	// The size counts from now on: another process may have written until the lock was taken.
	if info, err = file.Stat(); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &File{path: path, file: file, content: file, size: info.Size()}, nil
}

// Path returns the path that the file was opened with.
func (f *File) Path() string { return f.path }

// Close unlocks and closes the file.
func (f *File) Close() error { return f.file.Close() }

// lockInterval is the wait before another attempt to lock a file, as in bbolt.
const lockInterval = 50 * time.Millisecond

// OpenWithin is [Open], and waits up to timeout for a lock; 0 means without a limit, as in bbolt.
func OpenWithin(ctx context.Context, path string, timeout time.Duration) (*File, error) {
	begun := time.Now()
	for {
		file, err := Open(path)
		if _, inUse := errors.AsType[*InUseError](err); !inUse || timeout > 0 && time.Since(begun) > timeout-lockInterval {
			return file, err
		}
		select {
		case <-time.After(lockInterval):
		case <-ctx.Done():
			return nil, err
		}
	}
}

// SetAside renames the file to its name with .damaged- and the time added, and returns the new path.
// It never overwrites a file.
func (f *File) SetAside(now time.Time) (string, error) {
	stem := f.path + damagedSuffix + now.UTC().Format("20060102T150405Z")
	target := stem
	for i := 2; exists(target); i++ {
		target = fmt.Sprintf("%s-%d", stem, i)
	}
	return target, f.rename(target)
}

// rename renames the file, which stays locked. Windows renames no open file, so it is closed there.
func (f *File) rename(target string) error {
	if os.Rename(f.path, target) == nil {
		return nil
	}
	_ = f.file.Close()
	return os.Rename(f.path, target)
}

// SetAside opens a file and sets it aside: see [File.SetAside].
func SetAside(path string, now time.Time) (string, error) {
	file, err := Open(path)
	if err != nil {
		return "", err
	}
	target, err := file.SetAside(now)
	return target, errors.Join(err, file.Close())
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil || !errors.Is(err, fs.ErrNotExist)
}
