// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configcompression"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/stacktrace"
	"github.com/otelcol-fanout/otelcol-fanout/internal/strictconf"
)

// Config is the configuration of the sentry exporter.
type Config struct {
	// ClientConfig is the HTTP client: timeout (default 30s, one attempt), compression (default gzip), headers, tls,
	// proxy_url and the other keys of confighttp. It has no endpoint: the DSN says where Sentry is.
	ClientConfig confighttp.ClientConfig `mapstructure:",squash"`

	// Delivery is how events get there: dispatch, dead_letter, max_in_flight, shutdown_timeout, sending_queue and
	// retry_on_failure. A batch holds up to 1000 items.
	Delivery delivery.Config `mapstructure:",squash"`

	// DSN is the project that events go to. It may be empty where routing names projects; what these do not cover is then
	// refused.
	DSN configopaque.String `mapstructure:"dsn"`

	// Routing sends events to several projects.
	Routing RoutingConfig `mapstructure:"routing"`

	// Issues says which records become Issues, and how.
	Issues IssuesConfig `mapstructure:"issues"`

	// Logs says what becomes of records that are no Issues.
	Logs LogsConfig `mapstructure:"logs"`

	// Traces says what becomes of spans.
	Traces TracesConfig `mapstructure:"traces"`

	// InApp says which stack frames are the application's own.
	InApp stacktrace.Rules `mapstructure:"in_app"`

	// Environment is that of events whose resource has no deployment.environment.name; empty leaves it to Sentry, which
	// then says production.
	Environment string `mapstructure:"environment"`

	// ReleaseFormat is version (default: service.version) or name@version (service.name@service.version). Releases are
	// shared by all projects of a Sentry organization.
	ReleaseFormat ReleaseFormat `mapstructure:"release_format"`

	// RateLimited is what becomes of what Sentry's rate limits catch: dead_letter (default) or drop.
	RateLimited RateLimited `mapstructure:"rate_limited"`

	// MaxEventBytes is the size from which on an item is trimmed; default 1 MiB, which is what Sentry takes. At least 32 KiB.
	MaxEventBytes int `mapstructure:"max_event_bytes"`

	// SendDefaultPII sends what tells who a user is: user.*, addresses of clients, cookies and authorization headers.
	// Default false.
	SendDefaultPII bool `mapstructure:"send_default_pii"`

	// MaskSecrets writes [Filtered] in place of attributes whose names say that they are secrets, such as
	// password or api_key. Default true.
	MaskSecrets bool `mapstructure:"mask_secrets"`

	// SendClientReports tells Sentry how many items were dropped here, and why. Default true.
	SendClientReports bool `mapstructure:"send_client_reports"`
}

// RoutingConfig sends events to projects by an attribute.
type RoutingConfig struct {
	// FromAttribute is the attribute that names the project, such as service.name. One of the record or span wins over one of
	// the resource.
	FromAttribute string `mapstructure:"from_attribute"`

	// DSNs is the DSN for each value of the attribute. Other values go to dsn.
	DSNs map[string]configopaque.String `mapstructure:"dsns"`
}

// IssuesConfig says which records become Issues.
type IssuesConfig struct {
	// Enabled is whether there are Issues; default true. Without them exceptions are logs.
	Enabled bool `mapstructure:"enabled"`

	// MinSeverity is the severity from which on a record without an exception becomes an Issue: trace, debug, info, warn,
	// error (default), fatal, or off.
	MinSeverity Severity `mapstructure:"min_severity"`

	// Fingerprints groups Issues by event name: a pattern such as payment_* to the fingerprint, a list of strings in which
	// {{ default }} stands for Sentry's own grouping.
	Fingerprints map[string][]string `mapstructure:"fingerprints"`

	// MaxBreadcrumbs is how many earlier records of the same trace an Issue shows; default 100, 0 for none.
	MaxBreadcrumbs int `mapstructure:"max_breadcrumbs"`

	// Tags are the attributes that become searchable tags: names, or patterns such as http.*; default all ("*").
	Tags []string `mapstructure:"tags"`
}

// LogsConfig says what becomes of records that are no Issues.
type LogsConfig struct {
	// Enabled is whether they are sent as Sentry logs; default true.
	Enabled bool `mapstructure:"enabled"`
}

// TracesConfig says what becomes of spans.
type TracesConfig struct {
	// Format is spans (default), transactions (for servers that do not know spans), or off. Exceptions in spans become
	// Issues whatever it is.
	Format TracesFormat `mapstructure:"format"`

	// SpanEvents is whether span events that are no exceptions are sent as logs; default true. It needs logs::enabled.
	SpanEvents bool `mapstructure:"span_events"`
}

// ReleaseFormat is how a release is named.
type ReleaseFormat string

// The release formats.
const (
	ReleaseVersion     ReleaseFormat = "version"
	ReleaseNameVersion ReleaseFormat = "name@version"
)

// RateLimited is what becomes of what rate limits catch.
type RateLimited string

// What becomes of it.
const (
	RateLimitedDeadLetter RateLimited = "dead_letter"
	RateLimitedDrop       RateLimited = "drop"
)

// TracesFormat is what spans are sent as.
type TracesFormat string

// The formats of spans.
const (
	TracesSpans        TracesFormat = "spans"
	TracesTransactions TracesFormat = "transactions"
	TracesOff          TracesFormat = "off"
)

// Severity is a threshold.
type Severity string

