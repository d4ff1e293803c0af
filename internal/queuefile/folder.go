// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package queuefile

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"go.opentelemetry.io/collector/component"
)

// Report describes a file of a directory.
type Report struct {
	Queue
	Contents

	File string // its path
	// Problem is a [DamagedError], an [InUseError] or another error, or nil if the file is sound.
	Problem error
}

// List describes the queues of a directory, by name, without those whose path skip accepts. isType
// is that of [ParseName], and skip may be nil.
func List(ctx context.Context, directory string, isType func(component.Type) bool, skip func(path string) bool) ([]Report, error) {
	entries, err := os.ReadDir(directory)
	if err != nil {
		return nil, err
	}
	var reports []Report
	for _, entry := range entries {
		queue, ok := ParseName(entry.Name(), isType)
		if !ok || !entry.Type().IsRegular() {
			continue
		}
		path := filepath.Join(directory, entry.Name())
		if skip != nil && skip(path) {
			continue
		}
		report := inspect(ctx, queue, path)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if !errors.Is(report.Problem, fs.ErrNotExist) { // else it went meanwhile
			reports = append(reports, report)
		}
	}
	return reports, nil
}

func inspect(ctx context.Context, queue Queue, path string) Report {
	report := Report{Queue: queue, File: path}
	file, err := Open(path)
	if err != nil {
		report.Problem = err
		return report
	}
	defer func() { _ = file.Close() }()
	report.Contents, report.Problem = file.Contents(ctx, queue.Signal)
	return report
}

// Moved is a queue that was moved or dropped.
type Moved struct {
	Signal string
	Events int
	File   string // the path of the file as it was
	// Damaged reports whether the file is damaged; how many events it held is then unknown.
	Damaged bool
}

// Move makes the queues of an exporter those of another one. It moves all of them or none: not if a
// file is damaged or in use, nor if the other exporter has a queue with events in it.
func Move(ctx context.Context, directory string, from, to component.ID) ([]Moved, error) {
	if from.Type() != to.Type() {
		return nil, fmt.Errorf("%s and %s are exporters of two types: what is queued is in the format of %s; deliver it with an exporter of that type", from, to, from.Type())
	}
	if from == to {
		return nil, fmt.Errorf("%s: is both; name two exporters", from)
	}
	files, err := openAll(directory, from)
	if err != nil {
		return nil, err
	}
	defer closeAll(files)
	var replaced []signalFile
	defer func() { closeAll(replaced) }()
	moved := make([]Moved, 0, len(files))
	for _, f := range files {
		contents, err := f.Contents(ctx, f.signal)
		if err != nil {
			return nil, err
		}
		target, err := openEmpty(ctx, Queue{to, f.signal}.Path(directory), f.signal)
		if err != nil {
			return nil, err
		}
		if target != nil {
			replaced = append(replaced, signalFile{target, f.signal})
		}
		moved = append(moved, Moved{Signal: f.signal, Events: contents.Events, File: f.Path()})
	}
	for i, f := range files {
		if err := f.rename(Queue{to, f.signal}.Path(directory)); err != nil {
			return moved[:i], err
		}
	}
	return moved, nil
}

// openEmpty opens the file of a queue that will be replaced, or returns nil if there is none. A queue
// with events in it is an error.
func openEmpty(ctx context.Context, path, signal string) (*File, error) {
	file, err := Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // there is no file
	}
	if err != nil {
		return nil, err
	}
	contents, err := file.Contents(ctx, signal)
	if err == nil && contents.Requests > 0 {
		err = fmt.Errorf("the queue file %s already holds %d events; start the collector to deliver them, or drop them, then move again", path, contents.Events)
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}

// Drop deletes the queues of an exporter, damaged ones too. It deletes all of them, or none if one is
// in use.
func Drop(ctx context.Context, directory string, exporter component.ID) ([]Moved, error) {
	files, err := openAll(directory, exporter)
	if err != nil {
		return nil, err
	}
	defer closeAll(files)
	dropped := make([]Moved, 0, len(files))
	for _, f := range files {
		contents, err := f.Contents(ctx, f.signal)
		_, damaged := errors.AsType[*DamagedError](err)
		if err != nil && !damaged {
			return nil, err
		}
		dropped = append(dropped, Moved{Signal: f.signal, Events: contents.Events, File: f.Path(), Damaged: damaged})
	}
	for i, f := range files {
		if err := f.remove(); err != nil {
			return dropped[:i], err
		}
	}
	return dropped, nil
}

type signalFile struct {
	*File

	signal string
}

// openAll opens the files of all queues of an exporter; it has at least one.
func openAll(directory string, exporter component.ID) ([]signalFile, error) {
	var files []signalFile
	for _, signal := range signals() {
		file, err := Open(Queue{exporter, signal}.Path(directory))
		switch {
		case err == nil:
			files = append(files, signalFile{file, signal})
		case !errors.Is(err, fs.ErrNotExist):
			closeAll(files)
			return nil, err
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s has no queue in %s; see: queues list", exporter, directory)
	}
	return files, nil
}

func closeAll(files []signalFile) {
	for _, f := range files {
		_ = f.Close()
	}
}

// remove deletes the file. Windows deletes no open file, so it is closed there first.
func (f *File) remove() error {
	if err := os.Remove(f.path); err == nil || errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.path))
}
