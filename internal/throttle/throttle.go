// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package throttle logs repeated events at most once a minute, with a count.
package throttle

import (
	"sync"
	"time"
)

// Interval is how long at least there is between two lines of a [Log].
const Interval = time.Minute

// Log collects events in a T, and writes them at most once an [Interval], the first at once. Its methods are safe for concurrent use.
type Log[T any] struct {
	// Now is the clock. Set it before the first Add.
	Now func() time.Time

	write func(T)

	mu      sync.Mutex
	pending T
	unsaid  bool // whether there is something in pending
	last    time.Time
}

// NewLog returns a log that calls write with what was collected since the call before. write must
// not use the log.
func NewLog[T any](write func(T)) *Log[T] { return &Log[T]{Now: time.Now, write: write} }

// Add calls collect with what is pending, and writes it if an [Interval] has passed.
func (l *Log[T]) Add(collect func(pending *T)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	collect(&l.pending)
	l.unsaid = true
	l.flushDue()
}

// FlushDue writes what is pending if an [Interval] has passed since the last line. Add does so too;
// call it when time passes and there is nothing to add.
func (l *Log[T]) FlushDue() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.unsaid {
		l.flushDue()
	}
}

func (l *Log[T]) flushDue() {
	if now := l.Now(); l.last.IsZero() || now.Sub(l.last) >= Interval {
		l.last = now
		l.flush()
	}
}

// Flush writes what is pending. Call it at shutdown.
func (l *Log[T]) Flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.unsaid {
		l.flush()
	}
}

func (l *Log[T]) flush() {
	var none T
	pending := l.pending
	l.pending, l.unsaid = none, false
	l.write(pending)
}

// Logs are a [Log] for each key, which should be of a small fixed set. Its methods are safe for
// concurrent use.
type Logs[K comparable, T any] struct {
	// Now is the clock. It is changed by tests only, before the first Add.
	Now func() time.Time

	write func(K, T)

	mu   sync.Mutex
	logs map[K]*Log[T]
}

// NewLogs returns logs that call write with a key, and what was collected for it since the call
// before.
func NewLogs[K comparable, T any](write func(K, T)) *Logs[K, T] {
	return &Logs[K, T]{Now: time.Now, write: write, logs: map[K]*Log[T]{}}
}

// Add is [Log.Add] for a key.
func (l *Logs[K, T]) Add(key K, collect func(pending *T)) { l.of(key).Add(collect) }

func (l *Logs[K, T]) of(key K) *Log[T] {
	l.mu.Lock()
	defer l.mu.Unlock()
	log, ok := l.logs[key]
	if !ok {
		log = NewLog(func(pending T) { l.write(key, pending) })
		log.Now = func() time.Time { return l.Now() }
		l.logs[key] = log
	}
	return log
}

// Flush is [Log.Flush] for each key.
func (l *Logs[K, T]) Flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, log := range l.logs {
		log.Flush()
	}
}
