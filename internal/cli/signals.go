// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"
)

// signalInterval is how often a stop signal is repeated.
const signalInterval = 200 * time.Millisecond

// stopSignals catches stop signals.
type stopSignals struct {
	signals  chan os.Signal
	done     chan struct{}
	received atomic.Bool
}

// repeatSignals catches stop signals and sends the first one to this process again until stop is
// called. The collector listens for signals only after it accepts events; without this, an early
// signal would kill the process and lose them. It ignores repeats once it drains.
func repeatSignals() *stopSignals {
	s := &stopSignals{signals: make(chan os.Signal, 1), done: make(chan struct{})}
	signal.Notify(s.signals, os.Interrupt, syscall.SIGTERM)
	go s.repeat()
	return s
}

func (s *stopSignals) repeat() {
	var got os.Signal
	select {
	case got = <-s.signals:
		s.received.Store(true)
	case <-s.done:
		return
	}
	ticker := time.NewTicker(signalInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			sendToSelf(got)
		case <-s.done:
			return
		}
	}
}

// isStopping reports whether a stop signal was caught.
func (s *stopSignals) isStopping() bool { return s.received.Load() }

func (s *stopSignals) stop() {
	signal.Stop(s.signals)
	close(s.done)
}

// sendToSelf does nothing on platforms where a process cannot signal itself, such as Windows.
func sendToSelf(s os.Signal) {
	if self, err := os.FindProcess(os.Getpid()); err == nil {
		_ = self.Signal(s)
	}
}
