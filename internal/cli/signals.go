// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

// signalInterval is how often a signal to stop is repeated.
const signalInterval = 200 * time.Millisecond

// repeatSignals takes the signals that stop a process from now on, and repeats the first one to the process itself until
// done is called. The collector listens for signals only some time after it takes in events: one that comes in between
// would end the process at once, and with it what was accepted. The repeated one is heard as soon as it listens, and
// drains; it takes no notice of those that follow.
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

// sendToSelf does nothing where a process cannot signal itself, as on Windows.
func sendToSelf(s os.Signal) {
	if self, err := os.FindProcess(os.Getpid()); err == nil {
		_ = self.Signal(s)
	}
}
