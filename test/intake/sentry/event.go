// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryintake

import (
	"encoding/json"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/otelcol-fanout/otelcol-fanout/test/intake/standin"
)

// platforms are the platforms of events and frames (relay: relay-event-schema/src/protocol/
// constants.rs, VALID_PLATFORMS).
var platforms = []string{
	"as3", "c", "cfml", "cocoa", "csharp", "elixir", "go", "groovy", "haskell", "java", "javascript", "native", "node", "objc",
	"other", "perl", "php", "python", "ruby",
}

// reservedTags are removed by Sentry, or become a member of the event (relay:
// relay-event-normalization/src/event.rs, normalize_event_tags and normalize_device_class).
var reservedTags = []string{"release", "dist", "user", "filename", "function", "environment", "server_name", "site", "device.class"}

// eventFields are the members of an event.
var eventFields = []string{
	"event_id", "timestamp", "platform", "level", "logger", "transaction", "server_name", "release", "dist", "tags",
	"environment", "modules", "extra", "fingerprint", "errors", "exception", "message", "logentry", "breadcrumbs", "user",
	"request", "contexts", "threads", "debug_meta", "sdk", "type", "transaction_info",
}

// transactionFields are the additional members of a transaction.
var transactionFields = []string{"start_timestamp", "spans", "measurements"}

// statuses are the statuses of a trace context and a transaction's spans. Spans of version 2 have
// others.
var statuses = []string{
	"ok", "cancelled", //nolint:misspell // Sentry's spelling
	"unknown", "invalid_argument", "deadline_exceeded", "not_found", "already_exists",
	"permission_denied", "resource_exhausted", "failed_precondition", "aborted", "out_of_range", "unimplemented",
	"internal_error", "unavailable", "data_loss", "unauthenticated",
}

// checkEvent checks an event, a transaction or feedback, which have most members in common, and adds
// its trace.
func checkEvent(event object, itemType, eventID string, traces map[string]bool) {
	event.Require("event_id", "timestamp", "platform")
	checkEventID(event, "event_id")
	if id, ok := event.Members["event_id"].(string); ok && eventID != "" && id != eventID {
		event.Breaks(RuleEventID, "event_id", "is %q, but the envelope's header has %q", id, eventID)
	}
	checkTime(event, "timestamp")
	event.OneOf(RulePlatform, "platform", platforms...)
	event.OneOf(RuleLevel, "level", "fatal", "error", "warning", "info", "debug")
	checkShort(event, "logger", maxLogger)
	checkShort(event, "transaction", maxTransaction)
	checkShort(event, "server_name", maxServerName)
	checkRelease(event, "release")
	checkDist(event, "dist")
	checkEnvironment(event, "environment")
	checkTags(event)
	checkFingerprint(event)
	checkSDK(event)
	checkInferIP(event, itemType)
	checkUser(event)
	checkHTTPRequest(event)
	checkContexts(event, itemType, traces)
	checkBreadcrumbs(event)
	checkMessage(event, itemType)
	checkExceptions(event)
	checkThreads(event)
	checkExtras(event)
	switch itemType {
	case "transaction":
		event.Only(RuleUnknownField, slices.Concat(eventFields, transactionFields)...)
		checkTransaction(event)
	case "feedback":
		event.Only(RuleUnknownField, eventFields...)
		checkFeedback(event)
	default:
		event.Only(RuleUnknownField, eventFields...)
		event.OneOf(RuleEvent, "type", "default", "error")
	}
}

// maxSeconds is the maximum timestamp in seconds. Larger ones are in milliseconds or smaller units:
// OpenTelemetry's timestamps end in 2554, before the maximum.
const maxSeconds = 2e10

// checkSeconds checks that a member is a time in seconds since 1970.
func checkSeconds(o object, name string) (seconds float64, ok bool) {
	if seconds, ok = o.Number(name); !ok {
		return 0, false
	}
	if seconds <= 0 || seconds > maxSeconds {
		o.Breaks(RuleTimestamp, name, "is %v, not a time in seconds since 1970", o.Members[name])
		return 0, false
	}
	return seconds, true
}

