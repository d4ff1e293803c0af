// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"errors"
	"fmt"
	"maps"
	"slices"
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
	"github.com/otelcol-fanout/otelcol-fanout/internal/stacktrace"
	"github.com/otelcol-fanout/otelcol-fanout/internal/strictconf"
)

// Config is the configuration of the posthog exporter.
type Config struct {
	// ClientConfig is the HTTP client: endpoint (default https://us.i.posthog.com), timeout
	// (default 30s, one attempt), compression (default gzip), headers, tls, proxy_url and the other
	// keys of confighttp.
	ClientConfig confighttp.ClientConfig `mapstructure:",squash"`

	// Delivery is how events get there: dispatch, dead_letter, max_in_flight, shutdown_timeout,
	// sending_queue and retry_on_failure. A batch holds up to 500 events.
	Delivery delivery.Config `mapstructure:",squash"`

	// APIKey is the project's API key (required), which begins with phc_.
	APIKey configopaque.String `mapstructure:"api_key"`

	// Protocol is batch (default) or v1, which answers for each event.
	Protocol Protocol `mapstructure:"protocol"`

	// DistinctID says where an event has its distinct ID; default posthog.distinct_id, user.id,
	// enduser.id and enduser.pseudo.id.
	DistinctID analyticsconf.IDAttributes `mapstructure:"distinct_id"`

	// PersonProfiles says whose events have a person profile: always (default), identified_only or
	// never.
	PersonProfiles PersonProfiles `mapstructure:"person_profiles"`

	// EventNames says what events are called.
	EventNames EventNamesConfig `mapstructure:"event_names"`

	// Logs says what becomes of records that are no events: skip (default) or as_events.
	Logs analyticsconf.Logs `mapstructure:"logs"`

	// ResourceAttributes are the attributes of the resource that become properties: names, or
	// patterns such as service.*; default service.name, service.namespace, service.version and
	// deployment.environment.name.
	ResourceAttributes []string `mapstructure:"resource_attributes"`

	// IPAttribute is the attribute with the address of the person's device, such as client.address,
	// for PostHog to find out where that is. If it is empty (default), or the event has no such
	// attribute, PostHog is told not to.
	IPAttribute string `mapstructure:"ip_attribute"`

	// Exceptions says what becomes of exceptions.
	Exceptions ExceptionsConfig `mapstructure:"exceptions"`

	// AI says what becomes of spans of language models.
	AI AIConfig `mapstructure:"ai"`

	// HistoricalMigration says how events older than 48 hours are sent: auto (default: in requests
	// of their own, marked as historical) or never (as all others).
	HistoricalMigration HistoricalMigration `mapstructure:"historical_migration"`
}

// EventNamesConfig says what events are called.
type EventNamesConfig struct {
	// Map is the name in PostHog for a name here. Other names stay as they are.
	Map map[string]string `mapstructure:"map"`
}

// ExceptionsConfig says what becomes of exceptions.
type ExceptionsConfig struct {
	// Enabled is whether they become $exception events; default true.
	Enabled bool `mapstructure:"enabled"`

	// InApp says which stack frames are the application's own.
	InApp stacktrace.Rules `mapstructure:"in_app"`
}

// AIConfig says what becomes of spans of language models.
type AIConfig struct {
	// Enabled is whether they become $ai_generation, $ai_embedding, $ai_span and $ai_trace; default
	// true.
	Enabled bool `mapstructure:"enabled"`

	// Content says what is sent of prompts and outputs: full (default), redacted (roles and types,
	// but no text) or none. It holds for records too.
	Content Content `mapstructure:"content"`
}

// Protocol is one of PostHog's capture APIs.
type Protocol string

// The protocols.
const (
	ProtocolBatch Protocol = "batch"
	ProtocolV1    Protocol = "v1"
)

// PersonProfiles says whose events have a person profile.
type PersonProfiles string

// Whose events have one. Events that tell nobody never do.
const (
	ProfilesAlways         PersonProfiles = "always"
	ProfilesIdentifiedOnly PersonProfiles = "identified_only"
	ProfilesNever          PersonProfiles = "never"
)

