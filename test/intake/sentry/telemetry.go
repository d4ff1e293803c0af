// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryintake

import (
	"encoding/json"
	"strconv"
	"strings"
)

// checkLog looks at a log (sentry-docs: telemetry/logs.mdx).
func checkLog(log object) {
	log.only("timestamp", "trace_id", "span_id", "level", "body", "severity_number", "attributes")
	log.require("timestamp", "trace_id", "level", "body")
	checkSeconds(log, "timestamp")
	log.id("trace_id", 32)
	log.id("span_id", 16)
	log.texts("body")
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
	log.breaks(RuleLogTemplate, "attributes", "has a sentry.message.template, but no sentry.message.parameter")
}

// checkLogLevel looks at the level, whose name is not the one that events have: warn, not warning.
func checkLogLevel(log object) {
	levels := [...]string{"trace", "debug", "info", "warn", "error", "fatal"}
	log.oneOf(RuleLogLevel, "level", levels[:]...)
	number, ok := log.integer("severity_number")
	if !ok {
		return
	}
	if number < 1 || number > 24 {
		log.breaks(RuleLogLevel, "severity_number", "is %d, which is none of 1 to 24", number)
		return
	}
	if level := levels[(number-1)/4]; log.members["level"] != level {
		log.breaks(RuleLogLevel, "severity_number", "is %d, which is %s, but the level is %v", number, level, log.members["level"])
	}
}

// checkSpan looks at a span of version 2 (sentry-docs: telemetry/spans/span-protocol.mdx). It has no events.
func checkSpan(span object) {
	span.only("trace_id", "span_id", "parent_span_id", "name", "status", "is_segment", "start_timestamp", "end_timestamp",
		"attributes", "links")
	span.require("trace_id", "span_id", "name", "status", "is_segment", "start_timestamp", "end_timestamp")
	span.id("trace_id", 32)
	id := span.id("span_id", 16)
	if parent := span.id("parent_span_id", 16); parent != "" && parent == id {
		span.breaks(RuleSpan, "parent_span_id", "is the span's own id")
	}
	span.texts("name")
	span.oneOf(RuleSpanStatus, "status", "ok", "error")
	span.booleans("is_segment")
	start, hasStart := checkSeconds(span, "start_timestamp")
	end, hasEnd := checkSeconds(span, "end_timestamp")
	if hasStart && hasEnd && start > end {
		span.breaks(RuleSpan, "start_timestamp", "is after end_timestamp")
	}
	attributes := checkAttributes(span)
	if _, ok := attributes["sentry.span.source"]; !ok && span.members["is_segment"] == true {
		span.breaks(RuleSegment, "attributes", "has no sentry.span.source, though the span is a segment")
	}
	checkLinks(span)
}

func checkLinks(span object) {
	links, _ := span.objects("links", RuleSpanLinks)
	for _, link := range links {
		link.only("trace_id", "span_id", "sampled", "attributes")
		link.require("trace_id", "span_id")
		link.id("trace_id", 32)
		link.id("span_id", 16)
		link.booleans("sampled")
		checkAttributes(link)
	}
}

// checkMetric looks at a metric. Its format is what SDKs were seen to send.
func checkMetric(metric object) {
	metric.only("timestamp", "trace_id", "span_id", "name", "type", "value", "unit", "attributes")
	metric.require("timestamp", "trace_id", "name", "type", "value")
	checkSeconds(metric, "timestamp")
	metric.id("trace_id", 32)
	metric.id("span_id", 16)
	metric.texts("name", "type", "unit")
	metric.number("value")
	checkAttributes(metric)
	if encoded, err := json.Marshal(metric.members); err == nil && len(encoded) > maxMetric {
		metric.violate(RuleItemSize, metric.where, "has %d bytes, but %d is the limit of a metric", len(encoded), maxMetric)
	}
}

// checkAttributes looks at typed attributes, and returns them.
func checkAttributes(o object) map[string]any {
	attributes, _ := o.object("attributes", RuleAttributes)
	for _, name := range attributes.names() {
		attribute, ok := attributes.object(name, RuleAttributes)
		if !ok {
			continue
		}
		attribute.only("value", "type", "unit")
		attribute.require("value", "type")
		attribute.texts("unit")
		checkTyped(attribute)
		switch name {
		case "sentry.release":
			checkRelease(attribute, "value")
		case "sentry.environment":
			checkEnvironment(attribute, "value")
		}
	}
	return attributes.members
}

// checkTyped wants the value to be of the type.
func checkTyped(attribute object) {
	kind, ok := attribute.text("type")
	if !ok {
		return
	}
	value := attribute.members["value"]
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
		attribute.breaks(RuleAttributes, "type", "is %q, which is none of string, integer, double, boolean", kind)
		return
	}
	if !ok {
		attribute.breaks(RuleAttributes, "value", "is %s (%.40v), which is no %s", typeOf(value), value, kind)
	}
}
