// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryintake

import "slices"

// discardReasons are why a client may say that it dropped something (sentry-docs: telemetry/client-reports.mdx, Discard
// Reasons).
var discardReasons = []string{
	"queue_overflow", "cache_overflow", "buffer_overflow", "ratelimit_backoff", "network_error", "sample_rate", "before_send",
	"event_processor", "send_error", "internal_sdk_error", "insufficient_data", "backpressure", "ignored", "invalid",
}

// checkClientReport looks at a report of what a client dropped. rate_limited_events and its like are for a Relay to write.
func checkClientReport(report object) {
	report.only("timestamp", "discarded_events")
	report.require("discarded_events")
	checkTime(report, "timestamp")
	discarded, ok := report.objects("discarded_events", RuleClientReport)
	if ok && len(discarded) == 0 {
		report.breaks(RuleClientReport, "discarded_events", "is empty")
	}
	seen := map[[2]any]bool{}
	for _, outcome := range discarded {
		outcome.only("reason", "category", "quantity")
		outcome.require("reason", "category", "quantity")
		outcome.oneOf(RuleClientReport, "reason", discardReasons...)
		if category, ok := outcome.text("category"); ok && !categories[category] {
			outcome.breaks(RuleClientReport, "category", "is %q, which is no category", category)
		}
		if quantity, ok := outcome.integer("quantity"); ok && quantity < 1 {
			outcome.breaks(RuleClientReport, "quantity", "is %d", quantity)
		}
		reason, _ := outcome.members["reason"].(string)
		category, _ := outcome.members["category"].(string)
		pair := [2]any{reason, category}
		if seen[pair] {
			outcome.violate(RuleClientReport, outcome.where, "has the reason and the category of another; add them up")
		}
		seen[pair] = true
	}
}

// checkCheckIn looks at a check-in of a cron monitor. Its id may be all 0, for the latest check-in.
func checkCheckIn(checkIn object, traces map[string]bool) {
	checkIn.only("check_in_id", "monitor_slug", "status", "duration", "release", "environment", "contexts", "monitor_config")
	checkIn.require("check_in_id", "monitor_slug", "status")
	if id, ok := checkIn.text("check_in_id"); ok && !isHex(id, 32) {
		checkIn.breaks(RuleCheckIn, "check_in_id", "is %q, not 32 lowercase hexadecimal digits", id)
	}
	if slug, ok := checkIn.text("monitor_slug"); ok && slug == "" {
		checkIn.breaks(RuleCheckIn, "monitor_slug", "is empty")
	}
	checkIn.oneOf(RuleCheckIn, "status", "in_progress", "ok", "error")
	if duration, ok := checkIn.number("duration"); ok && duration < 0 {
		checkIn.breaks(RuleCheckIn, "duration", "is negative")
	}
	checkRelease(checkIn, "release")
	checkEnvironment(checkIn, "environment")
	if contexts, ok := checkIn.object("contexts", RuleCheckIn); ok {
		trace, _ := contexts.object("trace", RuleCheckIn)
		if id := trace.id("trace_id", 32); id != "" {
			traces[id] = true
		}
	}
	config, ok := checkIn.object("monitor_config", RuleCheckIn)
	if !ok {
		return
	}
	config.require("schedule")
	config.texts("timezone", "owner")
	if schedule, ok := config.object("schedule", RuleCheckIn); ok {
		checkSchedule(schedule)
	}
}

func checkSchedule(schedule object) {
	schedule.require("type", "value")
	schedule.oneOf(RuleCheckIn, "type", "crontab", "interval")
	switch schedule.members["type"] {
	case "crontab":
		schedule.texts("value")
	case "interval":
		schedule.integer("value")
		schedule.require("unit")
		schedule.oneOf(RuleCheckIn, "unit", "year", "month", "week", "day", "hour", "minute")
	}
}

// checkSession looks at a session, or at an update of one.
func checkSession(session object) {
	session.only("sid", "did", "seq", "timestamp", "started", "init", "duration", "status", "errors", "abnormal_mechanism", "attrs")
	session.require("started", "attrs")
	session.texts("sid", "did", "abnormal_mechanism")
	session.booleans("init")
	checkTime(session, "started")
	checkTime(session, "timestamp")
	session.oneOf(RuleSession, "status", "ok", "exited", "crashed", "abnormal")
	session.number("duration")
	session.integer("errors")
	checkSessionAttributes(session)
}

// checkSessions looks at sessions that are counted by the minute in which they started.
func checkSessions(sessions object) {
	sessions.only("aggregates", "attrs")
	sessions.require("aggregates", "attrs")
	buckets, ok := sessions.objects("aggregates", RuleSession)
	if ok && (len(buckets) == 0 || len(buckets) > maxSessions) {
		sessions.breaks(RuleSession, "aggregates", "has %d buckets; it may have 1 to %d", len(buckets), maxSessions)
	}
	counts := []string{"exited", "errored", "abnormal", "crashed"}
	for _, bucket := range buckets {
		bucket.only(slices.Concat(counts, []string{"started", "did"})...)
		bucket.require("started")
		checkTime(bucket, "started")
		bucket.texts("did")
		for _, name := range counts {
			if n, ok := bucket.integer(name); ok && n < 0 {
				bucket.breaks(RuleSession, name, "is negative")
			}
		}
	}
	checkSessionAttributes(sessions)
}

func checkSessionAttributes(o object) {
	attributes, ok := o.object("attrs", RuleSession)
	if !ok {
		return
	}
	attributes.only("release", "environment", "ip_address", "user_agent")
	attributes.require("release")
	checkRelease(attributes, "release")
	checkEnvironment(attributes, "environment")
	attributes.texts("ip_address", "user_agent")
}
