// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/confmap"

	"github.com/otelcol-fanout/otelcol-fanout/extension/statusextension/internal/backends"
	"github.com/otelcol-fanout/otelcol-fanout/internal/sdkhttp"
	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
	"github.com/otelcol-fanout/otelcol-fanout/internal/strictconf"
)

const (
	defaultEndpoint = "localhost:13135"
	// confighttp has no read timeout by default, and a client that sends one byte a minute would
	// keep its connection forever.
	defaultReadTimeout  = 30 * time.Second
	defaultRecentEvents = 1000
	// Questions lock the memory of a backend for a walk through it, which this bounds.
	maxRecentEvents = 10_000
)

// Config is the configuration of the status extension.
type Config struct {
	// ServerConfig configures the HTTP API: endpoint (default localhost:13135), tls, auth,
	// read_timeout (default 30s) and the other keys of confighttp except cors.
	ServerConfig confighttp.ServerConfig `mapstructure:",squash"`

	// RecentEvents is how many of the last events are remembered for each backend; default 1000, at
	// most 10000, and 0 for none. There are a quarter more places for events that were not delivered, or
	// not yet after an attempt that failed, and a tenth more for skipped ones.
	RecentEvents int `mapstructure:"recent_events"`

	// Payloads says whose payloads are kept with them: none (default), failures (events that were not
	// delivered) or all.
	Payloads backends.Payloads `mapstructure:"payloads"`

	// Answers shows the messages of backends, which may quote the contents of events; default true.
	Answers bool `mapstructure:"answers"`

	// Directory keeps which backends are paused, so that they stay paused after a restart. Without it
	// they are resumed at the start.
	Directory string `mapstructure:"directory"`

	// ReadOnly refuses every change: pausing, and replaying and deleting dead letters.
	ReadOnly bool `mapstructure:"read_only"`

	// AllowAnonymous lets everyone use the API who can reach an endpoint that is not on the loopback
	// interface, and has neither auth nor client certificates.
	AllowAnonymous bool `mapstructure:"allow_anonymous"`

	// AllowedHosts are further names by which clients may reach the API. *.example.com stands for
	// every name below example.com, and * for every name.
	AllowedHosts []string `mapstructure:"allowed_hosts"`

	// SwitchedOff are the exporters and receivers that are switched off, by section and id. The enabled
	// converter sets it; no configuration file does.
	SwitchedOff map[string]statusfeed.SwitchedOff `mapstructure:"switched_off"`
}

// Unmarshal implements confmap.Unmarshaler. Unknown keys are errors.
func (cfg *Config) Unmarshal(conf *confmap.Conf) error { return strictconf.Unmarshal(conf, cfg) }

// Validate implements confmap.Validator.
func (cfg *Config) Validate() error {
	if err := cfg.validateServer(); err != nil {
		return err
	}
	if cfg.RecentEvents < 0 || cfg.RecentEvents > maxRecentEvents {
		return fmt.Errorf("recent_events: %d is not possible; set how many of the last events to remember for each backend, from 0 to %d (default %d)",
			cfg.RecentEvents, maxRecentEvents, defaultRecentEvents)
	}
	switch cfg.Payloads {
	case backends.PayloadsNone, backends.PayloadsFailures, backends.PayloadsAll:
	default:
		return fmt.Errorf("payloads: %q is not a choice; use %s, %s or %s",
			cfg.Payloads, backends.PayloadsNone, backends.PayloadsFailures, backends.PayloadsAll)
	}
	return sdkhttp.ValidateHosts(cfg.AllowedHosts)
}

func (cfg *Config) validateServer() error {
	endpoint := cfg.ServerConfig.NetAddr.Endpoint
	if endpoint == "" {
		return errors.New("endpoint: is missing; set the address to listen on as host:port, such as " + defaultEndpoint)
	}
	if err := strictconf.CheckAddress(endpoint, defaultEndpoint); err != nil && !cfg.onSocketFile() {
		return fmt.Errorf("endpoint: %w", err)
	}
	if cfg.ServerConfig.CORS.HasValue() {
		return errors.New("cors: is not allowed; pages of other origins may not read this API, so remove the key")
	}
	if !cfg.protected() && !cfg.onSocketFile() && !isLoopbackHost(endpoint) {
		return errOpenEndpoint(endpoint)
	}
	return nil
}

// errOpenEndpoint is the error for an endpoint that machines of the network reach without credentials.
func errOpenEndpoint(endpoint string) error {
	return fmt.Errorf("endpoint: %s is not a loopback address, so anyone in the network could read about events and pause backends; use %s, "+
		"set auth or tls::client_ca_file, or set allow_anonymous: true if the network is protected", endpoint, defaultEndpoint)
}

// protected reports whether clients must show who they are, or need not.
func (cfg *Config) protected() bool {
	return cfg.AllowAnonymous || cfg.identifiesClients()
}

// identifiesClients reports whether clients need credentials or a certificate.
func (cfg *Config) identifiesClients() bool {
	server := &cfg.ServerConfig
	return server.Auth.HasValue() || server.TLS.HasValue() && server.TLS.Get().ClientCAFile != ""
}

// onSocketFile reports whether the server listens on a Unix socket, which no other machine reaches.
func (cfg *Config) onSocketFile() bool { return cfg.ServerConfig.NetAddr.Transport == "unix" }

func isLoopbackHost(endpoint string) bool {
	host, _, err := net.SplitHostPort(endpoint)
	if err != nil {
		return false
	}
	if address, err := netip.ParseAddr(host); err == nil {
		return address.IsLoopback()
	}
	return strings.EqualFold(host, "localhost")
}

// challenge tells a browser how to ask for credentials.
func (cfg *Config) challenge() string {
	if auth := cfg.ServerConfig.Auth; auth.HasValue() && auth.Get().Config.AuthenticatorID.Type().String() == "basicauth" {
		return `Basic realm="otelcol-fanout"`
	}
	return "Bearer"
}

// credentialParameters are the query parameters that are for the authenticator.
func (cfg *Config) credentialParameters() []string {
	if auth := cfg.ServerConfig.Auth; auth.HasValue() {
		return auth.Get().RequestParameters
	}
	return nil
}

// exportersOff returns the exporters that are switched off, by id.
func (cfg *Config) exportersOff() map[string]statusfeed.SwitchedOff {
	off := map[string]statusfeed.SwitchedOff{}
	for path, how := range cfg.SwitchedOff {
		if id, isExporter := strings.CutPrefix(path, "exporters/"); isExporter {
			off[id] = how
		}
	}
	return off
}

func createDefaultConfig() component.Config {
	server := confighttp.NewDefaultServerConfig()
	server.NetAddr.Endpoint = defaultEndpoint
	server.ReadTimeout = defaultReadTimeout
	return &Config{ServerConfig: server, RecentEvents: defaultRecentEvents, Payloads: backends.PayloadsNone, Answers: true}
}