// severityNumbers are the lowest severity numbers of each word (OpenTelemetry logs data model, "Severity Fields").
func severityNumbers() map[Severity]plog.SeverityNumber {
	return map[Severity]plog.SeverityNumber{
		"trace": plog.SeverityNumberTrace, "debug": plog.SeverityNumberDebug, "info": plog.SeverityNumberInfo,
		"warn": plog.SeverityNumberWarn, "error": plog.SeverityNumberError, "fatal": plog.SeverityNumberFatal,
		severityOff: plog.SeverityNumberFatal4 + 1,
	}
}

const (
	severityError Severity = "error"
	severityOff   Severity = "off"

	defaultTimeout     = 30 * time.Second
	defaultBatchItems  = maxSpans
	defaultBreadcrumbs = 100
	minEventBytes      = 32 << 10
)

// Unmarshal implements confmap.Unmarshaler: a key that does not exist is an error. An empty word, which is what an
// environment variable that is set to nothing leaves, is as good as none.
func (cfg *Config) Unmarshal(conf *confmap.Conf) error {
	if err := strictconf.Unmarshal(conf, cfg); err != nil {
		return err
	}
	strictconf.Default(&cfg.ReleaseFormat, ReleaseVersion)
	strictconf.Default(&cfg.RateLimited, RateLimitedDeadLetter)
	strictconf.Default(&cfg.Traces.Format, TracesSpans)
	strictconf.Default(&cfg.Issues.MinSeverity, severityError)
	return nil
}

// Validate implements confmap.Validator. Its errors repeat no DSN.
func (cfg *Config) Validate() error {
	if err := cfg.validateDSNs(); err != nil {
		return err
	}
	if cfg.ClientConfig.Endpoint != "" {
		return errors.New("endpoint: is not a key of this exporter, since the DSN says where Sentry is; remove it")
	}
	if err := strictconf.CheckProxy(cfg.ClientConfig.ProxyURL); err != nil {
		return fmt.Errorf("proxy_url: %w", err)
	}
	if err := cfg.Issues.validate(); err != nil {
		return fmt.Errorf("issues::%w", err)
	}
	if err := cfg.validateWords(); err != nil {
		return err
	}
	if cfg.MaxEventBytes < minEventBytes {
		return fmt.Errorf("max_event_bytes: %d is too small; write a number of bytes from %d on (default %d)", cfg.MaxEventBytes, minEventBytes, maxItem)
	}
	return cfg.Delivery.Check()
}

func (cfg *Config) validateDSNs() error {
	if cfg.DSN != "" || len(cfg.Routing.DSNs) == 0 {
		if _, err := parseDSN(string(cfg.DSN)); err != nil {
			return fmt.Errorf("dsn: %w", err)
		}
	}
	for _, value := range slices.Sorted(maps.Keys(cfg.Routing.DSNs)) {
		if _, err := parseDSN(string(cfg.Routing.DSNs[value])); err != nil {
			return fmt.Errorf("routing::dsns::%s: %w", value, err)
		}
	}
	if (cfg.Routing.FromAttribute == "") != (len(cfg.Routing.DSNs) == 0) {
		return errors.New("routing: from_attribute (an attribute such as service.name) and dsns (its values and their DSNs) belong together; write both or neither")
	}
	return nil
}

func (cfg *IssuesConfig) validate() error {
	if _, ok := severityNumbers()[cfg.MinSeverity]; !ok {
		return fmt.Errorf("min_severity: %q is not a severity; write trace, debug, info, warn, error, fatal or off", cfg.MinSeverity)
	}
	if cfg.MaxBreadcrumbs < 0 {
		return fmt.Errorf("max_breadcrumbs: %d is negative; write how many earlier records an Issue shows (default %d), or 0 for none", cfg.MaxBreadcrumbs, defaultBreadcrumbs)
	}
	return nil
}

func (cfg *Config) validateWords() error {
	var environment error
	if environmentOf(cfg.Environment) != cfg.Environment {
		environment = fmt.Errorf("environment: has a slash or a space, is longer than %d characters or is the word None, none of which Sentry takes", maxEnvironment)
	}
	return errors.Join(
		strictconf.CheckWord("release_format", cfg.ReleaseFormat, ReleaseVersion, ReleaseNameVersion),
		strictconf.CheckWord("rate_limited", cfg.RateLimited, RateLimitedDeadLetter, RateLimitedDrop),
		strictconf.CheckWord("traces::format", cfg.Traces.Format, TracesSpans, TracesTransactions, TracesOff),
		environment,
	)
}

func createDefaultConfig() component.Config {
	client := confighttp.NewDefaultClientConfig()
	client.Timeout = defaultTimeout
	client.Compression = configcompression.TypeGzip
	return &Config{
		ClientConfig:      client,
		Delivery:          delivery.NewDefaultConfig(defaultBatchItems),
		Issues:            IssuesConfig{Enabled: true, MinSeverity: severityError, MaxBreadcrumbs: defaultBreadcrumbs, Tags: []string{"*"}},
		Logs:              LogsConfig{Enabled: true},
		Traces:            TracesConfig{Format: TracesSpans, SpanEvents: true},
		ReleaseFormat:     ReleaseVersion,
		RateLimited:       RateLimitedDeadLetter,
		MaxEventBytes:     maxItem,
		MaskSecrets:       true,
		SendClientReports: true,
	}
}
