// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package webhookexporter

import (
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/confmap"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/signature"
	"github.com/otelcol-fanout/otelcol-fanout/internal/strictconf"
)

// Config is the configuration of the webhook exporter.
type Config struct {
	// ClientConfig configures the HTTP client: endpoint (the URL that events are posted to;
	// required except for pagerduty), headers, timeout (of one attempt, default 30s), tls, auth,
	// compression (default none) and the other keys of confighttp.
	ClientConfig confighttp.ClientConfig `mapstructure:",squash"`

	// Delivery configures how events are delivered: dispatch, dead_letter, max_in_flight,
	// shutdown_timeout, sending_queue and retry_on_failure. A batch holds up to 100 events, or 500
	// when a request holds several.
	Delivery delivery.Config `mapstructure:",squash"`

	// Endpoint repeats the endpoint of ClientConfig, so that it is redacted when the configuration
	// is printed: the path of a webhook is often a secret.
	Endpoint configopaque.String `mapstructure:"endpoint"`

	// Format is the format of events: event (default), standard, cloudevents, sink, otlp_json,
	// template, slack, discord, teams or pagerduty.
	Format Format `mapstructure:"format"`

	// Content says how much of an event is sent: full (default), or summary, which leaves out
	// properties, messages and the text of exceptions.
	Content Content `mapstructure:"content"`

	// Batching says how events are put into requests: single (default), array or ndjson. With
	// cloudevents::mode batched it is array.
	Batching Batching `mapstructure:"batching"`

	// CloudEvents configures the format cloudevents.
	CloudEvents CloudEventsConfig `mapstructure:"cloudevents"`

	// Template is the body for the format template: a YAML tree whose strings are templates.
	Template any `mapstructure:"template"`

	// PagerDuty configures the format pagerduty.
	PagerDuty PagerDutyConfig `mapstructure:"pagerduty"`

	// Request adds a path, a query and headers that may depend on the event.
	Request RequestConfig `mapstructure:"request"`

	// Signing signs each request; default off.
	Signing SigningConfig `mapstructure:"signing"`

	// SuccessCodes are the statuses that confirm delivery; default 200 to 299.
	SuccessCodes []int `mapstructure:"success_codes"`

	// RetryCodes are the statuses after which events are retried; default 408, 425, 429, 500, 502,
	// 503, 504, 520 to 524, 529 and 598. Events without a response are always retried.
	RetryCodes []int `mapstructure:"retry_codes"`

	// RetrySchedule lists the waits before the second, third, ... attempt, each randomized by up to
	// 10%. They replace the intervals and max_elapsed_time of retry_on_failure. Events are given up
	// after the last one, unless max_retries is larger: then the last wait is repeated. Default none.
	RetrySchedule []time.Duration `mapstructure:"retry_schedule"`

	// RateLimit is how many requests are sent per second, evenly spaced; default slack 1, discord
	// 0.5, teams 4, others no limit. Further requests wait.
	RateLimit float64 `mapstructure:"rate_limit"`

	// BlockPrivateNetworks refuses to connect to addresses outside the public internet; default
	// false. Link-local and cloud-metadata addresses are always refused.
	BlockPrivateNetworks bool `mapstructure:"block_private_networks"`
}

// CloudEventsConfig configures CloudEvents.
type CloudEventsConfig struct {
	// Mode is structured (default), binary or batched.
	Mode CloudEventsMode `mapstructure:"mode"`

	// Source is the attribute source; default /<service.namespace>/<service.name>.
	Source string `mapstructure:"source"`

	// TypePrefix precedes the event's name in the attribute type, such as com.example. (with the
	// dot).
	TypePrefix string `mapstructure:"type_prefix"`

	// Handshake asks the webhook for its consent before the first event (CloudEvents webhooks,
	// "Abuse protection").
	Handshake HandshakeConfig `mapstructure:"handshake"`
}

