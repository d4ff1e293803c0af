// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventreceiver

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/confignet"
	"go.opentelemetry.io/collector/confmap"

	"github.com/otelcol-fanout/otelcol-fanout/internal/strictconf"
)

const (
	defaultEndpoint = "localhost:4319"
	// confighttp has no read timeout of its own, and a client that sends a byte a minute would hold a connection
	// for good.
	defaultReadTimeout = 30 * time.Second
	defaultMaxEvents   = 10_000
)

// Config is the configuration of the event receiver.
type Config struct {
	// ServerConfig is the HTTP server: endpoint (default localhost:4319), tls, auth, cors,
	// max_request_body_size (default 20 MiB, before and after decompression), read_timeout (default 30s) and the
	// other keys of confighttp.
	ServerConfig confighttp.ServerConfig `mapstructure:",squash"`

	// MaxEvents is how many events one request may hold; default 10000. A request with more is answered 413.
	MaxEvents int `mapstructure:"max_events"`
}

// Unmarshal implements confmap.Unmarshaler: a key that does not exist is an error.
func (cfg *Config) Unmarshal(conf *confmap.Conf) error { return strictconf.Unmarshal(conf, cfg) }

// encodings are the content encodings that confighttp can take; the first is none.
var encodings = []string{"", "gzip", "zstd", "zlib", "deflate", "snappy", "lz4", "x-snappy-framed"}

// Validate implements confmap.Validator.
func (cfg *Config) Validate() error {
	endpoint := cfg.ServerConfig.NetAddr.Endpoint
	if endpoint == "" {
		return errors.New("endpoint: is missing; write the address to listen on as host:port, such as " + defaultEndpoint)
	}
	if _, _, err := net.SplitHostPort(endpoint); err != nil && cfg.ServerConfig.NetAddr.Transport != confignet.TransportTypeUnix {
		return fmt.Errorf("endpoint: %q is not host:port, such as %s", endpoint, defaultEndpoint)
	}
	switch cfg.ServerConfig.NetAddr.Transport {
	case confignet.TransportTypeTCP, confignet.TransportTypeTCP4, confignet.TransportTypeTCP6, confignet.TransportTypeUnix:
	default:
		return fmt.Errorf("transport: %q is nothing that HTTP runs over; write tcp, tcp4, tcp6 or unix", cfg.ServerConfig.NetAddr.Transport)
	}
	for _, algorithm := range cfg.ServerConfig.CompressionAlgorithms {
		if !slices.Contains(encodings, algorithm) {
			return fmt.Errorf("compression_algorithms: %q is not an encoding that is taken; there are %s", algorithm, strings.Join(encodings[1:], ", "))
		}
	}
	if cfg.MaxEvents <= 0 {
		return fmt.Errorf("max_events: %d is not positive; it is how many events one request may hold (default %d)", cfg.MaxEvents, defaultMaxEvents)
	}
	return nil
}

func createDefaultConfig() component.Config {
	server := confighttp.NewDefaultServerConfig()
	server.NetAddr.Endpoint = defaultEndpoint
	server.ReadTimeout = defaultReadTimeout
	return &Config{ServerConfig: server, MaxEvents: defaultMaxEvents}
}
