// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sdkhttp

import (
	"context"
	"crypto/tls"
	"errors"
	"io/fs"
	"net"
	"os"
	"syscall"

	"go.opentelemetry.io/collector/config/confighttp"
)

// Listen returns the listener of a server. Unlike ServerConfig.ToListener, it closes the port if the
// TLS configuration cannot be loaded, and replaces the socket file of a process that was killed.
func Listen(ctx context.Context, server *confighttp.ServerConfig) (net.Listener, error) {
	listener, err := server.NetAddr.Listen(ctx)
	if errors.Is(err, syscall.EADDRINUSE) && isAbandoned(ctx, server.NetAddr.Endpoint) {
		err = os.Remove(server.NetAddr.Endpoint)
		if err == nil {
			listener, err = server.NetAddr.Listen(ctx)
		}
	}
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

// isAbandoned reports whether an endpoint is a socket file on which no process listens.
func isAbandoned(ctx context.Context, endpoint string) bool {
	file, err := os.Lstat(endpoint)
	if err != nil || file.Mode().Type() != fs.ModeSocket {
		return false
	}
	connection, err := (&net.Dialer{}).DialContext(ctx, "unix", endpoint)
	if err == nil {
		_ = connection.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}
