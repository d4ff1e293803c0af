// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventreceiver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"

	"github.com/otelcol-fanout/otelcol-fanout/internal/eventjson"
	"github.com/otelcol-fanout/otelcol-fanout/internal/sdkhttp"
	"github.com/otelcol-fanout/otelcol-fanout/internal/throttle"
)

const (
	eventsPath   = "/v1/events"
	webhooksPath = "/v1/webhooks/"
)

// routes maps the paths that accept events to routes.
var routes = map[string]eventjson.Route{
	eventsPath:      eventjson.RouteEvents,
	"/v1/track":     eventjson.RouteTrack,
	"/v1/identify":  eventjson.RouteIdentify,
	"/v1/page":      eventjson.RoutePage,
	"/v1/screen":    eventjson.RouteScreen,
	"/v1/group":     eventjson.RouteGroup,
	"/v1/alias":     eventjson.RouteAlias,
	"/v1/exception": eventjson.RouteException,
	"/v1/batch":     eventjson.RouteBatch,

	"/beacon/v1/batch": eventjson.RouteBatch, // RudderStack's library for browsers
}

// eventReceiver is the HTTP server and its handlers.
type eventReceiver struct {
	cfg    *Config
	set    receiver.Settings
	intake *intake

	server   *http.Server
	webhooks []*webhookHandler
	hosts    *throttle.Log[string] // the latest host
	done     sync.WaitGroup
}

func newReceiver(set receiver.Settings, cfg *Config, next consumer.Logs) (*eventReceiver, error) {
	in, err := newIntake(set, cfg, next)
	if err != nil {
		return nil, err
	}
	return &eventReceiver{cfg: cfg, set: set, intake: in, hosts: newHostLog(set.Logger)}, nil
}

// Start listens and serves.
func (r *eventReceiver) Start(ctx context.Context, host component.Host) error {
	listener, err := sdkhttp.Listen(ctx, &r.cfg.ServerConfig)
	if err != nil {
		return fmt.Errorf("listening on endpoint %s: %w", r.cfg.ServerConfig.NetAddr.Endpoint, err)
	}
	if err := r.buildServer(ctx, host, listener.Addr()); err != nil {
		return errors.Join(err, listener.Close())
	}
	r.set.Logger.Info("Listening for events", zap.String("endpoint", listener.Addr().String()), zap.String("path", eventsPath))

	r.done.Go(func() {
		if err := r.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			componentstatus.ReportStatus(host, componentstatus.NewFatalErrorEvent(err))
		}
	})
	return nil
}

// buildServer builds the server for a listener. Webhooks get a handler chain of their own: they carry
// a signature instead of credentials, and do not come from browsers.
func (r *eventReceiver) buildServer(ctx context.Context, host component.Host, listening net.Addr) error {
	config := r.cfg.ServerConfig
	if len(config.CompressionAlgorithms) > 0 && !slices.Contains(config.CompressionAlgorithms, "") {
		// Without the empty encoding, confighttp refuses uncompressed bodies.
		config.CompressionAlgorithms = append([]string{""}, config.CompressionAlgorithms...)
	}
	webhookConfig := config
	webhookConfig.Auth = configoptional.None[confighttp.AuthConfig]()
	webhookConfig.CORS = configoptional.None[confighttp.CORSConfig]()
	config.CORS = withDefaultHeaders(config.CORS)

	var err error
	if r.server, err = config.ToServer(ctx, host.GetExtensions(), r.set.TelemetrySettings, r.eventsMux(), confighttp.WithErrorHandler(r.intake.handleServerError)); err != nil {
		return err
	}
	mux, err := r.webhooksMux()
	if err != nil {
		return err
	}
	webhooks, err := webhookConfig.ToServer(ctx, host.GetExtensions(), r.set.TelemetrySettings, mux, confighttp.WithErrorHandler(r.intake.handleServerError))
	if err != nil {
		return err
	}
	timeout := r.intake.bodies.timeout
	r.server.Handler = normalizeEncoding(&pathRouter{
		events:   r.checkHost(&admitter{next: r.server.Handler, admit: r.intake.admitEvents, timeout: timeout}, listening),
		webhooks: &admitter{next: webhooks.Handler, admit: r.intake.admitWebhook, timeout: timeout},
	})
	return nil
}

func (r *eventReceiver) eventsMux() *http.ServeMux {
	mux := http.NewServeMux()
	for path, route := range routes {
		mux.Handle(path, &eventsHandler{intake: r.intake, route: route})
	}
	mux.HandleFunc("/", notFound)
	return mux
}

func (r *eventReceiver) webhooksMux() (*http.ServeMux, error) {
	mux := http.NewServeMux()
	for name := range r.cfg.Webhooks {
		cfg := r.cfg.Webhooks[name]
		handler, err := newWebhookHandler(r.intake, name, &cfg)
		if err != nil {
			return nil, err
		}
		mux.Handle(webhooksPath+name, handler)
		r.webhooks = append(r.webhooks, handler)
	}
	mux.HandleFunc("/", notFound)
	return mux, nil
}

// withDefaultHeaders allows the headers that browsers need to send events, unless the configuration
// lists its own.
func withDefaultHeaders(cors configoptional.Optional[confighttp.CORSConfig]) configoptional.Optional[confighttp.CORSConfig] {
	if !cors.HasValue() {
		return cors
	}
	config := *cors.Get()
	if len(config.AllowedHeaders) == 0 {
		config.AllowedHeaders = []string{"Content-Type", "Content-Encoding", "Authorization", keyHeader, idempotencyHeader, "Traceparent", "Tracestate"}
	}
	if len(config.ExposedHeaders) == 0 {
		config.ExposedHeaders = []string{"Retry-After"}
	}
	return configoptional.Some(config)
}

// pathRouter separates webhooks from the other paths.
type pathRouter struct{ events, webhooks http.Handler }

// ServeHTTP implements http.Handler. It refuses compressed webhooks, since confighttp decompresses
// the bytes that the signature covers.
func (p *pathRouter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case !strings.HasPrefix(r.URL.Path, webhooksPath):
		p.events.ServeHTTP(w, r)
	case r.Header.Get("Content-Encoding") != "":
		writeProblem(w, unsupportedMediaType("compressed webhooks are not supported: the signature covers the bytes as sent"))
	default:
		p.webhooks.ServeHTTP(w, r)
	}
}

// normalizeEncoding spells the content encoding as confighttp expects it. Names are
// case-insensitive, and identity means none (RFC 9110, section 8.4).
func normalizeEncoding(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if encoding := r.Header.Get("Content-Encoding"); encoding != "" {
			r.Header.Set("Content-Encoding", strings.TrimSuffix(strings.ToLower(encoding), "identity"))
		}
		next.ServeHTTP(w, r)
	})
}

// Shutdown stops listening and waits for requests in progress.
func (r *eventReceiver) Shutdown(ctx context.Context) error {
	var err error
	if r.server != nil {
		err = r.server.Shutdown(ctx)
	}
	r.done.Wait()
	r.hosts.Close()
	for _, webhook := range r.webhooks {
		webhook.refused.Close()
		webhook.handshakes.Close()
	}
	r.intake.telemetry.Shutdown()
	return err
}
