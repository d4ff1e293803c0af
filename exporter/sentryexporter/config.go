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
	"github.com/otelcol-fanout/otelcol-fanout/internal/pattern"
	"github.com/otelcol-fanout/otelcol-fanout/internal/stacktrace"
	"github.com/otelcol-fanout/otelcol-fanout/internal/strictconf"
)

// Config is the configuration of the sentry exporter.
type Config struct {
	// ClientConfig configures the HTTP client: timeout of one attempt (default 30s), compression
	// (default gzip), headers, tls, proxy_url and the other keys of confighttp. The DSN replaces
	// endpoint.
	ClientConfig confighttp.ClientConfig `mapstructure:",squash"`

	// Delivery has the keys of every exporter of this distribution: dispatch, dead_letter,
	// max_in_flight, shutdown_timeout, sending_queue and retry_on_failure. A batch has up to 1000
	// items by default.
	Delivery delivery.Config `mapstructure:",squash"`

	// DSN is the project that events go to. It may be empty if routing names projects; events that
	// routing does not cover are then refused.
	DSN configopaque.String `mapstructure:"dsn"`

	// Routing sends events to several projects.
	Routing RoutingConfig `mapstructure:"routing"`

	// Issues configures which records become Issues, and how.
	Issues IssuesConfig `mapstructure:"issues"`

	// Logs configures the records that do not become Issues.
	Logs LogsConfig `mapstructure:"logs"`

	// Traces configures spans.
	Traces TracesConfig `mapstructure:"traces"`

	// InApp configures which stack frames belong to the application.
	InApp stacktrace.Rules `mapstructure:"in_app"`

	// Environment is the environment of events whose resource has neither sentry.environment nor
	// deployment.environment.name. Without any of them, Sentry uses production.
	Environment string `mapstructure:"environment"`

	// ReleaseFormat is name@version (default: service.name@service.version) or version
	// (service.version alone). Sentry compares only versions after an @, and all projects of an
	// organization share their releases.
	ReleaseFormat ReleaseFormat `mapstructure:"release_format"`

	// RateLimited says what to do with items that exceed Sentry's rate limits: dead_letter (default)
	// or drop.
	RateLimited RateLimited `mapstructure:"rate_limited"`

	// MaxEventBytes is the size above which an item is trimmed: at least 32 KiB; default 1 MiB, which
	// is Sentry's limit.
	MaxEventBytes int `mapstructure:"max_event_bytes"`

	// SendDefaultPII sends personal data: user.*, client addresses, cookies and authorization headers.
	// Default false.
	SendDefaultPII bool `mapstructure:"send_default_pii"`

	// MaskSecrets sends [Filtered] instead of the value of attributes that are named like a secret,
	// such as password or api_key. Default true.
	MaskSecrets bool `mapstructure:"mask_secrets"`

	// SendClientReports reports to Sentry how many items were dropped here, and why. Default true.
	SendClientReports bool `mapstructure:"send_client_reports"`
}

// RoutingConfig sends events to projects by an attribute.
type RoutingConfig struct {
	// FromAttribute is the attribute that selects the project, such as service.name. An attribute of
	// the record or span takes precedence over one of the resource.
	FromAttribute string `mapstructure:"from_attribute"`

	// DSNs maps values of the attribute to DSNs. Events with any other value go to dsn.
	DSNs map[string]configopaque.String `mapstructure:"dsns"`
}

// IssuesConfig configures which records become Issues, and how.
type IssuesConfig struct {
	// Enabled sends Issues; default true. Without Issues, exceptions are sent as logs.
	Enabled bool `mapstructure:"enabled"`

	// MinSeverity is the lowest severity at which a record without an exception becomes an Issue:
	// trace, debug, info, warn, error (default), fatal, or off.
	MinSeverity Severity `mapstructure:"min_severity"`

	// MinExceptionSeverity is the lowest severity at which a record with an exception becomes an Issue,
	// one of the same values; default warn. A record without a severity counts as an error. Unhandled
	// exceptions, and those in spans, become Issues at any severity.
	MinExceptionSeverity Severity `mapstructure:"min_exception_severity"`

	// Fingerprints groups Issues by event name. The keys are names or patterns such as payment_*; the
	// values are lists of strings, in which {{ default }} stands for Sentry's default grouping.
	Fingerprints map[string][]string `mapstructure:"fingerprints"`

	// MaxBreadcrumbs is how many earlier records of the same trace an Issue shows at most; default
	// 100, 0 for none.
	MaxBreadcrumbs int `mapstructure:"max_breadcrumbs"`

	// Tags are the attributes that become searchable tags: names or patterns such as http.*. Default
	// all ("*").
	Tags []string `mapstructure:"tags"`
}

// LogsConfig configures the records that do not become Issues.
type LogsConfig struct {
	// Enabled sends them as Sentry logs; default true.
	Enabled bool `mapstructure:"enabled"`
}

// TracesConfig configures spans.
type TracesConfig struct {
	// Format is spans (default), transactions (for servers that do not support spans), or off.
	// Exceptions in spans become Issues with every format.
	Format TracesFormat `mapstructure:"format"`

	// SpanEvents sends span events that are not exceptions as logs; default true. It needs
	// logs::enabled.
	SpanEvents bool `mapstructure:"span_events"`
}

// ReleaseFormat is the format of a release's name.
type ReleaseFormat string

// The release formats.
const (
	ReleaseNameVersion ReleaseFormat = "name@version"
	ReleaseVersion     ReleaseFormat = "version"
)

// RateLimited says what to do with rate-limited items.
type RateLimited string

