// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package webhookexporter

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/strictconf"
)

// Validate implements confmap.Validator. Its errors contain neither the endpoint nor a secret.
func (cfg *Config) Validate() error {
	for _, check := range []func() error{
		cfg.validateEndpoint, cfg.validateWords, cfg.validateBatching, cfg.validateCloudEvents, cfg.validateFormat, cfg.validateCodes, cfg.validateRetries,
	} {
		if err := check(); err != nil {
			return err
		}
	}
	signer, err := cfg.Signing.signer()
	if err != nil {
		return fmt.Errorf("signing::%w", err)
	}
	var signed []string
	if signer != nil {
		signed = signer.Headers()
	}
	if err := cfg.validateHeaders(signed); err != nil {
		return err
	}
	if cfg.RateLimit < 0 {
		return fmt.Errorf("rate_limit: %g is negative; write the number of requests per second, or leave it out", cfg.RateLimit)
	}
	return cfg.Delivery.Check()
}

func (cfg *Config) validateEndpoint() error {
	u, err := parseEndpoint(cfg.ClientConfig.Endpoint)
	if err != nil {
		return fmt.Errorf("endpoint: %w", err)
	}
	if err := strictconf.CheckProxy(cfg.ClientConfig.ProxyURL); err != nil {
		return fmt.Errorf("proxy_url: %w", err)
	}
	if cfg.ClientConfig.ProxyURL != "" {
		return nil // the proxy resolves the host
	}
	if err := cfg.guard().CheckHost(u.Hostname()); err != nil {
		return fmt.Errorf("endpoint: %w", err)
	}
	return nil
}

func (cfg *Config) guard() *delivery.Guard {
	return &delivery.Guard{BlockPrivateNetworks: cfg.BlockPrivateNetworks}
}

func parseEndpoint(endpoint string) (*url.URL, error) {
	if endpoint == "" {
		return nil, errors.New("is missing; write the URL that events are posted to, such as https://example.com/hook (is an environment variable unset?)")
	}
	return strictconf.ParseURL(endpoint, "https://example.com/hook")
}

func formats() []Format {
	return []Format{
		FormatEvent, FormatStandard, FormatCloudEvents, FormatSink, FormatOTLPJSON, FormatTemplate,
		FormatSlack, FormatDiscord, FormatTeams, FormatPagerDuty,
	}
}

func (cfg *Config) validateWords() error {
	return errors.Join(
		strictconf.CheckWord("format", cfg.Format, formats()...),
		strictconf.CheckWord("content", cfg.Content, ContentFull, ContentSummary),
		strictconf.CheckWord("batching", cfg.batching(), BatchingSingle, BatchingArray, BatchingNDJSON),
		strictconf.CheckWord("cloudevents::mode", cfg.CloudEvents.Mode, ModeStructured, ModeBinary, ModeBatched),
	)
}

// validateBatching refuses batching that no receiver of the format would accept.
func (cfg *Config) validateBatching() error {
	switch cfg.Format {
	case FormatSlack, FormatDiscord, FormatTeams, FormatPagerDuty:
		if cfg.batching() != BatchingSingle {
			return fmt.Errorf("batching: %s accepts one event per request; write %s, or leave it out", cfg.Format, BatchingSingle)
		}
	case FormatCloudEvents:
		batched := cfg.CloudEvents.Mode == ModeBatched
		if batched && cfg.batching() != BatchingArray {
			return fmt.Errorf("batching: cloudevents::mode %s sends an array; write %s, or leave it out", ModeBatched, BatchingArray)
		}
		if !batched && cfg.batching() != BatchingSingle {
			return fmt.Errorf("batching: cloudevents::mode %s has one event per request; for several, write cloudevents::mode: %s", cfg.CloudEvents.Mode, ModeBatched)
		}
	}
	return nil
}

