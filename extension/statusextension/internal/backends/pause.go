// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

// Errors of [Registry.SetPaused].
var (
	// ErrUnknown: no exporter with this id has started.
	ErrUnknown = errors.New("no exporter with this id has started")
	// ErrCannotPause: the exporter cannot be paused.
	ErrCannotPause = errors.New("the exporter cannot be paused")
	// ErrNotKept: the exporter is paused or resumed, but the collector forgets it when it restarts.
	ErrNotKept = errors.New("done, but a restart undoes it, since it could not be stored")
)

// pauses knows which exporters are paused, even if they are not in the configuration now.
type pauses struct {
	directory string // empty if they are not stored

	mu    sync.Mutex // locked while exporters are paused, resumed or added
	since map[string]time.Time
	// unsaved is true if the file says something else.
	unsaved bool
}

// pausesFile is the name and pausesContent the form of the file.
const pausesFile = "paused.json"

type pausesContent struct {
	// Paused says since when exporters are paused.
	Paused map[string]time.Time `json:"paused"`
}

// Start reads which exporters are paused. Its error names the file, and what to do.
func (r *Registry) Start() error {
	p := &r.pauses
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.load(); err != nil {
		return err
	}
	for id, since := range p.since {
		if b := r.backend(id); b != nil && b.canPause() {
			b.setPaused(since)
		}
	}
	return nil
}

// SetPaused pauses or resumes an exporter, which may already be as wanted. Its error wraps
// [ErrUnknown], [ErrCannotPause] or [ErrNotKept].
func (r *Registry) SetPaused(id string, paused bool) error {
	p := &r.pauses
	p.mu.Lock()
	defer p.mu.Unlock()
	b := r.backend(id)
	switch {
	case b == nil:
		return fmt.Errorf("%s: %w", id, ErrUnknown)
	case !b.canPause():
		return fmt.Errorf("%s: %w", id, ErrCannotPause)
	case b.isPaused() == paused:
		if !p.unsaved {
			return nil
		}
	case paused:
		p.since[id] = r.set.Now()
	default:
		delete(p.since, id)
	}
	b.setPaused(p.since[id])
	err := p.save()
	p.unsaved = err != nil
	if err != nil {
		return fmt.Errorf("%s: %w: %w", id, ErrNotKept, err)
	}
	return nil
}

// EachPaused calls visit for each backend, with whether it is paused.
func (r *Registry) EachPaused(visit func(id string, paused bool)) {
	for _, b := range r.sorted() {
		visit(b.name, b.isPaused())
	}
}

// setPaused pauses all exporters of the backend since a time, or resumes them if it is zero.
func (b *backend) setPaused(since time.Time) {
	b.mu.Lock()
	b.pausedAt = since
	b.mu.Unlock()
	for _, f := range b.running() {
		f.call(func(e *statusfeed.Exporter) {
			if e.SetPaused != nil {
				e.SetPaused(!since.IsZero())
			}
		})
	}
}

// canPause reports whether all exporters of the backend that run can be paused.
func (b *backend) canPause() bool {
	can := true
	for _, f := range b.running() {
		f.call(func(e *statusfeed.Exporter) { can = can && e.SetPaused != nil })
	}
	return can
}

func (b *backend) isPaused() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.pausedAt.IsZero()
}

// load reads the file, and makes sure that it can be written.
func (p *pauses) load() error {
	if p.directory == "" {
		return nil
	}
	path := filepath.Join(p.directory, pausesFile)
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("directory: cannot read which exporters are paused: %w; make the file readable, or delete it to resume all exporters", err)
	}
	if err == nil {
		var content pausesContent
		if err := json.Unmarshal(text, &content); err != nil {
			return fmt.Errorf("directory: %s does not say which exporters are paused: %w; correct the file, or delete it to resume all exporters", path, err)
		}
		for id, since := range content.Paused {
			if since.IsZero() {
				return fmt.Errorf("directory: %s has no time since when %q is paused; correct the file, or delete it to resume all exporters", path, id)
			}
			p.since[id] = since
		}
	}
	if err := p.save(); err != nil {
		return fmt.Errorf("directory: cannot store which exporters are paused: %w; name a directory that the collector may write to", err)
	}
	return nil
}

// save replaces the file atomically.
func (p *pauses) save() error {
	if p.directory == "" {
		return nil
	}
	text, err := json.MarshalIndent(pausesContent{p.since}, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(p.directory, 0o700); err != nil {
		return err
	}
	temp, err := os.CreateTemp(p.directory, pausesFile+".*")
	if err != nil {
		return err
	}
	_, err = temp.Write(append(text, '\n'))
	err = errors.Join(err, temp.Sync(), temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), filepath.Join(p.directory, pausesFile))
	}
	if err != nil {
		return errors.Join(err, os.Remove(temp.Name()))
	}
	return nil
}
