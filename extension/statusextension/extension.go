// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensioncapabilities"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/otelcol-fanout/otelcol-fanout/extension/statusextension/internal/backends"
	"github.com/otelcol-fanout/otelcol-fanout/extension/statusextension/internal/metadata"
	"github.com/otelcol-fanout/otelcol-fanout/internal/explain/inuse"
	"github.com/otelcol-fanout/otelcol-fanout/internal/sdkhttp"
	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

// status is the extension: what backends reported, and the HTTP API that shows it.
type status struct {
	cfg       *Config
	set       extension.Settings
	telemetry *metadata.TelemetryBuilder

	registry *backends.Registry
	api      *api
	server   *http.Server
	// close ends streams and waits.
	close context.CancelFunc
	done  sync.WaitGroup
}

var (
	_ statusfeed.Registry                          = (*status)(nil)
	_ extensioncapabilities.ConfigSnapshotWatcher  = (*status)(nil)
	_ extensioncapabilities.PipelineWatcher        = (*status)(nil)
	_ extensioncapabilities.ComponentStatusWatcher = (*status)(nil)
)

// newExtension returns the extension. explain may be nil.
func newExtension(set extension.Settings, cfg *Config, explain inuse.Explain) (*status, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	s := &status{cfg: cfg, set: set, telemetry: telemetry}
	s.registry = backends.New(backends.Settings{
		RecentEvents: cfg.RecentEvents, Payloads: cfg.Payloads, Directory: cfg.Directory, Logger: set.Logger, Now: time.Now,
	})
	closing, end := context.WithCancel(context.Background())
	s.close = end
	s.api = newAPI(closing, cfg, s.registry)
	s.api.logger, s.api.version, s.api.explain = set.Logger, set.BuildInfo.Version, explain
	return s, nil
}

// Start reads which backends are paused, and starts the HTTP API.
func (s *status) Start(ctx context.Context, host component.Host) error {
	if err := s.registry.Start(); err != nil {
		return err
	}
	s.api.letters = findLetters(host)
	if s.api.letters.requireAuth() && !s.cfg.identifiesClients() {
		return errors.New("auth: is missing; the dead_letter extension requires it, and its dead letters are shown here too, so set auth (or tls::client_ca_file) for both")
	}
	if err := s.serve(ctx, host); err != nil {
		return err
	}
	return s.observe()
}

func (s *status) serve(ctx context.Context, host component.Host) error {
	endpoint := s.cfg.ServerConfig.NetAddr.Endpoint
	listener, err := sdkhttp.Listen(ctx, &s.cfg.ServerConfig)
	if err != nil {
		return fmt.Errorf("listening on endpoint %s: %w", endpoint, err)
	}
	// Names such as localhost may stand for any address.
	if !s.cfg.protected() && !s.cfg.onSocketFile() && !sdkhttp.IsLoopback(listener.Addr()) {
		return errors.Join(errOpenEndpoint(endpoint), listener.Close())
	}
	s.server, err = s.cfg.ServerConfig.ToServer(ctx, host.GetExtensions(), s.set.TelemetrySettings, guard(s.api, s.cfg, listener.Addr()),
		confighttp.WithErrorHandler(s.refuse))
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	s.announce(listener.Addr())
	s.done.Go(func() {
		if err := s.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			componentstatus.ReportStatus(host, componentstatus.NewFatalErrorEvent(err))
		}
	})
	return nil
}

// refuse responds to a request that does not get as far as the API. It does not say what is wrong with
// credentials.
func (s *status) refuse(w http.ResponseWriter, _ *http.Request, text string, code int) {
	setSecurityHeaders(w.Header())
	if code == http.StatusUnauthorized {
		text = "the credentials are missing or wrong"
		w.Header().Set("WWW-Authenticate", s.cfg.challenge())
	}
	writeError(w, code, text)
}

func (s *status) announce(endpoint net.Addr) {
	s.set.Logger.Info("Listening for status requests", zap.String("endpoint", endpoint.String()), zap.String("path", "/v1/backends"),
		zap.Int("recent_events", s.cfg.RecentEvents), zap.Bool("read_only", s.cfg.ReadOnly))
	if s.cfg.AllowAnonymous && !s.cfg.identifiesClients() && !sdkhttp.IsLoopback(endpoint) {
		s.set.Logger.Warn("Anyone who reaches the endpoint can read about events, and pause backends unless read_only is true (allow_anonymous: true)",
			zap.String("endpoint", endpoint.String()))
	}
}

// observe reports which backends are paused whenever the metrics are collected.
func (s *status) observe() error {
	return s.telemetry.RegisterFanoutPausedCallback(func(_ context.Context, o metric.Int64Observer) error {
		s.registry.EachPaused(func(id string, paused bool) {
			value := int64(0)
			if paused {
				value = 1
			}
			o.Observe(value, metric.WithAttributes(attribute.String("exporter", id)))
		})
		return nil
	})
}

// Shutdown ends streams, waits and what explains an event, and stops the server.
func (s *status) Shutdown(ctx context.Context) error {
	s.telemetry.Shutdown()
	s.close()
	var err error
	if s.server != nil {
		err = s.server.Shutdown(ctx)
	}
	s.done.Wait()
	s.api.awaitExplained(ctx)
	return err
}

// NotifyConfigSnapshot implements extensioncapabilities.ConfigSnapshotWatcher.
func (s *status) NotifyConfigSnapshot(_ context.Context, snapshot extensioncapabilities.ConfigSnapshot) error {
	conf := readConfiguration(snapshot.Effective())
	s.api.metrics.from(conf.metrics)
	s.api.conf.Store(&conf)
	return nil
}

// Ready implements extensioncapabilities.PipelineWatcher.
func (s *status) Ready() error {
	s.api.pipelines.set(phaseRunning)
	return nil
}

// NotReady implements extensioncapabilities.PipelineWatcher.
func (s *status) NotReady() error {
	s.api.pipelines.set(phaseStopping)
	return nil
}

// Changed implements extensioncapabilities.ComponentStatusWatcher.
func (s *status) Changed(source *componentstatus.InstanceID, event *componentstatus.Event) {
	s.api.pipelines.note(source, event.Status())
}

// AddExporter implements statusfeed.Registry.
func (s *status) AddExporter(e *statusfeed.Exporter) statusfeed.Feed {
	return s.registry.AddExporter(e)
}

// AddRouter implements statusfeed.Registry.
func (s *status) AddRouter(r *statusfeed.Router) (remove func()) { return s.registry.AddRouter(r) }
