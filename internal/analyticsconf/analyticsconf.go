// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package analyticsconf holds the settings that exporters to product analytics share.
package analyticsconf

import (
	"errors"
	"fmt"
	"slices"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/strictconf"
)

// Logs is the key logs: what becomes of records that are logs and not events.
type Logs string

// What becomes of them.
const (
	LogsSkip     Logs = "skip" // the default
	LogsAsEvents Logs = "as_events"
)

// ApplyDefault gives an empty value its default, as a key without a value has.
func (l *Logs) ApplyDefault() { strictconf.Default(l, LogsSkip) }

// Check refuses all other words.
func (l Logs) Check() error { return strictconf.CheckWord("logs", l, LogsSkip, LogsAsEvents) }

// Skips reports whether e is a log that is not sent.
func (l Logs) Skips(e *appevent.Event) bool { return l == LogsSkip && !e.IsEvent() }

// IDAttributes says where an event tells whom it is about.
type IDAttributes struct {
	// From are the attributes that may hold the id, the best one first. Those of the record or span
	// win over those of the resource.
	From []string `mapstructure:"from"`
}

// Check refuses a list that has no names, or an empty one. key is that of the block.
func (a IDAttributes) Check(key string) error {
	if len(a.From) > 0 && !slices.Contains(a.From, "") {
		return nil
	}
	return fmt.Errorf("%s::from: %w", key, errNoNames)
}

var errNoNames = errors.New("is empty, or has an empty name; write the attributes that tell whom an event is about, such as [user.id]")
