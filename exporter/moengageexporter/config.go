// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageexporter

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configcompression"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/confmap"

	"github.com/otelcol-fanout/otelcol-fanout/internal/analyticsconf"
	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/pattern"
	"github.com/otelcol-fanout/otelcol-fanout/internal/strictconf"
)

// Config is the configuration of the moengage exporter.
type Config struct {
	// ClientConfig configures the HTTP client: endpoint (default: that of the data center), timeout
	// (of one attempt, default 30s), compression (default none), headers, tls, proxy_url and the
	// other keys of confighttp.
	ClientConfig confighttp.ClientConfig `mapstructure:",squash"`

	// Delivery configures how events are delivered: dispatch, dead_letter, max_in_flight,
	// shutdown_timeout, sending_queue and retry_on_failure. A batch is complete when it holds 1000
	// events or more, or when flush_timeout has passed. sending_queue::num_consumers must be 1, which
	// keeps batches in order.
	Delivery delivery.Config `mapstructure:",squash"`

	// WorkspaceID is the workspace (required). The dashboard shows it under Settings, Account,
	// APIs.
	WorkspaceID string `mapstructure:"workspace_id"`

	// APIKey is the key of the tile Data on the same page (required).
	APIKey configopaque.String `mapstructure:"api_key"`

	// DataCenter is the number of the workspace's data center (required): 1 to 6, or 101.
	DataCenter int `mapstructure:"data_center"`

	// TestEnvironment sends to the workspace's test environment; default false.
	TestEnvironment bool `mapstructure:"test_environment"`

	// Mode is bulk (default: requests of up to 100 kB, whose responses do not report which events
	// MoEngage refuses) or single (one request per event, whose response does).
	Mode Mode `mapstructure:"mode"`

	// Verify is the share of events, from 0 (default) to 1, that mode bulk sends one by one to find
	// out which ones MoEngage refuses.
	Verify float64 `mapstructure:"verify"`

	// RetryAmbiguous resends events that may have arrived although there was no response (true,
	// default), which may duplicate them; false gives them up.
	RetryAmbiguous bool `mapstructure:"retry_ambiguous"`

	// CustomerID lists the attributes that may hold the customer ID; default moengage.customer_id,
	// user.id, enduser.id and enduser.pseudo.id.
	CustomerID analyticsconf.IDAttributes `mapstructure:"customer_id"`

	// WithoutCustomer says what to do with events without a customer ID: skip (default), or
	// device_id (use the device's ID, and skip those without one).
	WithoutCustomer WithoutCustomer `mapstructure:"without_customer"`

	// EventNames maps and selects events by name.
	EventNames EventNamesConfig `mapstructure:"event_names"`

	// MaxUserAttributes limits how many distinct user attributes are sent, not counting those that
	// MoEngage defines; default 256, the limit of a workspace.
	MaxUserAttributes int `mapstructure:"max_user_attributes"`

	// Logs says what to do with plain logs: skip (default) or as_events.
	Logs analyticsconf.Logs `mapstructure:"logs"`

	// ResourceAttributes lists the resource attributes that events get: names, or patterns such as
	// service.*; default none.
	ResourceAttributes analyticsconf.ResourceAttributes `mapstructure:"resource_attributes"`

	// Objects says how to send maps and lists of maps: send (default) as objects, or flatten for
	// workspaces in which MoEngage has not enabled the Object type.
	Objects Objects `mapstructure:"objects"`

	// RateLimits limits how much is sent per minute.
	RateLimits RateLimitsConfig `mapstructure:"rate_limits"`
}

// EventNamesConfig maps and selects events by name.
type EventNamesConfig struct {
	// Map maps names to names in MoEngage. Other names change only if MoEngage would refuse them.
	Map analyticsconf.EventNames `mapstructure:"map"`

	// Allow lists the events to send: unmapped names, or patterns such as order_*; default all.
	Allow []string `mapstructure:"allow"`

	// Max limits how many distinct names are sent; default 512, the limit of a workspace. Events
	// with further names are skipped.
	Max int `mapstructure:"max"`

	// Page and Screen are the names of page and screen events; default page_viewed and
	// screen_viewed.
	Page   string `mapstructure:"page"`
	Screen string `mapstructure:"screen"`
}

// RateLimitsConfig limits how much is sent per minute; 0 means no limit.
type RateLimitsConfig struct {
	// Events defaults to 30000, Users and Devices to 10000 each, Merges to 1000.
	Events  int `mapstructure:"events"`
	Users   int `mapstructure:"users"`
	Devices int `mapstructure:"devices"`
	Merges  int `mapstructure:"merges"`
}

