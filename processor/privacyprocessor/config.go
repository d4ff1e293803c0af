// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package privacyprocessor

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/confmap"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/pattern"
	"github.com/otelcol-fanout/otelcol-fanout/internal/strictconf"
)

// minHashKey is the length of the shortest key of hashes, in bytes: that of the digest of SHA-256
// (RFC 2104, section 3).
const minHashKey = 32

// Config is the configuration of the privacy processor.
type Config struct {
	// HashKey is the key of the hashes: at least 32 bytes (required if a rule hashes).
	HashKey configopaque.String `mapstructure:"hash_key"`
	// Rules say what is personal data and what to do with it (required). The first rule that matches a
	// name or a part of a text applies.
	Rules []Rule `mapstructure:"rules"`
	// Keep lists names of attributes that no rule changes: names or patterns, as in Rule.Keys; default
	// log.record.uid, by which backends recognize events.
	Keep []string `mapstructure:"keep"`
}

// Rule says what is personal data, by preset, name or text, and what to do with it.
type Rule struct {
	// Name is the name of the rule in metrics; default: the preset, else the first of Keys and Values.
	Name string `mapstructure:"name"`
	// Preset is a kind of personal data: email, ip_address, card_number, phone_number, token or user_id.
	Preset Preset `mapstructure:"preset"`
	// Keys are names or patterns with *, in any case. They apply to attributes and members of maps: a
	// name matches if it, or its end after a dot, does. email matches user.email and traits.email.
	Keys []string `mapstructure:"keys"`
	// Values are regular expressions (RE2) for parts of texts.
	Values []string `mapstructure:"values"`
	// Action says what to do with the personal data (required): hash, mask or drop.
	Action Action `mapstructure:"action"`
}

// Preset is a kind of personal data.
type Preset string

// The presets.
const (
	PresetEmail     Preset = "email"
	PresetIPAddress Preset = "ip_address"
	PresetCard      Preset = "card_number"
	PresetPhone     Preset = "phone_number"
	PresetToken     Preset = "token"
	PresetUserID    Preset = "user_id"
)

// Action says what to do with personal data.
type Action string

// The actions.
const (
	// ActionHash replaces personal data with its HMAC-SHA-256, in 64 hexadecimal digits. The same text
	// has the same hash everywhere.
	ActionHash Action = "hash"
	// ActionMask replaces it with ****.
	ActionMask Action = "mask"
	// ActionDrop removes it: the attribute, member or item if that has nothing else, or that part of a
	// text.
	ActionDrop Action = "drop"
)

// Unmarshal implements confmap.Unmarshaler. Unknown keys are errors.
func (cfg *Config) Unmarshal(conf *confmap.Conf) error { return strictconf.Unmarshal(conf, cfg) }

// Validate implements confmap.Validator.
func (cfg *Config) Validate() error {
	if len(cfg.Rules) == 0 {
		return errors.New("rules: is missing; write at least one rule, such as {preset: email, action: hash}")
	}
	hashes := false
	for i := range cfg.Rules {
		if err := cfg.Rules[i].validate(); err != nil {
			return fmt.Errorf("rules::%d::%w", i, err)
		}
		hashes = hashes || cfg.Rules[i].Action == ActionHash
	}
	for i, key := range cfg.Keep {
		if err := checkKey(key); err != nil {
			return fmt.Errorf("keep::%d: %w", i, err)
		}
	}
	if hashes {
		return cfg.checkHashKey()
	}
	return nil
}

func (cfg *Config) checkHashKey() error {
	if err := strictconf.CheckCredential(string(cfg.HashKey), "write a secret text of at least 32 characters, such as the output of openssl rand -hex 32", "PRIVACY_KEY"); err != nil {
		return fmt.Errorf("hash_key: %w", err)
	}
	if len(cfg.HashKey) < minHashKey {
		return fmt.Errorf("hash_key: has %d bytes; write at least %d, such as the output of openssl rand -hex 32: anyone could find a shorter one by trying",
			len(cfg.HashKey), minHashKey)
	}
	return nil
}

func (r *Rule) validate() error {
	if r.Preset == "" && len(r.Keys) == 0 && len(r.Values) == 0 {
		return errors.New("preset: is missing; write what is personal data: a preset, keys or values")
	}
	if r.Preset != "" {
		if err := strictconf.CheckWord("preset", r.Preset, PresetEmail, PresetIPAddress, PresetCard, PresetPhone, PresetToken, PresetUserID); err != nil {
			return err
		}
	}
	if err := strictconf.CheckWord("action", r.Action, ActionHash, ActionMask, ActionDrop); err != nil {
		return err
	}
	for i, key := range r.Keys {
		if err := checkKey(key); err != nil {
			return fmt.Errorf("keys::%d: %w", i, err)
		}
	}
	for i, value := range r.Values {
		if err := checkExpression(value); err != nil {
			return fmt.Errorf("values::%d: %w", i, err)
		}
	}
	return nil
}

func checkKey(key string) error {
	if strings.Trim(key, "*. ") == "" {
		return fmt.Errorf("%q would match every name; write a name, or a pattern such as *_email", key)
	}
	return pattern.Check(key)
}

// checkExpression refuses an expression that matches the empty text, since that is everywhere.
func checkExpression(text string) error {
	expression, err := regexp.Compile(text)
	if err != nil {
		return fmt.Errorf("%q is not a regular expression of RE2: %w", text, err)
	}
	if expression.MatchString("") {
		return fmt.Errorf("%q matches the empty text; write an expression for what has to be found", text)
	}
	return nil
}

// name returns the name of the rule in metrics.
func (r *Rule) name() string {
	switch {
	case r.Name != "":
		return r.Name
	case r.Preset != "":
		return string(r.Preset)
	case len(r.Keys) > 0:
		return r.Keys[0]
	default:
		return r.Values[0]
	}
}

func createDefaultConfig() component.Config {
	return &Config{Keep: []string{appevent.AttrID}}
}
