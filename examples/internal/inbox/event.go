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

// event is the printed part of an event's JSON. Properties stay raw, since a float64 cannot
// represent every number in them.
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

// String returns the event as the inbox prints it.
func (e event) String() string {
	return fmt.Sprintf("%-14s  user=%s  %s", e.title(), firstOf(e.User.ID, e.User.AnonymousID, "-"), e.properties())
}

// title returns the event's name, or its type or message: logs and identify events may have no
// name.
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

// printable escapes line breaks and terminal control characters.
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
