// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package fanoutconnector

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/pipeline"

	"github.com/otelcol-fanout/otelcol-fanout/internal/pattern"
	"github.com/otelcol-fanout/otelcol-fanout/internal/strictconf"
)

// Config is the configuration of the fanout connector. A route whose pipelines are all of one signal is a route of that
// signal alone; one with an empty list is one of each.
type Config struct {
	// Routes say where events go by their name. The first that matches wins.
	Routes []RouteConfig `mapstructure:"routes"`

	// DefaultPipelines are where events go that no route matches; default none, which drops them.
	DefaultPipelines []pipeline.ID `mapstructure:"default_pipelines"`

	// Sync are the pipelines whose errors the caller gets; default none.
	Sync []pipeline.ID `mapstructure:"sync"`

	// PipelinesEnabled is the enabled converter's to write, where it has switched pipelines off: all that have the connector
	// among their receivers in the file, and whether they are left. Default none: all are.
	PipelinesEnabled map[pipeline.ID]bool `mapstructure:"pipelines_enabled"`
}

// RouteConfig is where some events go.
type RouteConfig struct {
	// Events are names of events or spans, or patterns in which * stands for any characters, or none (required).
	Events []string `mapstructure:"events"`

	// Pipelines are where they go (required). An empty list drops them.
	Pipelines []pipeline.ID `mapstructure:"pipelines"`
}

// Unmarshal implements confmap.Unmarshaler: a key that does not exist is an error.
func (cfg *Config) Unmarshal(conf *confmap.Conf) error { return strictconf.Unmarshal(conf, cfg) }

// Validate implements confmap.Validator.
func (cfg *Config) Validate() error {
	if len(cfg.Routes) == 0 && len(cfg.DefaultPipelines) == 0 {
		return errors.New("routes and default_pipelines: are both missing, so that no event would go anywhere; write default_pipelines: [logs/...]")
	}
	for i := range cfg.Routes {
		if err := cfg.Routes[i].validate(); err != nil {
			return fmt.Errorf("routes::%d::%w", i, err)
		}
	}
	if err := checkSignals(cfg.DefaultPipelines); err != nil {
		return fmt.Errorf("default_pipelines: %w", err)
	}
	for _, id := range cfg.Sync {
		if !slices.Contains(cfg.mentioned(id.Signal()), id) {
			return fmt.Errorf("sync: %s is in no route and not in default_pipelines; remove it, or route events to it", id)
		}
	}
	return errors.Join(cfg.checkReach(pipeline.SignalLogs), cfg.checkReach(pipeline.SignalTraces), cfg.checkEnabled())
}

// checkEnabled finds a mistyped pipeline also where so much is switched off that no connector is made which could.
func (cfg *Config) checkEnabled() error {
	if len(cfg.PipelinesEnabled) == 0 {
		return nil
	}
	all := slices.Collect(maps.Keys(cfg.PipelinesEnabled))
	return errors.Join(
		checkPipelines(cfg, pipeline.SignalLogs, ofSignal(all, pipeline.SignalLogs)),
		checkPipelines(cfg, pipeline.SignalTraces, ofSignal(all, pipeline.SignalTraces)))
}

// switchedOff are the pipelines of the signal that the file has, and the collector has not.
func (cfg *Config) switchedOff(signal pipeline.Signal) []pipeline.ID {
	var off []pipeline.ID
	for id, on := range cfg.PipelinesEnabled {
		if !on && id.Signal() == signal {
			off = append(off, id)
		}
	}
	return off
}

func (r *RouteConfig) validate() error {
	if len(r.Events) == 0 {
		return errors.New("events: is missing; write names or patterns, such as [login_success, signup_*]")
	}
	for _, event := range r.Events {
		if event == "" || strings.ContainsFunc(event, unicode.IsControl) {
			return fmt.Errorf("events: %q is not a name or a pattern; write one such as signup_*", event)
		}
	}
	if r.Pipelines == nil {
		return errors.New("pipelines: is missing; write where the events go, such as [logs/sentry], or [] to drop them")
	}
	if err := checkSignals(r.Pipelines); err != nil {
		return fmt.Errorf("pipelines: %w", err)
	}
	return nil
}

func checkSignals(ids []pipeline.ID) error {
	for _, id := range ids {
		if s := id.Signal(); s != pipeline.SignalLogs && s != pipeline.SignalTraces {
			return fmt.Errorf("%s is a pipeline of %s; only logs and traces are routed", id, s)
		}
	}
	return nil
}

// checkReach refuses names and patterns that an earlier route leaves nothing for.
func (cfg *Config) checkReach(signal pipeline.Signal) error {
	for i := range cfg.Routes {
		if !cfg.Routes[i].isOf(signal) {
			continue
		}
		for _, event := range cfg.Routes[i].Events {
			if by, at := cfg.cover(signal, event, i); by != "" {
				return fmt.Errorf("routes::%d::events: %q is never reached, since routes::%d has %q; move it up, or remove it", i, event, at, by)
			}
		}
	}
	if by, at := cfg.cover(signal, "*", len(cfg.Routes)); by != "" && len(ofSignal(cfg.DefaultPipelines, signal)) > 0 {
		return fmt.Errorf("default_pipelines: is never reached by %s, since routes::%d has %q; remove one of the two", signal, at, by)
	}
	return nil
}

// cover is the pattern of the routes before the one given that matches all that the event matches, or empty.
func (cfg *Config) cover(signal pipeline.Signal, event string, before int) (by string, at int) {
	// A pattern that matches the star of the event, taken as a character, has a star of its own there, which matches all that the
	// event's does.
	for at := range cfg.Routes[:before] {
		for _, by := range cfg.Routes[at].Events {
			if cfg.Routes[at].isOf(signal) && pattern.Match(by, event) {
				return by, at
			}
		}
	}
	return "", 0
}

// isOf reports whether the route has a say on the signal.
func (r *RouteConfig) isOf(signal pipeline.Signal) bool {
	return len(r.Pipelines) == 0 || len(ofSignal(r.Pipelines, signal)) > 0
}

// mentioned are the pipelines of the signal that events are sent to, in the order of their ids.
func (cfg *Config) mentioned(signal pipeline.Signal) []pipeline.ID {
	ids := ofSignal(cfg.DefaultPipelines, signal)
	for i := range cfg.Routes {
		ids = append(ids, ofSignal(cfg.Routes[i].Pipelines, signal)...)
	}
	slices.SortFunc(ids, compareIDs)
	return slices.Compact(ids)
}

func ofSignal(ids []pipeline.ID, signal pipeline.Signal) []pipeline.ID {
	var found []pipeline.ID
	for _, id := range ids {
		if id.Signal() == signal {
			found = append(found, id)
		}
	}
	return found
}

func compareIDs(a, b pipeline.ID) int { return strings.Compare(a.String(), b.String()) }

func createDefaultConfig() component.Config { return &Config{} }
