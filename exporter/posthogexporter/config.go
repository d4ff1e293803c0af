// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configcompression"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/confmap"

	"github.com/otelcol-fanout/otelcol-fanout/internal/analyticsconf"
	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/pattern"
	"github.com/otelcol-fanout/otelcol-fanout/internal/stacktrace"
	"github.com/otelcol-fanout/otelcol-fanout/internal/strictconf"
)

// Config is the configuration of the posthog exporter.
type Config struct {
	// ClientConfig configures the HTTP client: endpoint (default https://us.i.posthog.com), timeout
	// of one attempt (default 30s), compression (gzip, the default, or none), headers, tls,
	// proxy_url and the other keys of confighttp.
	ClientConfig confighttp.ClientConfig `mapstructure:",squash"`

	// Delivery configures dispatch, dead_letter, max_in_flight, shutdown_timeout, sending_queue and
	// retry_on_failure. By default a batch holds up to 500 events.
	Delivery delivery.Config `mapstructure:",squash"`

	// APIKey is the project API key, which begins with phc_. It is required.
	APIKey configopaque.String `mapstructure:"api_key"`

	// Protocol is batch (default) or v1, whose responses have a result for each event.
	Protocol Protocol `mapstructure:"protocol"`

	// DistinctID lists the attributes that may hold the distinct ID. The default is
	// posthog.distinct_id, user.id, enduser.id and enduser.pseudo.id.
	DistinctID analyticsconf.IDAttributes `mapstructure:"distinct_id"`

	// PersonProfiles selects the events that have a person profile: always (default),
	// identified_only or never.
	PersonProfiles PersonProfiles `mapstructure:"person_profiles"`

	// EventNames renames events.
	EventNames EventNamesConfig `mapstructure:"event_names"`

	// Logs says how to treat records that are not events: skip (default) or as_events.
	Logs analyticsconf.Logs `mapstructure:"logs"`

	// ResourceAttributes lists the resource attributes that become properties, by name or by
	// pattern such as service.*. The default is service.name, service.namespace, service.version
	// and deployment.environment.name.
	ResourceAttributes analyticsconf.ResourceAttributes `mapstructure:"resource_attributes"`

	// IPAttribute names the attribute with the IP address of the person's device, such as
	// client.address, by which PostHog locates the person. If it is empty (default), or the event
	// lacks the attribute, the event has $geoip_disable.
	IPAttribute string `mapstructure:"ip_attribute"`

	// Exceptions configures $exception events.
	Exceptions ExceptionsConfig `mapstructure:"exceptions"`

	// AI configures $ai_... events, which are made from spans of language models.
	AI AIConfig `mapstructure:"ai"`

	// HistoricalMigration says how to send events older than 48 hours: auto (default) sends them in
	// separate requests marked as historical, never sends them like all other events.
	HistoricalMigration HistoricalMigration `mapstructure:"historical_migration"`
}

// EventNamesConfig renames events.
type EventNamesConfig struct {
	// Map maps event names to the names in PostHog. Names that it does not list stay unchanged.
	Map analyticsconf.EventNames `mapstructure:"map"`
}

// ExceptionsConfig configures $exception events.
type ExceptionsConfig struct {
	// Enabled turns exceptions into $exception events. The default is true.
	Enabled bool `mapstructure:"enabled"`

	// InApp selects the stack frames that belong to the application.
	InApp stacktrace.Rules `mapstructure:"in_app"`
}

// AIConfig configures $ai_... events.
type AIConfig struct {
	// Enabled turns spans of language models into $ai_generation, $ai_embedding, $ai_span and
	// $ai_trace events. The default is true.
	Enabled bool `mapstructure:"enabled"`

	// Content says how much of prompts and outputs to send: full (default), redacted (roles and
	// types, but no text) or none. It also applies to records.
	Content Content `mapstructure:"content"`

	// OperationDetails says what log records named gen_ai.client.inference.operation.details become:
	// event (default: an event of their own name) or generation (the event of the span that they
	// describe).
	OperationDetails OperationDetails `mapstructure:"operation_details"`
}