// Objects says how to send maps.
type Objects string

// The values of objects.
const (
	ObjectsSend    Objects = "send"
	ObjectsFlatten Objects = "flatten"
)

// Mode says how many events a request holds.
type Mode string

// The modes.
const (
	ModeBulk   Mode = "bulk"
	ModeSingle Mode = "single"
)

// WithoutCustomer says what to do with events without a customer ID.
type WithoutCustomer string

// The values of without_customer.
const (
	WithoutCustomerSkip     WithoutCustomer = "skip"
	WithoutCustomerDeviceID WithoutCustomer = "device_id"
)

const (
	defaultTimeout     = 30 * time.Second
	defaultBatchEvents = 1000
	testSuffix         = "_DEBUG"
)

// attrCustomerID sets the customer ID for MoEngage only.
const attrCustomerID = "moengage.customer_id"

// Unmarshal implements confmap.Unmarshaler. Unknown keys are errors. An empty value, such as an
// empty environment variable leaves, selects the default.
func (cfg *Config) Unmarshal(conf *confmap.Conf) error {
	if err := delivery.Unmarshal(conf, cfg, &cfg.Delivery); err != nil {
		return err
	}
	strictconf.Default(&cfg.Mode, ModeBulk)
	strictconf.Default(&cfg.WithoutCustomer, WithoutCustomerSkip)
	strictconf.Default(&cfg.Objects, ObjectsSend)
	cfg.Logs.ApplyDefault()
	return nil
}

