// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package analyticsconf holds the settings that exporters to product analytics share.
package analyticsconf

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/pattern"
	"github.com/otelcol-fanout/otelcol-fanout/internal/strictconf"
)

// Logs is the key logs: what to do with plain logs, which are records that are not events.
type Logs string

// The values of logs.
const (
	LogsSkip     Logs = "skip" // the default
	LogsAsEvents Logs = "as_events"
)

// ApplyDefault sets an empty value to its default.
func (l *Logs) ApplyDefault() { strictconf.Default(l, LogsSkip) }

// Check refuses unknown values.
func (l Logs) Check() error { return strictconf.CheckWord("logs", l, LogsSkip, LogsAsEvents) }

// Skips reports whether e is a plain log and is not sent.
func (l Logs) Skips(e *appevent.Event) bool { return l == LogsSkip && !e.IsEvent() }

// IDAttributes says where to find the ID of an event's user.
type IDAttributes struct {
	// From lists the attributes that may hold the ID, the preferred one first. Attributes of the
	// record or span override those of the resource.
	From []string `mapstructure:"from"`
}

// Check refuses an empty list, and empty names. key is the key of the block.
func (a IDAttributes) Check(key string) error {
	if len(a.From) > 0 && !slices.Contains(a.From, "") {
		return nil
	}
	return fmt.Errorf("%s::from: %w", key, errNoNames)
}

var errNoNames = errors.New("is empty or contains an empty name; write the attributes that identify the user, such as [user.id]")

// EventNames is the key event_names::map: the vendor's names by the names of events.
type EventNames map[string]string

// Check runs the vendor's check on each of its names. The error says which event the name is for.
func (m EventNames) Check(check func(vendorName string) error) error {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if err := check(m[name]); err != nil {
			return fmt.Errorf("event_names::map::%s: %w", name, err)
		}
	}
	return nil
}

// ResourceAttributes is the key resource_attributes: the resource attributes to send, as names or
// patterns such as service.*.
type ResourceAttributes []string

// Match reports whether to send an attribute. Patterns never match fanout.* attributes, which are
// instructions to the collector.
func (r ResourceAttributes) Match(name string) bool {
	return !strings.HasPrefix(name, appevent.FanoutPrefix) && pattern.Any(r, name)
}
