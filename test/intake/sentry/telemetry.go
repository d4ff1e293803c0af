// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryintake

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/otelcol-fanout/otelcol-fanout/test/intake/standin"
)

// checkLog checks a log (sentry-docs: telemetry/logs.mdx).
func checkLog(log object) {
	log.Only(RuleUnknownField, "timestamp", "trace_id", "span_id", "level", "body", "severity_number", "attributes")
	log.Require("timestamp", "trace_id", "level", "body")
	checkSeconds(log, "timestamp")
	checkID(log, "trace_id", 32)
	checkID(log, "span_id", 16)
	log.Texts("body")
	checkLogLevel(log)
	attributes := checkAttributes(log)
	if _, ok := attributes["sentry.message.template"]; !ok {
		return
	}
	for name := range attributes {
		if strings.HasPrefix(name, "sentry.message.parameter.") {
			return
		}
	}
	log.Breaks(RuleLogTemplate, "attributes", "has a sentry.message.template without a sentry.message.parameter")
}

// checkLogLevel checks the level of a log. Its names differ from those of events: warn, not warning.
func checkLogLevel(log object) {
	levels := [...]string{"trace", "debug", "info", "warn", "error", "fatal"}
	log.OneOf(RuleLogLevel, "level", levels[:]...)
	number, ok := log.Integer("severity_number")
	if !ok {
		return
	}
	if number < 1 || number > 24 {
		log.Breaks(RuleLogLevel, "severity_number", "is %d, not 1 to 24", number)
		return
	}
	if level := levels[(number-1)/4]; log.Members["level"] != level {
		log.Breaks(RuleLogLevel, "severity_number", "is %d, which is %s, but the level is %v", number, level, log.Members["level"])
	}
}

// checkSpan checks a span of version 2, which has no events (sentry-docs:
// telemetry/spans/span-protocol.mdx).
func checkSpan(span object) {
	span.Only(RuleUnknownField, "trace_id", "span_id", "parent_span_id", "name", "status", "is_segment", "start_timestamp", "end_timestamp",
		"attributes", "links")
	span.Require("trace_id", "span_id", "name", "status", "is_segment", "start_timestamp", "end_timestamp")
	checkID(span, "trace_id", 32)
	id := checkID(span, "span_id", 16)
	if parent := checkID(span, "parent_span_id", 16); parent != "" && parent == id {
		span.Breaks(RuleSpan, "parent_span_id", "is the span's own id")
	}
	span.Texts("name")
	span.OneOf(RuleSpanStatus, "status", "ok", "error")
	span.Booleans("is_segment")
	start, hasStart := checkSeconds(span, "start_timestamp")
	end, hasEnd := checkSeconds(span, "end_timestamp")
	if hasStart && hasEnd && start > end {
		span.Breaks(RuleSpan, "start_timestamp", "is after end_timestamp")
	}
	attributes := checkAttributes(span)
	checkNameSource(span, attributes)
	checkLinks(span)
}

// checkNameSource checks the attributes that say where the name of a segment comes from. The documentation
// requires the second one; the conventions define the first, which events queued by an earlier version of
// a sender may lack.
func checkNameSource(span object, attributes map[string]any) {
	if _, ok := attributes["sentry.span.source"]; !ok && span.Members["is_segment"] == true {
		span.Breaks(RuleSegment, "attributes", "has no sentry.span.source, but the span is a segment")
	}
	for _, name := range []string{"sentry.segment.name.source", "sentry.span.source"} {
		attribute, ok := attributes[name].(map[string]any)
		if source, _ := attribute["value"].(string); ok && !slices.Contains(nameSources, source) {
			span.Breaks(RuleSegment, "attributes."+name, "is %q, not one of %v", source, nameSources)
		}
	}
}

// nameSources say where the name of a segment or transaction comes from.
var nameSources = []string{"custom", "url", "route", "view", "component", "task"}

func checkLinks(span object) {
	links, _ := span.Objects("links", RuleSpanLinks)
	for _, link := range links {
		link.Only(RuleUnknownField, "trace_id", "span_id", "sampled", "attributes")
		link.Require("trace_id", "span_id")
		checkID(link, "trace_id", 32)
		checkID(link, "span_id", 16)
		link.Booleans("sampled")
		checkAttributes(link)
	}
}

// checkMetric checks a metric. The format is taken from requests of Sentry's SDKs.
func checkMetric(metric object) {
	metric.Only(RuleUnknownField, "timestamp", "trace_id", "span_id", "name", "type", "value", "unit", "attributes")
	metric.Require("timestamp", "trace_id", "name", "type", "value")
	checkSeconds(metric, "timestamp")
	checkID(metric, "trace_id", 32)
	checkID(metric, "span_id", 16)
	metric.Texts("name", "type", "unit")
	metric.Number("value")
	checkAttributes(metric)
	if encoded, err := json.Marshal(metric.Members); err == nil && len(encoded) > maxMetric {
		metric.Violate(RuleItemSize, metric.Where, "has %d bytes; the limit of a metric is %d", len(encoded), maxMetric)
	}
}

// checkAttributes checks typed attributes, and returns them.
func checkAttributes(o object) map[string]any {
	attributes, _ := o.Nested("attributes", RuleAttributes)
	for _, name := range attributes.Names() {
		attribute, ok := attributes.Nested(name, RuleAttributes)
		if !ok {
			continue
		}
		attribute.Only(RuleUnknownField, "value", "type", "unit")
		attribute.Require("value", "type")
		attribute.Texts("unit")
		checkTyped(attribute)
		switch name {
		case "sentry.release":
			checkRelease(attribute, "value")
		case "sentry.environment":
			checkEnvironment(attribute, "value")
		}
	}
	return attributes.Members
}

// checkTyped checks that an attribute's value has its type.
func checkTyped(attribute object) {
	kind, ok := attribute.Text("type")
	if !ok {
		return
	}
	value := attribute.Members["value"]
	number, isNumber := value.(json.Number)
	switch kind {
	case "string":
		_, ok = value.(string)
	case "boolean":
		_, ok = value.(bool)
	case "integer":
		_, err := strconv.ParseInt(string(number), 10, 64)
		ok = isNumber && err == nil
	case "double":
		_, err := number.Float64()
		ok = isNumber && err == nil
	default:
		attribute.Breaks(RuleAttributes, "type", "is %q, not string, integer, double or boolean", kind)
		return
	}
	if !ok {
		attribute.Breaks(RuleAttributes, "value", "is %s (%.40v), not of the type %s", standin.TypeOf(value), value, kind)
	}
}
