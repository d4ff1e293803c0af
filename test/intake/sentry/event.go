// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryintake

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// The platforms of events and frames (sentry-docs: event-payloads/index.mdx), with rust, which Sentry shows too.
var platforms = []string{
	"as3", "c", "cfml", "cocoa", "csharp", "elixir", "go", "groovy", "haskell", "java", "javascript", "native", "node", "objc",
	"other", "perl", "php", "python", "ruby", "rust",
}

// eventFields are the members of an event.
var eventFields = []string{
	"event_id", "timestamp", "platform", "level", "logger", "transaction", "server_name", "release", "dist", "tags",
	"environment", "modules", "extra", "fingerprint", "errors", "exception", "message", "logentry", "breadcrumbs", "user",
	"request", "contexts", "threads", "debug_meta", "sdk", "type", "transaction_info",
}

// transactionFields are the members that a transaction has beside those of an event.
var transactionFields = []string{"start_timestamp", "spans", "measurements"}

// statuses are those of a trace context and of a transaction's spans. Spans of version 2 have others.
var statuses = []string{
	"ok", "cancelled", //nolint:misspell // Sentry spells it so.
	"unknown", "invalid_argument", "deadline_exceeded", "not_found", "already_exists",
	"permission_denied", "resource_exhausted", "failed_precondition", "aborted", "out_of_range", "unimplemented",
	"internal_error", "unavailable", "data_loss", "unauthenticated",
}

// checkEvent looks at an event, a transaction or feedback, which have most in common, and adds the trace that it belongs to.
func checkEvent(event object, itemType, eventID string, traces map[string]bool) {
	event.require("event_id", "timestamp", "platform")
	checkEventID(event, "event_id")
	if id, ok := event.members["event_id"].(string); ok && eventID != "" && id != eventID {
		event.breaks(RuleEventID, "event_id", "is %q, but %q in the envelope's header", id, eventID)
	}
	checkTime(event, "timestamp")
	event.oneOf(RulePlatform, "platform", platforms...)
	event.oneOf(RuleLevel, "level", "fatal", "error", "warning", "info", "debug")
	event.texts("logger", "transaction", "server_name", "dist")
	checkRelease(event, "release")
	checkEnvironment(event, "environment")
	checkTags(event)
	checkFingerprint(event)
	checkSDK(event)
	checkUser(event)
	checkHTTPRequest(event)
	checkContexts(event, traces)
	checkBreadcrumbs(event)
	checkMessage(event)
	checkExceptions(event)
	checkThreads(event)
	checkExtras(event)
	switch itemType {
	case "transaction":
		event.only(slices.Concat(eventFields, transactionFields)...)
		checkTransaction(event)
	case "feedback":
		event.only(eventFields...)
		checkFeedback(event)
	default:
		event.only(eventFields...)
		event.oneOf(RuleEvent, "type", "default", "error")
	}
}

// The range of a timestamp in seconds. What is beyond it is in milliseconds or less: the last second that OpenTelemetry can
// write is before it, in 2554.
const maxSeconds = 2e10

// checkSeconds wants a time in seconds since 1970.
func checkSeconds(o object, name string) (seconds float64, ok bool) {
	if seconds, ok = o.number(name); !ok {
		return 0, false
	}
	if seconds <= 0 || seconds > maxSeconds {
		o.breaks(RuleTimestamp, name, "is %v, not a time in seconds since 1970", o.members[name])
		return 0, false
	}
	return seconds, true
}

// checkTime wants a time in seconds since 1970 or in RFC 3339.
func checkTime(o object, name string) (seconds float64, ok bool) {
	written, isText := o.members[name].(string)
	if !isText {
		return checkSeconds(o, name)
	}
	at, err := time.Parse(time.RFC3339Nano, written)
	if err != nil || at.Unix() <= 0 {
		o.breaks(RuleTimestamp, name, "is %q, not a time in RFC 3339", written)
		return 0, false
	}
	return float64(at.UnixNano()) / 1e9, true
}

func checkRelease(o object, name string) {
	release, ok := o.text(name)
	if !ok {
		return
	}
	odd := func(r rune) bool { return r == '/' || r == '\\' || unicode.IsControl(r) }
	length := utf8.RuneCountInString(release)
	if length == 0 || length > maxRelease || strings.ContainsFunc(release, odd) || slices.Contains([]string{".", "..", " "}, release) {
		o.breaks(RuleRelease, name, "is %.250q, which is no name of a release", release)
	}
}

func checkEnvironment(o object, name string) {
	environment, ok := o.text(name)
	if !ok {
		return
	}
	odd := func(r rune) bool { return r == '/' || unicode.IsSpace(r) }
	length := utf8.RuneCountInString(environment)
	if length == 0 || length > maxEnvironment || strings.ContainsFunc(environment, odd) || strings.EqualFold(environment, "none") {
		o.breaks(RuleEnvironment, name, "is %.100q, which is no name of an environment", environment)
	}
}

func checkTags(o object) {
	tags, _ := o.object("tags", RuleTags)
	for _, key := range tags.names() {
		if key == "" || len(key) > maxTagKey || strings.ContainsFunc(key, notInTagKey) {
			tags.breaks(RuleTags, key, "has a key that is not 1 to %d of a-z A-Z 0-9 _ . : -", maxTagKey)
		}
		value, ok := tags.text(key)
		if length := utf8.RuneCountInString(value); ok && (length == 0 || length > maxTagValue || strings.Contains(value, "\n")) {
			tags.breaks(RuleTags, key, "is %.250q, not 1 to %d characters without a line feed", value, maxTagValue)
		}
	}
}

