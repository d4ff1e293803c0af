// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryintake

import "slices"

// discardReasons are the reasons in client reports (sentry-docs: telemetry/client-reports.mdx,
// Discard Reasons).
var discardReasons = []string{
	"queue_overflow", "cache_overflow", "buffer_overflow", "ratelimit_backoff", "network_error", "sample_rate", "before_send",
	"event_processor", "send_error", "internal_sdk_error", "insufficient_data", "backpressure", "ignored", "invalid",
}

// checkClientReport checks a client's report of dropped data. Only a Relay may send members such as
// rate_limited_events.
func checkClientReport(report object) {
	report.Only(RuleUnknownField, "timestamp", "discarded_events")
	report.Require("discarded_events")
	checkTime(report, "timestamp")
	discarded, ok := report.Objects("discarded_events", RuleClientReport)
	if ok && len(discarded) == 0 {
		report.Breaks(RuleClientReport, "discarded_events", "is empty")
	}
	seen := map[[2]any]bool{}
	for _, outcome := range discarded {
		outcome.Only(RuleUnknownField, "reason", "category", "quantity")
		outcome.Require("reason", "category", "quantity")
		outcome.OneOf(RuleClientReport, "reason", discardReasons...)
		if category, ok := outcome.Text("category"); ok && !categories[category] {
			outcome.Breaks(RuleClientReport, "category", "is %q, not a known category", category)
		}
		if quantity, ok := outcome.Integer("quantity"); ok && quantity < 1 {
			outcome.Breaks(RuleClientReport, "quantity", "is %d, not at least 1", quantity)
		}
		reason, _ := outcome.Members["reason"].(string)
		category, _ := outcome.Members["category"].(string)
		pair := [2]any{reason, category}
		if seen[pair] {
			outcome.Violate(RuleClientReport, outcome.Where, "has the reason and category of an earlier outcome; add them up")
		}
		seen[pair] = true
	}
}

// checkCheckIn checks a check-in of a cron monitor. An id of zeros means the latest check-in.
func checkCheckIn(checkIn object, traces map[string]bool) {
	checkIn.Only(RuleUnknownField, "check_in_id", "monitor_slug", "status", "duration", "release", "environment", "contexts", "monitor_config")
	checkIn.Require("check_in_id", "monitor_slug", "status")
	if id, ok := checkIn.Text("check_in_id"); ok && !isHex(id, 32) {
		checkIn.Breaks(RuleCheckIn, "check_in_id", "is %q, not 32 lowercase hexadecimal digits", id)
	}
	if slug, ok := checkIn.Text("monitor_slug"); ok && slug == "" {
		checkIn.Breaks(RuleCheckIn, "monitor_slug", "is empty")
	}
	checkIn.OneOf(RuleCheckIn, "status", "in_progress", "ok", "error")
	if duration, ok := checkIn.Number("duration"); ok && duration < 0 {
		checkIn.Breaks(RuleCheckIn, "duration", "is negative")
	}
	checkRelease(checkIn, "release")
	checkEnvironment(checkIn, "environment")
	if contexts, ok := checkIn.Nested("contexts", RuleCheckIn); ok {
		trace, _ := contexts.Nested("trace", RuleCheckIn)
		if id := checkID(trace, "trace_id", 32); id != "" {
			traces[id] = true
		}
	}
	config, ok := checkIn.Nested("monitor_config", RuleCheckIn)
	if !ok {
		return
	}
	config.Require("schedule")
	config.Texts("timezone", "owner")
	if schedule, ok := config.Nested("schedule", RuleCheckIn); ok {
		checkSchedule(schedule)
	}
}

func checkSchedule(schedule object) {
	schedule.Require("type", "value")
	schedule.OneOf(RuleCheckIn, "type", "crontab", "interval")
	switch schedule.Members["type"] {
	case "crontab":
		schedule.Texts("value")
	case "interval":
		schedule.Integer("value")
		schedule.Require("unit")
		schedule.OneOf(RuleCheckIn, "unit", "year", "month", "week", "day", "hour", "minute")
	}
}

// checkSession checks a session or an update of one.
func checkSession(session object) {
	session.Only(RuleUnknownField, "sid", "did", "seq", "timestamp", "started", "init", "duration", "status", "errors", "abnormal_mechanism", "attrs")
	session.Require("started", "attrs")
	session.Texts("sid", "did", "abnormal_mechanism")
	session.Booleans("init")
	checkTime(session, "started")
	checkTime(session, "timestamp")
	session.OneOf(RuleSession, "status", "ok", "exited", "crashed", "abnormal")
	session.Number("duration")
	session.Integer("errors")
	checkSessionAttributes(session)
}

// checkSessions checks sessions that are counted by the minute of their start.
func checkSessions(sessions object) {
	sessions.Only(RuleUnknownField, "aggregates", "attrs")
	sessions.Require("aggregates", "attrs")
	buckets, ok := sessions.Objects("aggregates", RuleSession)
	if ok && (len(buckets) == 0 || len(buckets) > maxSessions) {
		sessions.Breaks(RuleSession, "aggregates", "has %d buckets, not 1 to %d", len(buckets), maxSessions)
	}
	counts := []string{"exited", "errored", "abnormal", "crashed"}
	for _, bucket := range buckets {
		bucket.Only(RuleUnknownField, slices.Concat(counts, []string{"started", "did"})...)
		bucket.Require("started")
		checkTime(bucket, "started")
		bucket.Texts("did")
		for _, name := range counts {
			if n, ok := bucket.Integer(name); ok && n < 0 {
				bucket.Breaks(RuleSession, name, "is negative")
			}
		}
	}
	checkSessionAttributes(sessions)
}

func checkSessionAttributes(o object) {
	attributes, ok := o.Nested("attrs", RuleSession)
	if !ok {
		return
	}
	attributes.Only(RuleUnknownField, "release", "environment", "ip_address", "user_agent")
	attributes.Require("release")
	checkRelease(attributes, "release")
	checkEnvironment(attributes, "environment")
	attributes.Texts("ip_address", "user_agent")
}
