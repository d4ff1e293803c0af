// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"errors"
	"fmt"
	"net"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/confmap"

	"github.com/otelcol-fanout/otelcol-fanout/internal/strictconf"
)

const (
	defaultEndpoint = "localhost:13134"
	// confighttp has no read timeout of its own, and a client that sends a byte a minute would hold a connection
	// for good.
	defaultReadTimeout = 30 * time.Second
	defaultMaxSize     = 1 << 30
	// With less there would not be enough files for the oldest to go first.
	leastMaxSize = 1 << 20
)

// Config is the configuration of the dead_letter extension.
type Config struct {
	// ServerConfig is the server of the HTTP API: endpoint (default localhost:13134), tls, auth,
	// read_timeout (default 30s) and the other keys of confighttp.
	ServerConfig confighttp.ServerConfig `mapstructure:",squash"`

	// Directory is where the letters are kept, in one folder per exporter. It is required, and belongs to this
	// extension alone.
	Directory string `mapstructure:"directory"`

	// CreateDirectory makes the directory where it is missing; default true.
	CreateDirectory bool `mapstructure:"create_directory"`

	// MaxSize is how many bytes the directory may hold; default 1 GiB. The oldest files go first.
	MaxSize int64 `mapstructure:"max_size"`

	// MaxAge is how long letters are kept; default 0, which is as long as there is room. They go by whole files, so
	// that some stay an eighth of it longer.
	MaxAge time.Duration `mapstructure:"max_age"`
}

// Unmarshal implements confmap.Unmarshaler: a key that does not exist is an error.
func (cfg *Config) Unmarshal(conf *confmap.Conf) error { return strictconf.Unmarshal(conf, cfg) }

// Validate implements confmap.Validator.
func (cfg *Config) Validate() error {
	endpoint := cfg.ServerConfig.NetAddr.Endpoint
	if endpoint == "" {
		return errors.New("endpoint: is missing; write the address to listen on as host:port, such as " + defaultEndpoint)
	}
	if _, _, err := net.SplitHostPort(endpoint); err != nil && cfg.ServerConfig.NetAddr.Transport != "unix" {
		return fmt.Errorf("endpoint: %q is not host:port, such as %s", endpoint, defaultEndpoint)
	}
	if cfg.Directory == "" {
		return errors.New("directory: is missing; write the folder that is to keep the dead letters, such as ./data/dead-letters")
	}
	if cfg.MaxSize < leastMaxSize {
		return fmt.Errorf("max_size: %d is too little; it is how many bytes the directory may hold, at least %d (default %d)",
			cfg.MaxSize, leastMaxSize, defaultMaxSize)
	}
	if cfg.MaxAge < 0 {
		return fmt.Errorf("max_age: %s is negative; write how long dead letters are kept, such as 168h, or 0 for as long as there is room", cfg.MaxAge)
	}
	return nil
}

func createDefaultConfig() component.Config {
	server := confighttp.NewDefaultServerConfig()
	server.NetAddr.Endpoint = defaultEndpoint
	server.ReadTimeout = defaultReadTimeout
	return &Config{ServerConfig: server, CreateDirectory: true, MaxSize: defaultMaxSize}
}
