// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventreceiver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.uber.org/zap"
)

const eventsPath = "/v1/events"

// eventReceiver is the HTTP server and what it serves.
type eventReceiver struct {
	cfg     *Config
	set     receiver.Settings
	handler *eventsHandler

	server *http.Server
	done   sync.WaitGroup
}

func newReceiver(set receiver.Settings, cfg *Config, next consumer.Logs) (*eventReceiver, error) {
	report, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{
		ReceiverID:             set.ID,
		Transport:              "http",
		ReceiverCreateSettings: set,
	})
	if err != nil {
		return nil, err
	}
	return &eventReceiver{cfg: cfg, set: set, handler: newEventsHandler(cfg.MaxEvents, next, report)}, nil
}

// Start listens and serves.
func (r *eventReceiver) Start(ctx context.Context, host component.Host) error {
	mux := http.NewServeMux()
	mux.Handle(eventsPath, r.handler)
	mux.HandleFunc("/", notFound)

	server := r.cfg.ServerConfig
	if len(server.CompressionAlgorithms) > 0 && !slices.Contains(server.CompressionAlgorithms, "") {
		// confighttp would refuse a body that is not compressed.
		server.CompressionAlgorithms = append([]string{""}, server.CompressionAlgorithms...)
	}
	var err error
	r.server, err = server.ToServer(ctx, host.GetExtensions(), r.set.TelemetrySettings, mux, confighttp.WithErrorHandler(refuse))
	if err != nil {
		return err
	}
	r.server.Handler = plainEncodings(r.server.Handler)
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

// Shutdown stops listening and waits for the requests under way.
func (r *eventReceiver) Shutdown(ctx context.Context) error {
	if r.server == nil {
		return nil
	}
	err := r.server.Shutdown(ctx)
	r.done.Wait()
	return err
}