// checkTime checks that a member is a time in seconds since 1970 or in RFC 3339.
func checkTime(o object, name string) (seconds float64, ok bool) {
	written, isText := o.Members[name].(string)
	if !isText {
		return checkSeconds(o, name)
	}
	at, err := time.Parse(time.RFC3339Nano, written)
	if err != nil || at.UnixMicro() <= 0 {
		o.Breaks(RuleTimestamp, name, "is %q, not a time in RFC 3339", written)
		return 0, false
	}
	return float64(at.UnixMicro()) / 1e6, true
}

// checkRelease checks a release as getsentry/sentry-release-parser does, and as the documentation asks.
func checkRelease(o object, name string) {
	release, ok := o.Text(name)
	if !ok {
		return
	}
	odd := func(r rune) bool { return r == '/' || r == '\\' || unicode.IsControl(r) }
	reserved := release == "." || release == ".." || strings.EqualFold(release, "latest")
	if release == "" || reserved || len(release) > maxRelease || strings.ContainsFunc(release, odd) || strings.TrimSpace(release) != release {
		o.Breaks(RuleRelease, name, "is %.250q, not a valid release name", release)
	}
}

// checkEnvironment checks an environment as getsentry/sentry-release-parser does, and as the
// documentation asks.
func checkEnvironment(o object, name string) {
	environment, ok := o.Text(name)
	if !ok {
		return
	}
	odd := func(r rune) bool { return r == '/' || r == '\\' || unicode.IsSpace(r) || unicode.IsControl(r) }
	reserved := environment == "." || environment == ".." || strings.EqualFold(environment, "none")
	if environment == "" || reserved || len(environment) > maxEnvironment || strings.ContainsFunc(environment, odd) {
		o.Breaks(RuleEnvironment, name, "is %.100q, not a valid environment name", environment)
	}
}

// checkShort checks a text of one line.
func checkShort(o object, name string, most int) {
	text, ok := o.Text(name)
	if ok && (text == "" || utf8.RuneCountInString(text) > most || strings.TrimSpace(text) != text || strings.ContainsAny(text, "\r\n")) {
		o.Breaks(RuleShortText, name, "is %.250q, not a line of 1 to %d characters", text, most)
	}
}

func checkDist(o object, name string) {
	odd := func(r rune) bool { return notInTagKey(r) || r == ':' }
	dist, ok := o.Text(name)
	if ok && (dist == "" || len(dist) > maxDist || strings.ContainsFunc(dist, odd)) {
		o.Breaks(RuleDist, name, "is %.100q, not 1 to %d characters of a-z A-Z 0-9 _ . -", dist, maxDist)
	}
}

func checkTags(o object) {
	tags, _ := o.Nested("tags", RuleTags)
	for _, key := range tags.Names() {
		if key == "" || len(key) > maxTagKey || strings.ContainsFunc(key, notInTagKey) {
			tags.Breaks(RuleTags, key, "has a key that is not 1 to %d characters of a-z A-Z 0-9 _ . : -", maxTagKey)
		}
		if slices.Contains(reservedTags, key) {
			tags.Breaks(RuleTags, key, "is a key that Sentry reserves")
		}
		value, ok := tags.Text(key)
		if length := utf8.RuneCountInString(value); ok && (strings.TrimSpace(value) == "" || length > maxTagValue || strings.Contains(value, "\n")) {
			tags.Breaks(RuleTags, key, "is %.250q, not 1 to %d characters without a line feed", value, maxTagValue)
		}
	}
}

func notInTagKey(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("_.:-", r)
}

func checkFingerprint(event object) {
	event.Rule = RuleFingerprint
	if fingerprint, ok := textList(event, "fingerprint"); ok && len(fingerprint) == 0 {
		event.Breaks(RuleFingerprint, "fingerprint", "is empty")
	}
}