// The values of rate_limited.
const (
	RateLimitedDeadLetter RateLimited = "dead_letter"
	RateLimitedDrop       RateLimited = "drop"
)

// TracesFormat is the form in which spans are sent.
type TracesFormat string

// The formats of spans.
const (
	TracesSpans        TracesFormat = "spans"
	TracesTransactions TracesFormat = "transactions"
	TracesOff          TracesFormat = "off"
)

// Severity is the lowest severity of Issues.
type Severity string

// severityNumbers returns the lowest severity number of each word (OpenTelemetry logs data model,
// "Severity Fields").
func severityNumbers() map[Severity]plog.SeverityNumber {
	return map[Severity]plog.SeverityNumber{
		"trace": plog.SeverityNumberTrace, "debug": plog.SeverityNumberDebug, "info": plog.SeverityNumberInfo,
		"warn": plog.SeverityNumberWarn, "error": plog.SeverityNumberError, "fatal": plog.SeverityNumberFatal,
		severityOff: plog.SeverityNumberFatal4 + 1,
	}
}

const (
	severityWarn  Severity = "warn"
	severityError Severity = "error"
	severityOff   Severity = "off"

	defaultTimeout     = 30 * time.Second
	defaultBatchItems  = maxSpans
	defaultBreadcrumbs = 100
	minEventBytes      = 32 << 10
)

// Unmarshal implements confmap.Unmarshaler. Unknown keys are errors. An empty value, such as an
// empty environment variable leaves, selects the default.
func (cfg *Config) Unmarshal(conf *confmap.Conf) error {
	if err := delivery.Unmarshal(conf, cfg, &cfg.Delivery); err != nil {
		return err
	}
	strictconf.Default(&cfg.ReleaseFormat, ReleaseNameVersion)
	strictconf.Default(&cfg.RateLimited, RateLimitedDeadLetter)
	strictconf.Default(&cfg.Traces.Format, TracesSpans)
	strictconf.Default(&cfg.Issues.MinSeverity, severityError)
	strictconf.Default(&cfg.Issues.MinExceptionSeverity, severityWarn)
	return nil
}

// Validate implements confmap.Validator. Its errors never quote a DSN.
func (cfg *Config) Validate() error {
	if err := cfg.validateDSNs(); err != nil {
		return err
	}
	if cfg.ClientConfig.Endpoint != "" {
		return errors.New("endpoint: not supported, since the DSN contains Sentry's address; remove it")
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
		return fmt.Errorf("max_event_bytes: %d is too small; write %d or more (default %d)", cfg.MaxEventBytes, minEventBytes, maxItem)
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
		return errors.New("routing: needs both from_attribute (an attribute such as service.name) and dsns (a DSN for each of its values); write both or neither")
	}
	return nil
}

func (cfg *IssuesConfig) validate() error {
	for _, key := range []struct {
		name  string
		value Severity
	}{{"min_severity", cfg.MinSeverity}, {"min_exception_severity", cfg.MinExceptionSeverity}} {
		if _, ok := severityNumbers()[key.value]; !ok {
			return fmt.Errorf("%s: %q is not valid; write trace, debug, info, warn, error, fatal or off", key.name, key.value)
		}
	}
	if cfg.MaxBreadcrumbs < 0 {
		return fmt.Errorf("max_breadcrumbs: %d is negative; write how many earlier records an Issue shows at most (default %d), or 0 for none", cfg.MaxBreadcrumbs, defaultBreadcrumbs)
	}
	if err := pattern.CheckAll(slices.Sorted(maps.Keys(cfg.Fingerprints))); err != nil {
		return fmt.Errorf("fingerprints: %w", err)
	}
	if err := pattern.CheckAll(cfg.Tags); err != nil {
		return fmt.Errorf("tags: %w", err)
	}
	return nil
}

func (cfg *Config) validateWords() error {
	var environment error
	if environmentName(cfg.Environment) != cfg.Environment {
		environment = fmt.Errorf("environment: %q is not valid in Sentry; write up to %d characters without slashes and spaces; none, . and .. are reserved", cfg.Environment, maxEnvironment)
	}
	return errors.Join(
		strictconf.CheckWord("release_format", cfg.ReleaseFormat, ReleaseNameVersion, ReleaseVersion),
		strictconf.CheckWord("rate_limited", cfg.RateLimited, RateLimitedDeadLetter, RateLimitedDrop),
		strictconf.CheckWord("traces::format", cfg.Traces.Format, TracesSpans, TracesTransactions, TracesOff),
		environment,
	)
}

func defaultIssuesConfig() IssuesConfig {
	return IssuesConfig{
		Enabled: true, MinSeverity: severityError, MinExceptionSeverity: severityWarn, MaxBreadcrumbs: defaultBreadcrumbs, Tags: []string{"*"},
	}
}

func createDefaultConfig() component.Config {
	client := confighttp.NewDefaultClientConfig()
	client.Timeout = defaultTimeout
	client.Compression = configcompression.TypeGzip
	return &Config{
		ClientConfig:      client,
		Delivery:          delivery.NewDefaultConfig(defaultBatchItems),
		Issues:            defaultIssuesConfig(),
		Logs:              LogsConfig{Enabled: true},
		Traces:            TracesConfig{Format: TracesSpans, SpanEvents: true},
		ReleaseFormat:     ReleaseNameVersion,
		RateLimited:       RateLimitedDeadLetter,
		MaxEventBytes:     maxItem,
		MaskSecrets:       true,
		SendClientReports: true,
	}
}