// HandshakeConfig is the OPTIONS request of CloudEvents webhooks.
type HandshakeConfig struct {
	// Enabled turns it on; default false.
	Enabled bool `mapstructure:"enabled"`

	// Origin is the DNS name of the sender (required), such as events.example.com.
	Origin string `mapstructure:"origin"`

	// Rate is how many requests per minute to ask for; default none. Whether or not it is set, the
	// exporter keeps to the rate that the webhook allows.
	Rate int `mapstructure:"rate"`
}

// PagerDutyConfig configures alerts of PagerDuty (Events API v2).
type PagerDutyConfig struct {
	// RoutingKey is the integration key of the service (required).
	RoutingKey configopaque.String `mapstructure:"routing_key"`

	// Action is a template that becomes trigger (default), acknowledge or resolve.
	Action string `mapstructure:"event_action"`

	// DedupKey is a template for the key that identifies an alert; default the event's ID.
	DedupKey string `mapstructure:"dedup_key"`
}

// RequestConfig holds templates that are rendered for each event. A rendered template is in the
// queue and in dead letters with its event; a text without a template, which may be a secret, is
// not.
type RequestConfig struct {
	// Path is appended to the path of the endpoint. Its segments are escaped.
	Path string `mapstructure:"path"`

	// Query is appended to the query of the endpoint. Values are escaped; empty ones are left out.
	Query map[string]configopaque.String `mapstructure:"query"`

	// Headers are additional headers; empty ones are left out.
	Headers map[string]configopaque.String `mapstructure:"headers"`
}

// SigningConfig configures signatures.
type SigningConfig struct {
	// Scheme is standard (Standard Webhooks), github, stripe or hmac.
	Scheme signature.Scheme `mapstructure:"scheme"`

	// Secrets are the keys, the current one first. standard and stripe accept several, for
	// rotation.
	Secrets []configopaque.String `mapstructure:"secrets"`

	// Header is the header of scheme hmac (required there), such as X-Signature.
	Header string `mapstructure:"header"`

	// Algorithm of scheme hmac is sha256 (default), sha384 or sha512.
	Algorithm string `mapstructure:"algorithm"`

	// Encoding of scheme hmac is hex (default) or base64.
	Encoding string `mapstructure:"encoding"`

	// Prefix of scheme hmac precedes the signature, such as sha256=; default none.
	Prefix string `mapstructure:"prefix"`
}

// Format is the wire format of events.
type Format string

// The formats.
const (
	// FormatEvent is the event JSON that the event receiver accepts.
	FormatEvent Format = "event"
	// FormatStandard is the payload of Standard Webhooks: type, timestamp, data.
	FormatStandard Format = "standard"
	// FormatCloudEvents is CloudEvents 1.0.
	FormatCloudEvents Format = "cloudevents"
	// FormatSink is a flat envelope.
	FormatSink Format = "sink"
	// FormatOTLPJSON is OTLP in its JSON form.
	FormatOTLPJSON Format = "otlp_json"
	// FormatTemplate is a tree of templates.
	FormatTemplate Format = "template"
	// FormatSlack, FormatDiscord, FormatTeams and FormatPagerDuty are messages of these services.
	FormatSlack     Format = "slack"
	FormatDiscord   Format = "discord"
	FormatTeams     Format = "teams"
	FormatPagerDuty Format = "pagerduty"
)

// Content says how much of an event is sent.
type Content string

// The values of content.
const (
	ContentFull    Content = "full"
	ContentSummary Content = "summary"
)

// Batching says how events are put into requests.
type Batching string

const (
	// BatchingSingle is one request per event, whose body is the event.
	BatchingSingle Batching = "single"
	// BatchingArray is one request per batch, whose body is a JSON array of events.
	BatchingArray Batching = "array"
	// BatchingNDJSON is one request per batch, whose body has one event per line.
	BatchingNDJSON Batching = "ndjson"
)

