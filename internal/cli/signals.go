// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

// signalInterval is how often a stop signal is repeated.
const signalInterval = 200 * time.Millisecond

// repeatSignals catches stop signals and sends the first one to this process again until done is
// called. The collector listens for signals only after it accepts events; without this, an early
// signal would kill the process and lose them. It ignores repeats once it drains.
func repeatSignals() (done func()) {
	signals, stop := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		var got os.Signal
		select {
		case got = <-signals:
		case <-stop:
			return
		}
		ticker := time.NewTicker(signalInterval)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				sendToSelf(got)
			case <-stop:
				return
			}
		}
	}()
	return func() {
		signal.Stop(signals)
		close(stop)
	}
}

// sendToSelf does nothing on platforms where a process cannot signal itself, such as Windows.
func sendToSelf(s os.Signal) {
	if self, err := os.FindProcess(os.Getpid()); err == nil {
		_ = self.Signal(s)
	}
}
