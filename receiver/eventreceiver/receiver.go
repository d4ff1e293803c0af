// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventreceiver

import (
	"context"
	"errors"
	"fmt"
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
)

const (
	eventsPath   = "/v1/events"
	webhooksPath = "/v1/webhooks/"
)

// routes are the paths that take events.
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
}

// eventReceiver is the HTTP server and what it serves.
type eventReceiver struct {
	cfg    *Config
	set    receiver.Settings
	intake *intake

	server   *http.Server
	webhooks []*webhookHandler
	done     sync.WaitGroup
}

func newReceiver(set receiver.Settings, cfg *Config, next consumer.Logs) (*eventReceiver, error) {
	in, err := newIntake(set, cfg, next)
	if err != nil {
		return nil, err
	}
	return &eventReceiver{cfg: cfg, set: set, intake: in}, nil
}

// Start listens and serves.
func (r *eventReceiver) Start(ctx context.Context, host component.Host) error {
	if err := r.makeServer(ctx, host); err != nil {
		return err
	}
	listener, err := r.cfg.ServerConfig.ToListener(ctx)
	if err != nil {
		return fmt.Errorf("listening on endpoint %s: %w", r.cfg.ServerConfig.NetAddr.Endpoint, err)
	}
	r.set.Logger.Info("Listening for events", zap.String("endpoint", listener.Addr().String()), zap.String("path", eventsPath))

	r.done.Go(func() {
		if err := r.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			componentstatus.ReportStatus(host, componentstatus.NewFatalErrorEvent(err))
		}
	})
	return nil
}

// makeServer makes the server. Webhooks have a way of their own through it: they carry a signature, and neither credentials
// nor anything of a browser's.
func (r *eventReceiver) makeServer(ctx context.Context, host component.Host) error {
	config := r.cfg.ServerConfig
	if len(config.CompressionAlgorithms) > 0 && !slices.Contains(config.CompressionAlgorithms, "") {
		// confighttp would refuse a body that is not compressed.
		config.CompressionAlgorithms = append([]string{""}, config.CompressionAlgorithms...)
	}
	forWebhooks := config
	forWebhooks.Auth = configoptional.None[confighttp.AuthConfig]()
	forWebhooks.CORS = configoptional.None[confighttp.CORSConfig]()
	config.CORS = withHeaders(config.CORS)

	var err error
	if r.server, err = config.ToServer(ctx, host.GetExtensions(), r.set.TelemetrySettings, r.eventsMux(), confighttp.WithErrorHandler(refuse)); err != nil {
		return err
	}
	mux, err := r.webhooksMux()
	if err != nil {
		return err
	}
	webhooks, err := forWebhooks.ToServer(ctx, host.GetExtensions(), r.set.TelemetrySettings, mux, confighttp.WithErrorHandler(refuse))
	if err != nil {
		return err
	}
	r.server.Handler = plainEncodings(&paths{events: r.server.Handler, webhooks: webhooks.Handler})
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

// withHeaders lets browsers send the headers that events come with, unless the configuration says which.
func withHeaders(cors configoptional.Optional[confighttp.CORSConfig]) configoptional.Optional[confighttp.CORSConfig] {
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

// paths parts the webhooks from the rest.
type paths struct{ events, webhooks http.Handler }

// ServeHTTP implements http.Handler. What is signed are the bytes that were sent, which are gone when they are unpacked.
func (p *paths) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case !strings.HasPrefix(r.URL.Path, webhooksPath):
		p.events.ServeHTTP(w, r)
	case r.Header.Get("Content-Encoding") != "":
		writeProblem(w, unsupported("a webhook is not taken compressed; its signature is of what is sent"))
	default:
		p.webhooks.ServeHTTP(w, r)
	}
}

// plainEncodings writes the content encoding as confighttp knows it. Its name does not depend on case, and identity is none
// (RFC 9110, section 8.4).
func plainEncodings(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if encoding := r.Header.Get("Content-Encoding"); encoding != "" {
			r.Header.Set("Content-Encoding", strings.TrimSuffix(strings.ToLower(encoding), "identity"))
		}
		next.ServeHTTP(w, r)
	})
}

// Shutdown stops listening and waits for the requests under way.
func (r *eventReceiver) Shutdown(ctx context.Context) error {
	if r.server == nil {
		return nil
	}
	err := r.server.Shutdown(ctx)
	r.done.Wait()
	for _, webhook := range r.webhooks {
		webhook.refused.Flush()
	}
	r.intake.telemetry.Shutdown()
	return err
}
