// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventreceiver

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/confignet"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/confmap"

	"github.com/otelcol-fanout/otelcol-fanout/internal/sdkhttp"
	"github.com/otelcol-fanout/otelcol-fanout/internal/strictconf"
)

const (
	defaultEndpoint = "localhost:4319"
	// confighttp has no default read timeout, so a client that sends one byte a minute could hold a
	// connection forever.
	defaultReadTimeout = 30 * time.Second
	defaultMaxEvents   = 10_000
	defaultMaxIDs      = 100_000

	defaultMaxInflightBytes = 64 << 20
	// A smaller budget would refuse bodies that may contain their write key.
	minMaxInflightBytes = maxBodyWithoutKey
)

// Config is the configuration of the event receiver.
type Config struct {
	// ServerConfig is the HTTP server: endpoint (default localhost:4319), tls, auth, cors,
	// max_request_body_size (default 20 MiB, before and after decompression), read_timeout (default
	// 30s) and the other keys of confighttp.
	ServerConfig confighttp.ServerConfig `mapstructure:",squash"`

	// MaxEvents is the maximum number of events per request; default 10000. A larger request gets
	// status 413.
	MaxEvents int `mapstructure:"max_events"`

	// MaxInflightBytes is how many bytes of bodies all requests together may hold, from their arrival
	// until the pipeline has accepted them; default 64 MiB. Further requests get status 503.
	MaxInflightBytes sdkhttp.Size `mapstructure:"max_inflight_bytes"`

	// AllowedHosts are names by which clients reach the receiver, such as events.example.com or
	// *.example.com. A loopback endpoint accepts no other names; any other endpoint accepts all names
	// unless this is set. Default none.
	AllowedHosts []string `mapstructure:"allowed_hosts"`

	// Keys are the write keys of the applications that may send events. Default none:
	// anyone who can reach the endpoint may send.
	Keys []KeyConfig `mapstructure:"keys"`

	// Webhooks are the accepted webhook senders, by the last segment of their path,
	// /v1/webhooks/<name>. Default none.
	Webhooks map[string]WebhookConfig `mapstructure:"webhooks"`

	// Deduplication drops events that are sent again. It is off by default.
	Deduplication DeduplicationConfig `mapstructure:"deduplication"`

	// TrustedProxies are the addresses, or CIDR ranges, of proxies whose X-Forwarded-For is
	// trusted. It requires include_metadata. Default none.
	TrustedProxies []string `mapstructure:"trusted_proxies"`
}

// KeyConfig is a write key.
type KeyConfig struct {
	// Key is the text that the application sends (required).
	Key configopaque.String `mapstructure:"key"`
	// Resource holds attributes that every event with this key gets, overriding the event's own:
	// service.name, deployment.environment.name and so on. Default none.
	Resource map[string]string `mapstructure:"resource"`
}

// DeduplicationConfig configures how repeated events are recognized.
type DeduplicationConfig struct {
	// Window is how long an accepted id or idempotency key is remembered. Default 0: off.
	Window time.Duration `mapstructure:"window"`
	// MaxIDs is how many are remembered at a time; default 100000, about 100 bytes each. The oldest
	// are forgotten first.
	MaxIDs int `mapstructure:"max_ids"`
}

// Unmarshal implements confmap.Unmarshaler. Unknown keys are errors.
func (cfg *Config) Unmarshal(conf *confmap.Conf) error { return strictconf.Unmarshal(conf, cfg) }

// encodings are the content encodings that confighttp supports; the first one is none.
var encodings = []string{"", "gzip", "zstd", "zlib", "deflate", "snappy", "lz4", "x-snappy-framed"}

