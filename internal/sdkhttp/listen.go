// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sdkhttp

import (
	"context"
	"crypto/tls"
	"errors"
	"net"

	"go.opentelemetry.io/collector/config/confighttp"
)

// Listen returns the listener of a server. Unlike ServerConfig.ToListener, it closes the port if the
// TLS configuration cannot be loaded.
func Listen(ctx context.Context, server *confighttp.ServerConfig) (net.Listener, error) {
	listener, err := server.NetAddr.Listen(ctx)
	if err != nil || !server.TLS.HasValue() {
		return listener, err
	}
	config, err := server.TLS.Get().LoadTLSConfig(ctx)
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	config.NextProtos = []string{"h2", "http/1.1"}
	return tls.NewListener(listener, config), nil
}
