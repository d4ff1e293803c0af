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

// Config is the configuration of the fanout connector. A route applies to the signals of its
// pipelines; a route with an empty list of pipelines applies to both signals.
type Config struct {
	// Routes maps event names to pipelines. The first route that matches wins.
	Routes []RouteConfig `mapstructure:"routes"`

	// DefaultPipelines gets the events that no route matches; default none, which drops them.
	DefaultPipelines []pipeline.ID `mapstructure:"default_pipelines"`

	// Sync lists the pipelines whose errors are returned to the caller; default none.
	Sync []pipeline.ID `mapstructure:"sync"`

	// PipelinesEnabled is set by the enabled converter when it removes pipelines. It lists every
	// pipeline that has the connector as a receiver in the file, and says whether the pipeline still
	// exists. Default none, which means that all exist.
	PipelinesEnabled map[pipeline.ID]bool `mapstructure:"pipelines_enabled"`
}

// RouteConfig is a route.
type RouteConfig struct {
	// Events lists names of events or spans, or patterns in which * matches any number of characters
	// (required).
	Events []string `mapstructure:"events"`

	// Pipelines lists the pipelines that get the events (required). An empty list drops them.
	Pipelines []pipeline.ID `mapstructure:"pipelines"`
}

// Unmarshal implements confmap.Unmarshaler. Unknown keys are errors.
func (cfg *Config) Unmarshal(conf *confmap.Conf) error { return strictconf.Unmarshal(conf, cfg) }

// Validate implements confmap.Validator.
func (cfg *Config) Validate() error {
	if len(cfg.Routes) == 0 && len(cfg.DefaultPipelines) == 0 {
		return errors.New("routes and default_pipelines: both are missing, so no event would go anywhere; write default_pipelines: [logs/...]")
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
		if !slices.Contains(cfg.referenced(id.Signal()), id) {
			return fmt.Errorf("sync: %s is in no route and not in default_pipelines; remove it, or route events to it", id)
		}
	}
	return errors.Join(cfg.checkReach(pipeline.SignalLogs), cfg.checkReach(pipeline.SignalTraces), cfg.checkEnabled())
}

// checkEnabled finds mistyped pipelines when some of them are disabled. newTable, which otherwise
// finds them, does not run if all pipelines of the connector are disabled.
func (cfg *Config) checkEnabled() error {
	if len(cfg.PipelinesEnabled) == 0 {
		return nil
	}
	all := slices.Collect(maps.Keys(cfg.PipelinesEnabled))
	return errors.Join(
		checkPipelines(cfg, pipeline.SignalLogs, ofSignal(all, pipeline.SignalLogs)),
		checkPipelines(cfg, pipeline.SignalTraces, ofSignal(all, pipeline.SignalTraces)))
}

// disabled returns the pipelines of the signal that the enabled converter removed.
func (cfg *Config) disabled(signal pipeline.Signal) []pipeline.ID {
	var removed []pipeline.ID
	for id, enabled := range cfg.PipelinesEnabled {
		if !enabled && id.Signal() == signal {
			removed = append(removed, id)
		}
	}
	return removed
}

func (r *RouteConfig) validate() error {
	if len(r.Events) == 0 {
		return errors.New("events: is missing; write names or patterns, such as [login_success, signup_*]")
	}
	for _, event := range r.Events {
		if event == "" || strings.ContainsFunc(event, unicode.IsControl) {
			return fmt.Errorf("events: %q is not a name or a pattern; write one such as signup_*", event)
		}
		if err := pattern.Check(event); err != nil {
			return fmt.Errorf("events: %w", err)
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

// checkReach refuses names and patterns that can never match, because an earlier route matches the
// same events.
func (cfg *Config) checkReach(signal pipeline.Signal) error {
	for i := range cfg.Routes {
		if !cfg.Routes[i].appliesTo(signal) {
			continue
		}
		for _, event := range cfg.Routes[i].Events {
			if by, at := cfg.coveredBy(signal, event, i); by != "" {
				return fmt.Errorf("routes::%d::events: %q is never reached, since routes::%d has %q; move it up, or remove it", i, event, at, by)
			}
		}
	}
	if by, at := cfg.coveredBy(signal, "*", len(cfg.Routes)); by != "" && len(ofSignal(cfg.DefaultPipelines, signal)) > 0 {
		return fmt.Errorf("default_pipelines: is never reached by %s, since routes::%d has %q; remove one of the two", signal, at, by)
	}
	return nil
}

// coveredBy returns the first pattern of an earlier route that matches every name that event
// matches, and the index of its route. The pattern is empty if there is none.
func (cfg *Config) coveredBy(signal pipeline.Signal, event string, before int) (by string, at int) {
	// Matching event as if it were a name works: only a * can match the character *, and it then also
	// matches everything that the * in event matches.
	for at := range cfg.Routes[:before] {
		for _, by := range cfg.Routes[at].Events {
			if cfg.Routes[at].appliesTo(signal) && pattern.Match(by, event) {
				return by, at
			}
		}
	}
	return "", 0
}

// appliesTo reports whether the route applies to the signal.
func (r *RouteConfig) appliesTo(signal pipeline.Signal) bool {
	return len(r.Pipelines) == 0 || len(ofSignal(r.Pipelines, signal)) > 0
}

// referenced returns the pipelines of the signal that the configuration sends events to, sorted by
// ID.
func (cfg *Config) referenced(signal pipeline.Signal) []pipeline.ID {
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