// checkInferIP checks that Sentry does not take the sender's address for that of the user, as it does on
// these platforms unless the event says otherwise.
func checkInferIP(event object, itemType string) {
	platform, _ := event.Members["platform"].(string)
	if itemType == "feedback" || !slices.Contains([]string{"javascript", "cocoa", "objc"}, platform) {
		return
	}
	sdk, _ := event.Members["sdk"].(map[string]any)
	settings, _ := sdk["settings"].(map[string]any)
	if settings["infer_ip"] != "never" {
		event.Breaks(RuleSDK, "sdk", "has no settings.infer_ip: never, so Sentry takes the sender's address for the user's")
	}
}

// checkUser checks the user, which may have more members than Sentry defines.
func checkUser(event object) {
	user, ok := event.Nested("user", RuleUser)
	if !ok {
		return
	}
	user.Texts("id", "username", "email", "name")
	if address, ok := user.Text("ip_address"); ok && address != "{{auto}}" {
		if parsed, err := netip.ParseAddr(address); err != nil || parsed.Zone() != "" {
			user.Breaks(RuleUser, "ip_address", "is %q, neither an address nor {{auto}}", address)
		}
	}
	user.Nested("data", RuleUser)
	if geo, ok := user.Nested("geo", RuleUser); ok {
		geo.Texts(geo.Names()...)
	}
}

// methods are the methods that Sentry does not remove (relay: relay-event-normalization/src/normalize/
// request.rs).
var methods = regexp.MustCompile(`^[A-Z_-]{3,32}$`)

func checkHTTPRequest(event object) {
	request, ok := event.Nested("request", RuleHTTPRequest)
	if !ok {
		return
	}
	request.Only(RuleUnknownField, "method", "url", "query_string", "data", "cookies", "headers", "env", "fragment", "inferred_content_type", "api_target")
	if text, ok := request.Text("url"); ok {
		if parsed, err := url.Parse(strings.ReplaceAll(text, "[Filtered]", "Filtered")); err != nil || parsed.Scheme == "" || parsed.Hostname() == "" {
			request.Breaks(RuleHTTPRequest, "url", "is %.100q, which sentry-cli does not parse as a URL", text)
		}
	}
	if method, ok := request.Text("method"); ok && !methods.MatchString(method) {
		request.Breaks(RuleHTTPRequest, "method", "is %q, not %s", method, methods)
	}
	request.Nested("env", RuleHTTPRequest)
	if headers, ok := request.Nested("headers", RuleHTTPRequest); ok {
		headers.Texts(headers.Names()...)
	}
	for _, name := range []string{"query_string", "cookies"} {
		switch value := request.Members[name].(type) {
		case bool, json.Number:
			request.Breaks(RuleHTTPRequest, name, "is %s, not a string, an object or a list of pairs", standin.TypeOf(value))
		}
	}
}

// checkContexts checks the contexts, and adds the trace. An event needs a trace, as a transaction does.
func checkContexts(event object, itemType string, traces map[string]bool) {
	contexts, ok := event.Nested("contexts", RuleContexts)
	if itemType == "event" && contexts.Members["trace"] == nil {
		event.Breaks(RuleTraceContext, "contexts", "has no trace")
	}
	if !ok {
		return
	}
	for _, name := range contexts.Names() {
		contexts.Nested(name, RuleContexts)
	}
	if otel, ok := contexts.Members["otel"].(map[string]any); ok {
		o := event.Object(otel, RuleContexts, contexts.Where+".otel")
		o.Nested("attributes", RuleContexts)
		o.Nested("resource", RuleContexts)
	}
	if _, ok := contexts.Members["trace"].(map[string]any); !ok {
		return
	}
	trace, _ := contexts.Nested("trace", RuleTraceContext)
	trace.Require("trace_id", "span_id")
	if id := checkID(trace, "trace_id", 32); id != "" {
		traces[id] = true
	}
	checkID(trace, "span_id", 16)
	checkID(trace, "parent_span_id", 16)
	trace.Texts("origin", "description")
	checkShort(trace, "op", maxOperation)
	trace.OneOf(RuleTraceContext, "status", statuses...)
	trace.Booleans("sampled")
	trace.Nested("data", RuleTraceContext)
}

