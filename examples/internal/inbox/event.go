// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package inbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
)

// event is the part of an event's JSON that is printed. Properties stay as they came, since a float64 would not
// hold every number in them.
type event struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Type    string `json:"type"`
	Message string `json:"message"`
	User    struct {
		ID          string `json:"id"`
		AnonymousID string `json:"anonymous_id"`
	} `json:"user"`
	Properties json.RawMessage `json:"properties"`
}

// decode reads one event or an array of them.
func decode(body []byte) ([]event, error) {
	body = bytes.TrimSpace(body)
	if bytes.HasPrefix(body, []byte("[")) {
		var events []event
		if err := json.Unmarshal(body, &events); err != nil {
			return nil, fmt.Errorf("reading an array of events: %w", err)
		}
		return events, nil
	}
	var e event
	if err := json.Unmarshal(body, &e); err != nil {
		return nil, fmt.Errorf("reading an event: %w", err)
	}
	return []event{e}, nil
}

// String is the event as the inbox prints it.
func (e event) String() string {
	return fmt.Sprintf("%-14s  user=%s  %s", e.title(), firstOf(e.User.ID, e.User.AnonymousID, "-"), e.properties())
}

// title is what the event calls itself: a log has no name, and an identify event needs none.
func (e event) title() string { return firstOf(e.Name, e.Type, e.Message, "-") }

func (e event) properties() string {
	if len(e.Properties) == 0 {
		return "{}"
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, e.Properties); err != nil {
		return string(e.Properties)
	}
	return compact.String()
}

func firstOf(candidates ...string) string {
	for _, c := range candidates {
		if c != "" {
			return c
		}
	}
	return ""
}

// printable escapes what would break the line, or speak to the terminal.
func printable(s string) string {
	var b strings.Builder
	for _, r := range s {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