// Content says what is sent of prompts and outputs.
type Content string

// What is sent of them.
const (
	ContentFull     Content = "full"
	ContentRedacted Content = "redacted"
	ContentNone     Content = "none"
)

// HistoricalMigration says how old events are sent.
type HistoricalMigration string

// How they are sent.
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

// Unmarshal implements confmap.Unmarshaler: a key that does not exist is an error. An empty word,
// which is what an environment variable that is set to nothing leaves, is as good as none.
func (cfg *Config) Unmarshal(conf *confmap.Conf) error {
	if err := strictconf.Unmarshal(conf, cfg); err != nil {
		return err
	}
	strictconf.Default(&cfg.Protocol, ProtocolBatch)
	strictconf.Default(&cfg.PersonProfiles, ProfilesAlways)
	cfg.Logs.ApplyDefault()
	strictconf.Default(&cfg.AI.Content, ContentFull)
	strictconf.Default(&cfg.HistoricalMigration, HistoricalAuto)
	strictconf.Default(&cfg.ClientConfig.Endpoint, defaultEndpoint)
	return nil
}

// Validate implements confmap.Validator. Its errors repeat nothing that may be a secret.
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
	const remedy = "write the project API key, which begins with phc_ and stands in PostHog's project settings"
	if err := strictconf.CheckCredential(key, remedy, "POSTHOG_API_KEY"); err != nil {
		return err
	}
	if strings.HasPrefix(key, "phx_") {
		return errors.New("is a personal API key (phx_), which may read your data and which PostHog refuses for events; " + remedy)
	}
	return nil
}

// checkEndpoint refuses the hosts that answer, but take no events (https://posthog.com/docs/api,
// "Private and public endpoints").
func checkEndpoint(endpoint string) error {
	u, err := strictconf.ParseURL(endpoint, defaultEndpoint)
	if err != nil {
		return err
	}
	switch strings.ToLower(u.Hostname()) {
	case "us.posthog.com", "app.posthog.com", "posthog.com", "www.posthog.com", "us-assets.i.posthog.com":
		return errors.New("takes no events; write " + defaultEndpoint)
	case "eu.posthog.com", "eu-assets.i.posthog.com":
		return errors.New("takes no events; write " + euEndpoint)
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("has a user, a query or a fragment; write the address only, such as " + defaultEndpoint)
	}
	for _, path := range []string{"/batch", "/capture", "/e", "/track", "/engage", "/i/v0/e", "/i/v1/logs", "/i/v0/ai/otel", pathV1} {
		if strings.HasSuffix(strings.TrimSuffix(u.Path, "/"), path) {
			return errors.New("ends with " + path + "; leave that out, for the exporter adds the path of its protocol")
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
		strictconf.CheckWord("historical_migration", cfg.HistoricalMigration, HistoricalAuto, HistoricalNever),
	)
}

func (cfg *Config) checkCompression() error {
	c := cfg.ClientConfig.Compression
	if cfg.Protocol == ProtocolBatch && c.IsCompressed() && c != configcompression.TypeGzip {
		return fmt.Errorf("compression: PostHog takes no %s in the batch protocol; write gzip or none", c)
	}
	return nil
}

func (cfg *Config) checkNames() error {
	if err := cfg.DistinctID.Check("distinct_id"); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.EventNames.Map)) {
		if to := cfg.EventNames.Map[name]; to == "" || len(to) > maxName {
			return fmt.Errorf("event_names::map::%s: has %d bytes, but a name has 1 to %d", name, len(to), maxName)
		}
	}
	return nil
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
		AI:                  AIConfig{Enabled: true, Content: ContentFull},
		HistoricalMigration: HistoricalAuto,
	}
}

// usualIDs are the attributes that may hold the distinct id.
func usualIDs() []string {
	return []string{attrDistinctID, appevent.AttrUserID, appevent.AttrEndUserID, appevent.AttrAnonymousID}
}
