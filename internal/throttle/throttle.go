// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package throttle logs repeated events at most once a minute, with a count.
package throttle

import (
	"sync"
	"time"
)

// Interval is the shortest time between two lines of a [Log].
const Interval = time.Minute

// Log collects repeated events in a T and writes them at most once per [Interval]; the first one is
// written at once. Its methods are safe for concurrent use.
type Log[T any] struct {
	// Now is the clock. Set it before the first Add.
	Now func() time.Time

	write func(T)

	mu         sync.Mutex
	pending    T
	hasPending bool
	last       time.Time // time of the last line
}

// NewLog returns a log that passes everything collected since the previous call to write. write
// must not use the log.
func NewLog[T any](write func(T)) *Log[T] { return &Log[T]{Now: time.Now, write: write} }

// Add calls collect with the pending T and writes the result if an [Interval] has passed.
func (l *Log[T]) Add(collect func(pending *T)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	collect(&l.pending)
	l.hasPending = true
	l.flushDue()
}

// FlushDue writes what is pending if an [Interval] has passed since the last line. Add does the
// same; call FlushDue when time passes without an Add.
func (l *Log[T]) FlushDue() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.hasPending {
		l.flushDue()
	}
}

func (l *Log[T]) flushDue() {
	if now := l.Now(); l.last.IsZero() || now.Sub(l.last) >= Interval {
		l.last = now
		l.flush()
	}
}

// Flush writes what is pending, whether or not an [Interval] has passed. Call it at shutdown.
func (l *Log[T]) Flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.hasPending {
		l.flush()
	}
}

func (l *Log[T]) flush() {
	var zero T
	pending := l.pending
	l.pending, l.hasPending = zero, false
	l.write(pending)
}

// Logs holds one [Log] per key. Keys must come from a small, fixed set. Its methods are safe for
// concurrent use.
type Logs[K comparable, T any] struct {
	// Now is the clock. Only tests change it, before the first Add.
	Now func() time.Time

	write func(K, T)

	mu   sync.Mutex
	logs map[K]*Log[T]
}

// NewLogs returns logs that call write with a key and everything collected for that key since the
// previous call.
func NewLogs[K comparable, T any](write func(K, T)) *Logs[K, T] {
	return &Logs[K, T]{Now: time.Now, write: write, logs: map[K]*Log[T]{}}
}

// Add calls [Log.Add] for the key.
func (l *Logs[K, T]) Add(key K, collect func(pending *T)) { l.get(key).Add(collect) }

func (l *Logs[K, T]) get(key K) *Log[T] {
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

// Flush calls [Log.Flush] for every key.
func (l *Logs[K, T]) Flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, log := range l.logs {
		log.Flush()
	}
}