func notInTagKey(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("_.:-", r)
}

func checkFingerprint(event object) {
	event.rule = RuleFingerprint
	if fingerprint, ok := event.strings("fingerprint"); ok && len(fingerprint) == 0 {
		event.breaks(RuleFingerprint, "fingerprint", "is empty")
	}
}

// checkUser looks at the user, which may have members of its own beside those that Sentry knows.
func checkUser(event object) {
	user, ok := event.object("user", RuleUser)
	if !ok {
		return
	}
	user.texts("id", "username", "email", "name")
	if address, ok := user.text("ip_address"); ok && address != "{{auto}}" {
		if _, err := netip.ParseAddr(address); err != nil {
			user.breaks(RuleUser, "ip_address", "is %q, neither an address nor {{auto}}", address)
		}
	}
	user.object("data", RuleUser)
	if geo, ok := user.object("geo", RuleUser); ok {
		geo.texts(geo.names()...)
	}
}

func checkHTTPRequest(event object) {
	request, ok := event.object("request", RuleHTTPRequest)
	if !ok {
		return
	}
	request.only("method", "url", "query_string", "data", "cookies", "headers", "env", "fragment", "inferred_content_type", "api_target")
	request.texts("method", "url")
	request.object("env", RuleHTTPRequest)
	if headers, ok := request.object("headers", RuleHTTPRequest); ok {
		headers.texts(headers.names()...)
	}
	for _, name := range []string{"query_string", "cookies"} {
		switch value := request.members[name].(type) {
		case bool, json.Number:
			request.breaks(RuleHTTPRequest, name, "is %s, not a string, an object or a list of pairs", typeOf(value))
		}
	}
}

func checkContexts(event object, traces map[string]bool) {
	contexts, ok := event.object("contexts", RuleContexts)
	if !ok {
		return
	}
	for _, name := range contexts.names() {
		contexts.object(name, RuleContexts)
	}
	if otel, ok := contexts.members["otel"].(map[string]any); ok {
		o := object{event.checker, contexts.where + ".otel", RuleContexts, otel}
		o.object("attributes", RuleContexts)
		o.object("resource", RuleContexts)
	}
	if _, ok := contexts.members["trace"].(map[string]any); !ok {
		return
	}
	trace, _ := contexts.object("trace", RuleTraceContext)
	trace.require("trace_id", "span_id")
	if id := trace.id("trace_id", 32); id != "" {
		traces[id] = true
	}
	trace.id("span_id", 16)
	trace.id("parent_span_id", 16)
	trace.texts("op", "origin", "description")
	trace.oneOf(RuleTraceContext, "status", statuses...)
	trace.booleans("sampled")
	trace.object("data", RuleTraceContext)
}

func checkBreadcrumbs(event object) {
	breadcrumbs, ok := event.object("breadcrumbs", RuleBreadcrumbs)
	if !ok {
		return
	}
	breadcrumbs.only("values")
	breadcrumbs.require("values")
	crumbs, _ := breadcrumbs.objects("values", RuleBreadcrumbs)
	var last float64
	for _, crumb := range crumbs {
		crumb.only("timestamp", "type", "category", "message", "level", "data", "origin")
		crumb.texts("type", "category", "message", "origin")
		crumb.oneOf(RuleBreadcrumbs, "level", "fatal", "error", "warning", "info", "debug")
		crumb.object("data", RuleBreadcrumbs)
		at, ok := checkTime(crumb, "timestamp")
		if !ok {
			continue
		}
		if at < last {
			crumb.breaks(RuleBreadcrumbs, "timestamp", "is before that of the one before it")
		}
		last = at
	}
}

// checkMessage looks at the message, which is a logentry, or a string at the top.
func checkMessage(event object) {
	event.texts("message")
	entry, ok := event.object("logentry", RuleLogEntry)
	if !ok {
		return
	}
	entry.only("message", "formatted", "params")
	_, hasMessage := entry.text("message")
	if _, ok := entry.text("formatted"); !ok && !hasMessage {
		entry.violate(RuleLogEntry, entry.where, "has neither a message nor a formatted one")
	}
	switch params := entry.members["params"].(type) {
	case string, bool, json.Number:
		entry.breaks(RuleLogEntry, "params", "is %s, not a list or an object", typeOf(params))
	}
}

// checkExtras looks at the objects that hold what they like.
func checkExtras(event object) {
	event.object("extra", RuleEvent)
	event.object("debug_meta", RuleEvent)
	if modules, ok := event.object("modules", RuleEvent); ok {
		modules.texts(modules.names()...)
	}
	errors, _ := event.objects("errors", RuleEvent)
	for _, e := range errors {
		e.require("type")
		e.texts("type")
	}
}

func checkFeedback(event object) {
	contexts, _ := event.members["contexts"].(map[string]any)
	feedback, ok := contexts["feedback"].(map[string]any)
	if !ok {
		event.breaks(RuleFeedback, "contexts", "has no feedback")
		return
	}
	o := object{event.checker, event.where + ".contexts.feedback", RuleFeedback, feedback}
	o.require("message")
	o.texts("contact_email", "name", "url")
	if message, ok := o.text("message"); ok && (message == "" || utf8.RuneCountInString(message) > maxFeedbackMessage) {
		o.breaks(RuleFeedback, "message", "does not have 1 to %d characters", maxFeedbackMessage)
	}
	checkEventID(o, "associated_event_id")
	checkEventID(o, "replay_id")
}