// Protocol is one of PostHog's capture APIs.
type Protocol string

// The protocols.
const (
	ProtocolBatch Protocol = "batch"
	ProtocolV1    Protocol = "v1"
)

// PersonProfiles selects the events that have a person profile.
type PersonProfiles string

// The values of person_profiles. Events without a distinct ID never have a profile.
const (
	ProfilesAlways         PersonProfiles = "always"
	ProfilesIdentifiedOnly PersonProfiles = "identified_only"
	ProfilesNever          PersonProfiles = "never"
)

// Content says how much of prompts and outputs to send.
type Content string

// The values of ai::content.
const (
	ContentFull     Content = "full"
	ContentRedacted Content = "redacted"
	ContentNone     Content = "none"
)

// OperationDetails says what log records about calls of language models become.
type OperationDetails string

// The values of ai::operation_details.
const (
	DetailsEvent      OperationDetails = "event"
	DetailsGeneration OperationDetails = "generation"
)

// HistoricalMigration says how to send old events.
type HistoricalMigration string

// The values of historical_migration.
const (
	HistoricalAuto  HistoricalMigration = "auto"
	HistoricalNever HistoricalMigration = "never"
)

const (
	defaultEndpoint    = "https://us.i.posthog.com"
	euEndpoint         = "https://eu.i.posthog.com"
	defaultTimeout     = 30 * time.Second
	defaultBatchEvents = 500
)

// attrDistinctID is the attribute that PostHog's own OTLP endpoint reads.
const attrDistinctID = "posthog.distinct_id"

// Unmarshal implements confmap.Unmarshaler. Unknown keys are errors. An empty value, such as an
// empty environment variable leaves, selects the default.
func (cfg *Config) Unmarshal(conf *confmap.Conf) error {
	if err := delivery.Unmarshal(conf, cfg, &cfg.Delivery); err != nil {
		return err
	}
	strictconf.Default(&cfg.Protocol, ProtocolBatch)
	strictconf.Default(&cfg.PersonProfiles, ProfilesAlways)
	cfg.Logs.ApplyDefault()
	strictconf.Default(&cfg.AI.Content, ContentFull)
	strictconf.Default(&cfg.AI.OperationDetails, DetailsEvent)
	strictconf.Default(&cfg.HistoricalMigration, HistoricalAuto)
	strictconf.Default(&cfg.ClientConfig.Endpoint, defaultEndpoint)
	return nil
}

// Validate implements confmap.Validator. Its errors never quote a possible secret.
func (cfg *Config) Validate() error {
	if err := checkKey(string(cfg.APIKey)); err != nil {
		return fmt.Errorf("api_key: %w", err)
	}
	if err := checkEndpoint(cfg.ClientConfig.Endpoint); err != nil {
		return fmt.Errorf("endpoint: %w", err)
	}
	if err := strictconf.CheckProxy(cfg.ClientConfig.ProxyURL); err != nil {
		return fmt.Errorf("proxy_url: %w", err)
	}
	if err := cfg.checkWords(); err != nil {
		return err
	}
	if err := cfg.checkCompression(); err != nil {
		return err
	}
	if err := cfg.checkNames(); err != nil {
		return err
	}
	return cfg.Delivery.Check()
}

func checkKey(key string) error {
	const remedy = "write the project API key, which begins with phc_; PostHog shows it in the project settings"
	if err := strictconf.CheckCredential(key, remedy, "POSTHOG_API_KEY"); err != nil {
		return err
	}
	if strings.HasPrefix(key, "phx_") {
		return errors.New("is a personal API key (phx_), which PostHog refuses for events; " + remedy)
	}
	return nil
}