// dnsName matches the origin of a handshake.
var dnsName = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?)*$`)

// uriText matches the characters of a URI reference (RFC 3986, section 2).
var uriText = regexp.MustCompile(`^[a-zA-Z0-9._~:/?#\[\]@!$&'()*+,;=%-]*$`)

func (cfg *Config) validateCloudEvents() error {
	ce := &cfg.CloudEvents
	if cfg.Format != FormatCloudEvents && (ce.Mode != ModeStructured || ce.Source != "" || ce.TypePrefix != "" || ce.Handshake != HandshakeConfig{}) {
		return fmt.Errorf("cloudevents: only for format: %s; the format is %s", FormatCloudEvents, cfg.Format)
	}
	if _, err := url.Parse(ce.Source); err != nil || !uriText.MatchString(ce.Source) {
		return errors.New("cloudevents::source: is not a URI; write one such as /shop or https://example.com/shop")
	}
	if ce.TypePrefix != cloudEventsText(ce.TypePrefix) {
		return errors.New("cloudevents::type_prefix: contains a character that CloudEvents does not allow; write one such as com.example. (with the dot)")
	}
	if ce.Handshake.Enabled && !dnsName.MatchString(ce.Handshake.Origin) {
		return fmt.Errorf("cloudevents::handshake::origin: %q is not a DNS name; write the name of this sender, such as events.example.com", ce.Handshake.Origin)
	}
	if ce.Handshake.Enabled && (cfg.Request.Path != "" || len(cfg.Request.Query) > 0) {
		return errors.New("cloudevents::handshake: covers only one URL; remove request::path and request::query")
	}
	if ce.Handshake.Rate < 0 {
		return fmt.Errorf("cloudevents::handshake::rate: %d is negative; write the number of requests per minute to ask for, or leave it out", ce.Handshake.Rate)
	}
	return nil
}

// validateFormat parses the templates, and renders them for sample events.
func (cfg *Config) validateFormat() error {
	switch {
	case cfg.Format == FormatTemplate && cfg.Template == nil:
		return errors.New("template: is missing; write the body, such as {text: \"{{ .name }}\"}")
	case cfg.Format != FormatTemplate && cfg.Template != nil:
		return fmt.Errorf("template: only for format: %s; the format is %s", FormatTemplate, cfg.Format)
	case cfg.Format != FormatPagerDuty && cfg.PagerDuty != PagerDutyConfig{}:
		return fmt.Errorf("pagerduty: only for format: %s; the format is %s", FormatPagerDuty, cfg.Format)
	}
	if cfg.Format == FormatPagerDuty {
		const remedy = "write the integration key of the service, as its Integrations tab shows it"
		if err := strictconf.CheckCredential(string(cfg.PagerDuty.RoutingKey), remedy, "PAGERDUTY_ROUTING_KEY"); err != nil {
			return fmt.Errorf("pagerduty::routing_key: %w", err)
		}
	}
	templates, err := newTemplates(cfg)
	if err != nil {
		return err
	}
	return templates.try()
}

func (cfg *Config) validateCodes() error {
	for key, codes := range map[string][]int{"success_codes": cfg.SuccessCodes, "retry_codes": cfg.RetryCodes} {
		for _, code := range codes {
			if code < 200 || code > 599 {
				return fmt.Errorf("%s: %d is not the status of a response; write statuses from 200 to 599", key, code)
			}
		}
	}
	for _, code := range cfg.RetryCodes {
		if slices.Contains(cfg.SuccessCodes, code) {
			return fmt.Errorf("retry_codes: %d is in success_codes too; remove it from one of them", code)
		}
	}
	return nil
}

func (cfg *Config) validateRetries() error {
	for i, wait := range cfg.RetrySchedule {
		if wait <= 0 {
			return fmt.Errorf("retry_schedule::%d: %s is not a wait; write one such as 30s", i, wait)
		}
	}
	if !cfg.Delivery.RetryConfig.Enabled && len(cfg.RetrySchedule) > 0 {
		return errors.New("retry_schedule: has no effect, because retry_on_failure::enabled is false; remove one of the two")
	}
	return nil
}

// headerName matches header names that most servers accept.
var headerName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_-]*$`)

// reservedHeaders returns the headers that the request itself needs, and those that belong to one
// connection (RFC 9110, section 7.6.1).
func reservedHeaders() []string {
	return []string{
		"Content-Type", "Content-Length", "Content-Encoding", "Host", "User-Agent", "Connection", "Keep-Alive", "Proxy-Connection",
		"Te", "Trailer", "Transfer-Encoding", "Upgrade", "Expect",
	}
}

// validateHeaders checks all configured headers; signed are the headers of the signature.
func (cfg *Config) validateHeaders(signed []string) error {
	reserved := append(reservedHeaders(), cfg.handshakeHeaders()...)
	for _, name := range signed {
		if !headerName.MatchString(name) || slices.Contains(reserved, name) {
			return fmt.Errorf("signing::header: %q cannot be the header of a signature; write one such as X-Signature", name)
		}
	}
	reserved = append(reserved, signed...)
	check := func(key, name string) error {
		switch canonical := http.CanonicalHeaderKey(name); {
		case !headerName.MatchString(name):
			return fmt.Errorf("%s: %q is not a valid header name; use letters, digits, - and _", key, name)
		case slices.Contains(reserved, canonical):
			return fmt.Errorf("%s::%s: is set by the exporter itself; remove it", key, name)
		case cfg.Format == FormatCloudEvents && strings.HasPrefix(canonical, "Ce-"):
			return fmt.Errorf("%s::%s: is an attribute of a CloudEvent, which the exporter sets; remove it", key, name)
		}
		return nil
	}
	for name, value := range cfg.ClientConfig.Headers.Iter {
		if err := check("headers", name); err != nil {
			return err
		}
		if strings.ContainsFunc(string(value), unicode.IsControl) {
			return fmt.Errorf("headers::%s: contains a character that is not allowed in a header; is there a line feed at the end?", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.Request.Headers)) {
		if err := check("request::headers", name); err != nil {
			return err
		}
	}
	return nil
}

func (cfg *Config) handshakeHeaders() []string {
	if !cfg.CloudEvents.Handshake.Enabled {
		return nil
	}
	return []string{headerRequestOrigin, headerRequestRate}
}