func checkBreadcrumbs(event object) {
	breadcrumbs, ok := event.Nested("breadcrumbs", RuleBreadcrumbs)
	if !ok {
		return
	}
	breadcrumbs.Only(RuleUnknownField, "values")
	breadcrumbs.Require("values")
	crumbs, _ := breadcrumbs.Objects("values", RuleBreadcrumbs)
	var last float64
	for _, crumb := range crumbs {
		crumb.Only(RuleUnknownField, "timestamp", "type", "category", "message", "level", "data", "origin")
		crumb.Texts("type", "category", "message", "origin")
		crumb.OneOf(RuleBreadcrumbs, "level", "fatal", "error", "warning", "info", "debug")
		crumb.Nested("data", RuleBreadcrumbs)
		at, ok := checkTime(crumb, "timestamp")
		if !ok {
			continue
		}
		if at < last {
			crumb.Breaks(RuleBreadcrumbs, "timestamp", "is before the previous breadcrumb's")
		}
		last = at
	}
}

// checkMessage checks the message: the string message, and a logentry for one of a template. An event
// has a message or an exception.
func checkMessage(event object, itemType string) {
	message, hasMessage := event.Text("message")
	if hasMessage && strings.TrimSpace(message) == "" {
		event.Breaks(RuleMessage, "message", "is blank")
	}
	if utf8.RuneCountInString(message) > maxMessage {
		event.Breaks(RuleMessage, "message", "has more than %d characters", maxMessage)
	}
	if itemType == "event" && !hasMessage && event.Members["exception"] == nil {
		event.Violate(RuleMessage, event.Where, "has neither a message nor an exception")
	}
	entry, ok := event.Nested("logentry", RuleLogEntry)
	if !ok {
		return
	}
	entry.Only(RuleUnknownField, "message", "formatted", "params")
	entry.Require("message")
	template, _ := entry.Text("message")
	if formatted, ok := entry.Text("formatted"); ok {
		switch {
		case formatted == template:
			entry.Breaks(RuleLogEntry, "formatted", "is the same as message; leave it out")
		case hasMessage && formatted != message:
			entry.Breaks(RuleLogEntry, "formatted", "is not the event's message")
		}
	}
	switch params := entry.Members["params"].(type) {
	case string, bool, json.Number:
		entry.Breaks(RuleLogEntry, "params", "is %s, not a list or an object", standin.TypeOf(params))
	}
}

// checkExtras checks the members with free content.
func checkExtras(event object) {
	event.Nested("extra", RuleEvent)
	event.Nested("debug_meta", RuleEvent)
	if modules, ok := event.Nested("modules", RuleEvent); ok {
		modules.Texts(modules.Names()...)
	}
	errors, _ := event.Objects("errors", RuleEvent)
	for _, e := range errors {
		e.Require("type")
		e.Texts("type")
	}
}

func checkFeedback(event object) {
	contexts, _ := event.Members["contexts"].(map[string]any)
	feedback, ok := contexts["feedback"].(map[string]any)
	if !ok {
		event.Breaks(RuleFeedback, "contexts", "has no feedback")
		return
	}
	o := event.Object(feedback, RuleFeedback, event.Where+".contexts.feedback")
	o.Require("message")
	o.Texts("contact_email", "name", "url")
	if message, ok := o.Text("message"); ok && (message == "" || utf8.RuneCountInString(message) > maxFeedbackMessage) {
		o.Breaks(RuleFeedback, "message", "does not have 1 to %d characters", maxFeedbackMessage)
	}
	checkEventID(o, "associated_event_id")
	checkEventID(o, "replay_id")
}