// checkEndpoint refuses the hosts that respond but accept no events (https://posthog.com/docs/api,
// "Private and public endpoints").
func checkEndpoint(endpoint string) error {
	u, err := strictconf.ParseURL(endpoint, defaultEndpoint)
	if err != nil {
		return err
	}
	switch strings.ToLower(u.Hostname()) {
	case "us.posthog.com", "app.posthog.com", "posthog.com", "www.posthog.com", "us-assets.i.posthog.com":
		return errors.New("does not accept events; write " + defaultEndpoint)
	case "eu.posthog.com", "eu-assets.i.posthog.com":
		return errors.New("does not accept events; write " + euEndpoint)
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("has a user, a query or a fragment; write the address only, such as " + defaultEndpoint)
	}
	for _, path := range []string{"/batch", "/capture", "/e", "/track", "/engage", "/i/v0/e", "/i/v1/logs", "/i/v0/ai/otel", pathV1} {
		if strings.HasSuffix(strings.TrimSuffix(u.Path, "/"), path) {
			return errors.New("remove " + path + "; the exporter appends the path itself")
		}
	}
	return nil
}

func (cfg *Config) checkWords() error {
	return errors.Join(
		strictconf.CheckWord("protocol", cfg.Protocol, ProtocolBatch, ProtocolV1),
		strictconf.CheckWord("person_profiles", cfg.PersonProfiles, ProfilesAlways, ProfilesIdentifiedOnly, ProfilesNever),
		cfg.Logs.Check(),
		strictconf.CheckWord("ai::content", cfg.AI.Content, ContentFull, ContentRedacted, ContentNone),
		strictconf.CheckWord("ai::operation_details", cfg.AI.OperationDetails, DetailsEvent, DetailsGeneration),
		strictconf.CheckWord("historical_migration", cfg.HistoricalMigration, HistoricalAuto, HistoricalNever),
	)
}

// checkCompression refuses compression that the batch protocol does not accept. Protocol v1 uses it
// too, for spans of language models and for events that were queued under protocol batch.
func (cfg *Config) checkCompression() error {
	c := cfg.ClientConfig.Compression
	if c.IsCompressed() && c != configcompression.TypeGzip {
		return fmt.Errorf("compression: PostHog's batch protocol, which protocol: v1 also uses for some events, does not accept %s; write gzip or none", c)
	}
	return nil
}

func (cfg *Config) checkNames() error {
	if err := cfg.DistinctID.Check("distinct_id"); err != nil {
		return err
	}
	if err := pattern.CheckAll(cfg.ResourceAttributes); err != nil {
		return fmt.Errorf("resource_attributes: %w", err)
	}
	return cfg.EventNames.Map.Check(func(name string) error {
		if name == "" || len(name) > maxName {
			return fmt.Errorf("the name has %d bytes; PostHog requires 1 to %d", len(name), maxName)
		}
		return nil
	})
}

func createDefaultConfig() component.Config {
	client := confighttp.NewDefaultClientConfig()
	client.Endpoint = defaultEndpoint
	client.Timeout = defaultTimeout
	client.Compression = configcompression.TypeGzip
	return &Config{
		ClientConfig:   client,
		Delivery:       delivery.NewDefaultConfig(defaultBatchEvents),
		Protocol:       ProtocolBatch,
		PersonProfiles: ProfilesAlways,
		DistinctID:     analyticsconf.IDAttributes{From: usualIDs()},
		Logs:           analyticsconf.LogsSkip,
		ResourceAttributes: []string{
			appevent.AttrServiceName, appevent.AttrServiceNamespace, appevent.AttrServiceVersion, appevent.AttrEnvironment,
		},
		Exceptions:          ExceptionsConfig{Enabled: true},
		AI:                  AIConfig{Enabled: true, Content: ContentFull, OperationDetails: DetailsEvent},
		HistoricalMigration: HistoricalAuto,
	}
}

// usualIDs returns the default of distinct_id::from.
func usualIDs() []string {
	return []string{attrDistinctID, appevent.AttrUserID, appevent.AttrEndUserID, appevent.AttrAnonymousID}
}
