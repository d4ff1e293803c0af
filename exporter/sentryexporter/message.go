// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
)

// messageOf returns the message of an event: a string body that is not blank, else the message in a
// map, else the event's name, else the body as JSON or, without a body, the exception's message. It
// is empty for an event without a name whose body is a blank string.
func messageOf(e *appevent.Event, ns *nameCache) string {
	switch e.Body.Type() {
	case pcommon.ValueTypeStr:
		if body := e.Body.Str(); strings.TrimSpace(body) != "" {
			return body
		}
	case pcommon.ValueTypeMap:
		for _, name := range []string{"message", "msg"} {
			if v, ok := e.Body.Map().Get(name); ok && v.Type() == pcommon.ValueTypeStr && strings.TrimSpace(v.Str()) != "" {
				return v.Str()
			}
		}
	case pcommon.ValueTypeEmpty:
		if e.Name == "" {
			return e.Exception.Message
		}
	}
	if e.Name != "" || e.Body.Type() == pcommon.ValueTypeStr {
		return e.Name
	}
	ns.scratch = ns.json.Value(ns.scratch[:0], e.Body)
	return string(ns.scratch)
}