// Validate implements confmap.Validator. Its errors never repeat a secret.
func (cfg *Config) Validate() error {
	if err := cfg.validateServer(); err != nil {
		return err
	}
	if cfg.MaxEvents <= 0 {
		return fmt.Errorf("max_events: %d is not positive; it is the maximum number of events per request (default %d)", cfg.MaxEvents, defaultMaxEvents)
	}
	if cfg.MaxInflightBytes < minMaxInflightBytes {
		return fmt.Errorf("max_inflight_bytes: %d is too small; it is for the bodies of all requests together, so use at least %d (default 64MiB)", cfg.MaxInflightBytes, minMaxInflightBytes)
	}
	if err := sdkhttp.ValidateHosts(cfg.AllowedHosts); err != nil {
		return err
	}
	if cfg.Deduplication.Window < 0 {
		return fmt.Errorf("deduplication::window: %s is negative; write how long ids are remembered, such as 10m, or 0 to turn it off", cfg.Deduplication.Window)
	}
	if cfg.Deduplication.MaxIDs <= 0 {
		return fmt.Errorf("deduplication::max_ids: %d is not positive; it is how many ids are remembered at a time (default %d)", cfg.Deduplication.MaxIDs, defaultMaxIDs)
	}
	if err := cfg.validateKeys(); err != nil {
		return err
	}
	if _, err := parseProxies(cfg.TrustedProxies); err != nil {
		return err
	}
	if len(cfg.TrustedProxies) > 0 && !cfg.ServerConfig.IncludeMetadata {
		return errors.New("trusted_proxies: has no effect without include_metadata: true, which adds the client address to events")
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.Webhooks)) {
		if !isWebhookName(name) {
			return fmt.Errorf("webhooks::%s: the name is part of a path; use only letters, digits, - and _", name)
		}
		webhook := cfg.Webhooks[name]
		if err := webhook.validate(); err != nil { // begins with the key
			return fmt.Errorf("webhooks::%s::%w", name, err)
		}
	}
	return nil
}

func (cfg *Config) validateServer() error {
	endpoint, transport := cfg.ServerConfig.NetAddr.Endpoint, cfg.ServerConfig.NetAddr.Transport
	if endpoint == "" {
		return errors.New("endpoint: is missing; write the address to listen on as host:port, such as " + defaultEndpoint)
	}
	if err := strictconf.CheckAddress(endpoint, defaultEndpoint); err != nil && transport != confignet.TransportTypeUnix {
		return fmt.Errorf("endpoint: %w", err)
	}
	switch transport {
	case confignet.TransportTypeTCP, confignet.TransportTypeTCP4, confignet.TransportTypeTCP6, confignet.TransportTypeUnix:
	default:
		return fmt.Errorf("transport: %q is not supported; use tcp, tcp4, tcp6 or unix", transport)
	}
	for _, algorithm := range cfg.ServerConfig.CompressionAlgorithms {
		if !slices.Contains(encodings, algorithm) {
			return fmt.Errorf("compression_algorithms: unsupported encoding %q; use %s", algorithm, strings.Join(encodings[1:], ", "))
		}
	}
	return nil
}

func (cfg *Config) validateKeys() error {
	seen := map[configopaque.String]bool{}
	for i := range cfg.Keys {
		key := cfg.Keys[i].Key
		if err := strictconf.CheckCredential(string(key), "write what the application sends", "EVENT_KEY"); err != nil {
			return fmt.Errorf("keys::%d::key: %w", i, err)
		}
		if seen[key] {
			return fmt.Errorf("keys::%d::key: is used by another entry as well; give each application its own key", i)
		}
		seen[key] = true
		if err := validateResource(cfg.Keys[i].Resource); err != nil {
			return fmt.Errorf("keys::%d::%w", i, err)
		}
	}
	return nil
}

func validateResource(resource map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(resource)) {
		if name == "" || resource[name] == "" {
			return fmt.Errorf("resource::%s: is empty; write a name and a value, such as service.name: shop", name)
		}
	}
	return nil
}

// parseProxies parses IP addresses and CIDR ranges.
func parseProxies(texts []string) ([]netip.Prefix, error) {
	proxies := make([]netip.Prefix, 0, len(texts))
	for i, text := range texts {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			var addr netip.Addr
			if addr, err = netip.ParseAddr(text); err == nil {
				prefix, err = addr.Prefix(addr.BitLen())
			}
		}
		if err != nil {
			return nil, fmt.Errorf("trusted_proxies::%d: %q is not an IP address or a CIDR range such as 10.0.0.0/8", i, text)
		}
		proxies = append(proxies, prefix.Masked())
	}
	return proxies, nil
}

func createDefaultConfig() component.Config {
	server := confighttp.NewDefaultServerConfig()
	server.NetAddr.Endpoint = defaultEndpoint
	server.ReadTimeout = defaultReadTimeout
	return &Config{
		ServerConfig: server, MaxEvents: defaultMaxEvents, MaxInflightBytes: defaultMaxInflightBytes,
		Deduplication: DeduplicationConfig{MaxIDs: defaultMaxIDs},
	}
}