// CloudEventsMode is a content mode of CloudEvents over HTTP.
type CloudEventsMode string

// The modes.
const (
	ModeStructured CloudEventsMode = "structured"
	ModeBinary     CloudEventsMode = "binary"
	ModeBatched    CloudEventsMode = "batched"
)

const (
	defaultTimeout   = 30 * time.Second
	defaultBatch     = 100 // events, each in a request of its own
	defaultTogether  = 500 // events that share requests
	defaultPagerDuty = "https://events.pagerduty.com/v2/enqueue"
)

// Unmarshal implements confmap.Unmarshaler. Unknown keys are errors. An empty value, such as an
// empty environment variable leaves, selects the default.
func (cfg *Config) Unmarshal(conf *confmap.Conf) error {
	if err := delivery.Unmarshal(conf, cfg, &cfg.Delivery); err != nil {
		return err
	}
	cfg.Template = conf.ToStringMap()["template"] // without the wrappers that keep the text of environment variables
	strictconf.Default(&cfg.Format, FormatEvent)
	strictconf.Default(&cfg.Content, ContentFull)
	strictconf.Default(&cfg.CloudEvents.Mode, ModeStructured)
	if cfg.Format == FormatPagerDuty {
		strictconf.Default(&cfg.ClientConfig.Endpoint, defaultPagerDuty)
	}
	if cfg.batching() != BatchingSingle && !conf.IsSet(batchKey+"min_size") && !conf.IsSet(batchKey+"max_size") {
		cfg.enlargeBatches()
	}
	return nil
}

const batchKey = "sending_queue::batch::"

// enlargeBatches raises the default batch size, because events that share a request share its cost.
func (cfg *Config) enlargeBatches() {
	queue := cfg.Delivery.QueueConfig.Get()
	if queue == nil || !queue.Batch.HasValue() {
		return
	}
	batch := queue.Batch.Get()
	batch.MinSize, batch.MaxSize = defaultTogether, defaultTogether
}

func createDefaultConfig() component.Config {
	client := confighttp.NewDefaultClientConfig()
	client.Timeout = defaultTimeout
	return &Config{
		ClientConfig: client,
		Delivery:     delivery.NewDefaultConfig(defaultBatch),
		Format:       FormatEvent,
		Content:      ContentFull,
		CloudEvents:  CloudEventsConfig{Mode: ModeStructured},
	}
}

// batching returns Batching, or its default if it is not set.
func (cfg *Config) batching() Batching {
	switch {
	case cfg.Batching != "":
		return cfg.Batching
	case cfg.Format == FormatCloudEvents && cfg.CloudEvents.Mode == ModeBatched:
		return BatchingArray
	default:
		return BatchingSingle
	}
}

// rateLimit returns the requests per second; 0 means no limit. The defaults follow what Slack,
// Discord (30 per minute) and Microsoft (for Teams) document for webhooks.
func (cfg *Config) rateLimit() float64 {
	if cfg.RateLimit > 0 {
		return cfg.RateLimit
	}
	switch cfg.Format {
	case FormatSlack:
		return 1
	case FormatDiscord:
		return 0.5
	case FormatTeams:
		return 4
	default:
		return 0
	}
}

// signer returns nil when requests are not signed.
func (cfg *SigningConfig) signer() (signature.Signer, error) {
	if cfg.Scheme == "" && len(cfg.Secrets) == 0 && cfg.Header == "" && cfg.Algorithm == "" && cfg.Encoding == "" && cfg.Prefix == "" {
		return nil, nil //nolint:nilnil // nothing is signed
	}
	settings := signature.Settings{
		Scheme: cfg.Scheme, Header: cfg.Header, Algorithm: cfg.Algorithm, Encoding: cfg.Encoding, Prefix: cfg.Prefix,
	}
	for _, secret := range cfg.Secrets {
		settings.Secrets = append(settings.Secrets, string(secret))
	}
	return signature.NewSigner(&settings)
}