// Validate implements confmap.Validator. Its errors contain no secrets.
func (cfg *Config) Validate() error {
	for _, check := range []func() error{
		cfg.checkAccount, cfg.checkEndpoint, cfg.checkWords, cfg.checkNames, cfg.checkNumbers, cfg.checkOrder, cfg.Delivery.Check,
	} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (cfg *Config) checkAccount() error {
	const where = "which MoEngage's dashboard shows under Settings, Account, APIs"
	if err := strictconf.CheckCredential(cfg.WorkspaceID, "write the workspace ID, "+where, "MOENGAGE_WORKSPACE_ID"); err != nil {
		return fmt.Errorf("workspace_id: %w", err)
	}
	if strings.ContainsAny(cfg.WorkspaceID, ":/?#%&=") {
		return errors.New("workspace_id: contains a character that is not allowed; write only the ID, " + where)
	}
	if err := strictconf.CheckCredential(string(cfg.APIKey), "write the key of the tile Data, "+where, "MOENGAGE_API_KEY"); err != nil {
		return fmt.Errorf("api_key: %w", err)
	}
	return checkDataCenter(cfg.DataCenter)
}

// checkDataCenter checks the number against MoEngage's data centers (rudder-transformer:
// src/v0/destinations/moengage/config.js).
func checkDataCenter(number int) error {
	const remedy = "1 to 6 or 101, the number in the address of your dashboard: dashboard-02.moengage.com is 2"
	switch {
	case number == 0:
		return errors.New("data_center: is missing; write " + remedy)
	case number < 0 || number > 6 && number != 101:
		return fmt.Errorf("data_center: %d is not a MoEngage data center; write %s", number, remedy)
	}
	return nil
}

// endpoint returns the base URL of requests.
func (cfg *Config) endpoint() string {
	if cfg.ClientConfig.Endpoint != "" {
		return strings.TrimSuffix(cfg.ClientConfig.Endpoint, "/")
	}
	return fmt.Sprintf("https://api-%02d.moengage.com", cfg.DataCenter)
}

// workspace returns the workspace that requests are for.
func (cfg *Config) workspace() string {
	if cfg.TestEnvironment && !strings.HasSuffix(cfg.WorkspaceID, testSuffix) {
		return cfg.WorkspaceID + testSuffix
	}
	return cfg.WorkspaceID
}

func (cfg *Config) checkEndpoint() error {
	u, err := strictconf.ParseURL(cfg.endpoint(), "https://api-01.moengage.com")
	if err != nil {
		return fmt.Errorf("endpoint: %w, or leave endpoint out, because data_center determines the address", err)
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.HasSuffix(u.Path, "/v1") {
		return errors.New("endpoint: contains a user, a query, a fragment or /v1; remove it, or leave endpoint out, because data_center determines the address")
	}
	if err := strictconf.CheckProxy(cfg.ClientConfig.ProxyURL); err != nil {
		return fmt.Errorf("proxy_url: %w", err)
	}
	return nil
}

func (cfg *Config) checkWords() error {
	return errors.Join(
		strictconf.CheckWord("mode", cfg.Mode, ModeBulk, ModeSingle),
		strictconf.CheckWord("without_customer", cfg.WithoutCustomer, WithoutCustomerSkip, WithoutCustomerDeviceID),
		strictconf.CheckWord("objects", cfg.Objects, ObjectsSend, ObjectsFlatten),
		cfg.Logs.Check(),
	)
}

func (cfg *Config) checkNames() error {
	if err := cfg.CustomerID.Check("customer_id"); err != nil {
		return err
	}
	names := &cfg.EventNames
	if err := names.Map.Check(checkEventName); err != nil {
		return err
	}
	if err := checkEventName(names.Page); err != nil {
		return fmt.Errorf("event_names::page: %w", err)
	}
	if err := checkEventName(names.Screen); err != nil {
		return fmt.Errorf("event_names::screen: %w", err)
	}
	if err := pattern.CheckAll(names.Allow); err != nil {
		return fmt.Errorf("event_names::allow: %w", err)
	}
	if err := pattern.CheckAll(cfg.ResourceAttributes); err != nil {
		return fmt.Errorf("resource_attributes: %w", err)
	}
	return nil
}

func checkEventName(name string) error {
	switch n := utf8.RuneCountInString(name); {
	case n == 0 || n > maxName:
		return fmt.Errorf("has %d characters, but must have 1 to %d", n, maxName)
	case strings.ContainsRune(name, '.'):
		return fmt.Errorf("%q has a period, after which MoEngage inserts a space; use _ instead", name)
	case strings.HasPrefix(name, reservedPrefix):
		return fmt.Errorf("%q begins with %s, which is reserved for MoEngage", name, reservedPrefix)
	}
	return nil
}

func (cfg *Config) checkNumbers() error {
	limits := &cfg.RateLimits
	switch {
	case !(cfg.Verify >= 0 && cfg.Verify <= 1): // negated, so that NaN fails too
		return fmt.Errorf("verify: %v is not a share; write a number from 0 to 1, such as 0.01", cfg.Verify)
	case cfg.EventNames.Max <= 0:
		return fmt.Errorf("event_names::max: %d is not positive; write how many event names the workspace accepts (default %d)", cfg.EventNames.Max, maxEventNames)
	case cfg.MaxUserAttributes < 0:
		return fmt.Errorf("max_user_attributes: %d is negative; write how many user attributes the workspace accepts (default %d)", cfg.MaxUserAttributes, maxUserAttributes)
	case min(limits.Events, limits.Users, limits.Devices, limits.Merges) < 0:
		return errors.New("rate_limits: contains a negative number; write limits per minute, or 0 for no limit")
	}
	return nil
}

// checkOrder refuses settings that would let one batch overtake another.
func (cfg *Config) checkOrder() error {
	if queue := cfg.Delivery.QueueConfig.Get(); queue != nil && queue.NumConsumers != 1 {
		return fmt.Errorf("sending_queue::num_consumers: %d must be 1, or a user's events could overtake each other; leave it out, and set max_in_flight to send more requests concurrently",
			queue.NumConsumers)
	}
	return nil
}

func createDefaultConfig() component.Config {
	client := confighttp.NewDefaultClientConfig()
	client.Timeout = defaultTimeout
	// MoEngage does not document support for compressed requests.
	client.Compression = configcompression.Type("none")
	cfg := &Config{
		ClientConfig:      client,
		Delivery:          delivery.NewDefaultConfig(defaultBatchEvents),
		Mode:              ModeBulk,
		RetryAmbiguous:    true,
		WithoutCustomer:   WithoutCustomerSkip,
		CustomerID:        analyticsconf.IDAttributes{From: usualIDs()},
		EventNames:        EventNamesConfig{Max: maxEventNames, Page: "page_viewed", Screen: "screen_viewed"},
		MaxUserAttributes: maxUserAttributes,
		Logs:              analyticsconf.LogsSkip,
		Objects:           ObjectsSend,
		RateLimits: RateLimitsConfig{
			Events: maxEventsAMinute, Users: maxUsersAMinute, Devices: maxDevicesAMinute, Merges: maxMergesAMinute,
		},
	}
	cfg.Delivery.QueueConfig.Get().NumConsumers = 1
	return cfg
}

// usualIDs returns the default of customer_id::from.
func usualIDs() []string {
	return []string{attrCustomerID, appevent.AttrUserID, appevent.AttrEndUserID, appevent.AttrAnonymousID}
}
