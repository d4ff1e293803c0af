// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"
	"time"

	"go.opentelemetry.io/collector/otelcol"
	"go.uber.org/zap"
)

// runner runs the collector until it is stopped. On SIGHUP it reads the configuration again and
// checks it; the collector on its own would shut down first, and end if there is a mistake.
type runner struct {
	set     otelcol.CollectorSettings
	sources *sources
	// isStopping reports whether the process was told to end.
	isStopping func() bool

	hangups chan os.Signal
	// latest is the last configuration that was read, even if it did not start.
	latest *snapshot
}

func newRunner(set otelcol.CollectorSettings, s *sources, uris []string, isStopping func() bool) *runner {
	resolver := &set.ConfigProviderSettings.ResolverSettings
	resolver.URIs = uris
	resolver.DefaultScheme = "env" // as in the collector's own command
	return &runner{set: set, sources: s, isStopping: isStopping, hangups: make(chan os.Signal, 1)}
}

// run runs a collector for each configuration, one after another. If a new configuration does not
// start, the previous one runs again.
func (r *runner) run(ctx context.Context) error {
	// A SIGHUP during the start waits here until the collector runs.
	signal.Notify(r.hangups, syscall.SIGHUP)
	defer signal.Stop(r.hangups)

	r.latest = newSnapshot()
	next := start{snapshot: r.latest}
	var previous *snapshot
	for {
		end := r.runOnce(ctx, next)
		switch {
		case r.isStopping() && previous != nil && !end.started:
			return nil // every event was settled when the previous configuration shut down
		case r.isStopping():
			return end.err
		case end.reload != nil:
			r.latest = end.reload
			previous, next = next.snapshot, start{snapshot: end.reload, began: end.reloadBegan, stopped: end.err}
		case !end.started && previous != nil:
			previous, next = nil, start{snapshot: previous, failed: end.err}
		default:
			return end.err
		}
	}
}

// start says what to run, and why.
type start struct {
	snapshot *snapshot
	// began is when the reload began whose configuration this is.
	began time.Time
	// stopped is the error of the collector before that, if it did not stop well.
	stopped error
	// failed is why the configuration did not start that this one is run instead of.
	failed error
}

func (s *start) explain(by *sources) {
	if s.stopped != nil {
		s.snapshot.logger.Warn("The previous configuration did not shut down cleanly", zap.Error(by.oneLine(s.stopped)))
	}
	if s.failed != nil {
		s.snapshot.logger.Error("The new configuration does not start; running the previous one again", zap.Error(by.oneLine(s.failed)))
	}
}

// end says how a collector ended.
type end struct {
	// started is false if it never ran.
	started bool
	// reload is the configuration to run next; nil if the collector ended by itself.
	reload      *snapshot
	reloadBegan time.Time
	err         error
}

// runOnce runs a collector until it ends, or until a SIGHUP brings a configuration that passes the
// check.
func (r *runner) runOnce(ctx context.Context, s start) end {
	collector, err := otelcol.NewCollector(r.settings(s.snapshot))
	if err != nil {
		return end{err: err}
	}
	logger := s.snapshot.logger
	s.explain(r.sources)
	running, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- collector.Run(&runContext{Context: ctx, collector: collector, running: func() {
			r.takeOverHangups()
			close(running)
		}})
	}()
	select {
	case err := <-ended:
		return end{started: isClosed(running), err: err}
	case <-running:
	}
	r.recoverHangup(ctx)
	if !s.began.IsZero() {
		logger.Info("Running with the new configuration", zap.Duration("restarted_in", time.Since(s.began)))
	}
	for {
		select {
		case err := <-ended:
			return end{started: true, err: err}
		case <-r.hangups:
		}
		reload, err := r.check(ctx)
		if err != nil {
			logger.Error("The configuration was not reloaded; the running one stays in use", zap.Error(r.sources.oneLine(err)))
			continue
		}
		logger.Info("The new configuration is valid; restarting with it")
		began := time.Now()
		collector.Shutdown()
		return end{started: true, reload: reload, reloadBegan: began, err: <-ended}
	}
}

// check reads the configuration, and builds its receivers, processors, connectors and exporters
// without starting them, as the validate command does.
func (r *runner) check(ctx context.Context) (*snapshot, error) {
	read := newSnapshot()
	collector, err := otelcol.NewCollector(r.settings(read))
	if err != nil {
		return nil, err
	}
	if err := collector.DryRun(ctx); err != nil {
		return nil, err
	}
	return read, nil
}

// settings returns the settings of a collector that reads its configuration from a snapshot.
func (r *runner) settings(s *snapshot) otelcol.CollectorSettings {
	set := r.set
	set.LoggingOptions = append(slices.Clone(set.LoggingOptions), newLogOption())
	resolver := &set.ConfigProviderSettings.ResolverSettings
	resolver.ProviderFactories = s.providers(resolver.ProviderFactories)
	return set
}

// takeOverHangups makes SIGHUP reach the runner only. A running collector listens to it as well.
func (r *runner) takeOverHangups() {
	signal.Ignore(syscall.SIGHUP) // also ends all notifications
	signal.Notify(r.hangups, syscall.SIGHUP)
}

// recoverHangup makes up for a SIGHUP that arrived while takeOverHangups ignored it. It shows in a
// configuration that has changed since it was read.
func (r *runner) recoverHangup(ctx context.Context) {
	if !r.latest.isOutdated(ctx) {
		return
	}
	select {
	case r.hangups <- syscall.SIGHUP:
	default: // one is waiting already
	}
}

// runContext tells when a collector enters the loop in which it waits for signals. There it asks
// for Done, which nothing else does between the end of the start and the loop.
type runContext struct {
	context.Context
	collector *otelcol.Collector
	running   func()
	once      sync.Once
}

// Done implements context.Context.
func (c *runContext) Done() <-chan struct{} {
	if c.collector.GetState() == otelcol.StateRunning {
		c.once.Do(c.running)
	}
	return c.Context.Done()
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
