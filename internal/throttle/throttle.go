// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package throttle logs repeated events at most once a minute, with their count and times.
package throttle

import (
	"sync"
	"time"

	"go.uber.org/zap"
)

// Interval is the shortest time between two lines of a [Log].
const Interval = time.Minute

// Log collects repeated events in a T and writes them at most once per [Interval]: the first one at
// once, and what follows when the interval is over. Its methods are safe for concurrent use.
type Log[T any] struct {
	write func(Summary, T)

	mu      sync.Mutex
	summary Summary // of what is pending; its Count is 0 if nothing is
	pending T
	written time.Time   // time of the last line
	timer   *time.Timer // writes what is pending; nil if nothing is
	closed  bool
}

// NewLog returns a log that passes everything collected since the previous call to write. write
// must not use the log.
func NewLog[T any](write func(Summary, T)) *Log[T] { return &Log[T]{write: write} }

// Add adds count events, which must be positive, and lets collect add details to the pending T;
// collect may be nil. The result is written at once if there was no line within the last [Interval],
// else when that is over.
func (l *Log[T]) Add(count int, collect func(pending *T)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.summary.add(count, now)
	if collect != nil {
		collect(&l.pending)
	}
	wait := l.written.Add(Interval).Sub(now)
	switch {
	case l.closed || wait <= 0:
		l.flush()
	case l.timer == nil:
		l.summary.delayed = true
		l.timer = time.AfterFunc(wait, l.flushPending)
	}
}

// Close writes what is pending and stops the timer. Call it at shutdown. A later Add is written at
// once.
func (l *Log[T]) Close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.flushPending()
}

func (l *Log[T]) flushPending() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.summary.Count > 0 {
		l.flush()
	}
}

func (l *Log[T]) flush() {
	if l.timer != nil {
		l.timer.Stop()
		l.timer = nil
	}
	var none T
	summary, pending := l.summary, l.pending
	l.summary, l.pending = Summary{}, none
	l.written = time.Now()
	l.write(summary, pending)
}

// Summary says what a line stands for.
type Summary struct {
	// Count is the number of events, First and Last are the times at which the first and the last
	// of them were added.
	Count       int
	First, Last time.Time

	delayed bool // the line was not written at once
}

func (s *Summary) add(count int, now time.Time) {
	if s.Count == 0 {
		s.First = now
	}
	s.Count, s.Last = s.Count+count, now
}

// Fields returns the fields that end a line: the count under a name such as events, then first and
// last, unless the time of the line says it.
func (s Summary) Fields(counted string) []zap.Field {
	fields := []zap.Field{zap.Int(counted, s.Count)}
	if s.delayed {
		fields = append(fields, zap.Time("first", s.First), zap.Time("last", s.Last))
	}
	return fields
}

// Logs holds one [Log] per key. Keys must come from a small, fixed set. Its methods are safe for
// concurrent use.
type Logs[K comparable, T any] struct {
	write func(K, Summary, T)

	mu     sync.Mutex
	logs   map[K]*Log[T]
	closed bool
}

// NewLogs returns logs that call write with a key and everything collected for that key since the
// previous call.
func NewLogs[K comparable, T any](write func(K, Summary, T)) *Logs[K, T] {
	return &Logs[K, T]{write: write, logs: map[K]*Log[T]{}}
}

// Add calls [Log.Add] for the key.
func (l *Logs[K, T]) Add(key K, count int, collect func(pending *T)) { l.get(key).Add(count, collect) }

func (l *Logs[K, T]) get(key K) *Log[T] {
	l.mu.Lock()
	defer l.mu.Unlock()
	log, ok := l.logs[key]
	if !ok {
		log = NewLog(func(summary Summary, pending T) { l.write(key, summary, pending) })
		log.closed = l.closed
		l.logs[key] = log
	}
	return log
}

// Close calls [Log.Close] for every key.
func (l *Logs[K, T]) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for _, log := range l.logs {
		log.Close()
	}
}
