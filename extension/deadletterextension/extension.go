// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/otelcol-fanout/otelcol-fanout/extension/deadletterextension/internal/metadata"
	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/sdkhttp"
)

// Bounds of the interval between checks for dead letters older than max_age.
const (
	minExpiryInterval = time.Second
	maxExpiryInterval = 10 * time.Minute
)

// deadLetters is the extension: the store and its HTTP API.
type deadLetters struct {
	cfg       *Config
	set       extension.Settings
	telemetry *metadata.TelemetryBuilder

	// store is nil before Start. Other extensions may call at any time.
	store  atomic.Pointer[store]
	server *http.Server
	stop   context.CancelFunc
	done   sync.WaitGroup
}

func newExtension(set extension.Settings, cfg *Config) (*deadLetters, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	return &deadLetters{cfg: cfg, set: set, telemetry: telemetry}, nil
}

// Start opens the store and starts the HTTP API.
func (d *deadLetters) Start(ctx context.Context, host component.Host) error {
	s, err := openStore(d.cfg, d.set.Logger, d.telemetry, time.Now)
	if err != nil {
		return err
	}
	d.store.Store(s)
	if err := d.serve(ctx, host, s); err != nil {
		return errors.Join(err, d.Shutdown(ctx))
	}
	background, stop := context.WithCancel(context.Background())
	d.stop = stop
	d.done.Go(func() { d.expire(background, s) })
	return d.observe(s)
}

func (d *deadLetters) serve(ctx context.Context, host component.Host, s *store) error {
	listener, err := sdkhttp.Listen(ctx, &d.cfg.ServerConfig)
	if err != nil {
		return fmt.Errorf("listening on endpoint %s: %w", d.cfg.ServerConfig.NetAddr.Endpoint, err)
	}
	handler := guard((&api{store: s, logger: d.set.Logger}).handler(), d.cfg.ServerConfig.NetAddr.Endpoint, listener.Addr())
	d.server, err = d.cfg.ServerConfig.ToServer(ctx, host.GetExtensions(), d.set.TelemetrySettings, handler,
		confighttp.WithErrorHandler(func(w http.ResponseWriter, _ *http.Request, text string, status int) { writeError(w, status, text) }))
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	d.announce(listener.Addr(), s)
	d.done.Go(func() {
		if err := d.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			componentstatus.ReportStatus(host, componentstatus.NewFatalErrorEvent(err))
		}
	})
	return nil
}

func (d *deadLetters) announce(endpoint net.Addr, s *store) {
	var count tally
	for _, sum := range s.summaries() {
		count.merge(&sum.count)
	}
	d.set.Logger.Info("Listening for dead letter requests", zap.String("endpoint", endpoint.String()), zap.String("path", apiPath),
		zap.String("directory", d.cfg.Directory), zap.Int("events", count.events), zap.Int64("bytes", count.bytes))
}

// expire removes dead letters older than max_age until ctx ends.
func (d *deadLetters) expire(ctx context.Context, s *store) {
	if d.cfg.MaxAge <= 0 {
		return
	}
	ticker := time.NewTicker(min(max(d.cfg.MaxAge/filesPerDirectory, minExpiryInterval), maxExpiryInterval))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			s.expire()
		}
	}
}

// observe reports the stored dead letters whenever the metrics are collected.
func (d *deadLetters) observe(s *store) error {
	report := func(value func(*tally) int64) metric.Int64Callback {
		return func(_ context.Context, o metric.Int64Observer) error {
			for _, sum := range s.summaries() {
				o.Observe(value(&sum.count), metric.WithAttributes(attribute.String("exporter", sum.exporter)))
			}
			return nil
		}
	}
	return errors.Join(
		d.telemetry.RegisterFanoutDeadLettersStoredCallback(report(func(count *tally) int64 { return int64(count.events) })),
		d.telemetry.RegisterFanoutDeadLettersStoredBytesCallback(report(func(count *tally) int64 { return count.bytes })),
	)
}

// Shutdown stops replays and removals and the server, and syncs all files to disk.
func (d *deadLetters) Shutdown(ctx context.Context) error {
	d.telemetry.Shutdown()
	s := d.store.Load()
	if s == nil {
		return nil
	}
	if d.stop != nil {
		d.stop()
	}
	s.stopActivities()
	var err error
	if d.server != nil {
		err = d.server.Shutdown(ctx)
	}
	d.done.Wait()
	return errors.Join(err, s.close())
}

// Put implements deadletter.Store.
func (d *deadLetters) Put(exporter component.ID, letters []deadletter.Letter) error {
	s := d.store.Load()
	if s == nil {
		return errClosed
	}
	return s.put(exporter, letters)
}

// Register implements deadletter.Store.
func (d *deadLetters) Register(exporter component.ID, signal string, replayer deadletter.Replayer) (unregister func()) {
	s := d.store.Load()
	if s == nil {
		return func() {}
	}
	return s.register(exporter.String(), signal, replayer)
}
