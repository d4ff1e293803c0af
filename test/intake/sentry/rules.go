// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryintake

import "github.com/otelcol-fanout/otelcol-fanout/test/intake/standin"

// Rule is one of Sentry's rules for requests. In the sources, sentry-docs stands for the repository
// getsentry/sentry-docs, and relay for getsentry/relay, the program behind Sentry's intake.
type Rule = standin.Rule

// Violation is a broken rule.
type Violation = standin.Violation //nolint:errname // see standin

// Rules of the request.
const (
	// RuleMethod: every request is a POST (sentry-docs: transport/authentication.mdx).
	RuleMethod Rule = "method"
	// RulePath: the path is {path of the DSN}/api/{project}/envelope/, with the last slash
	// (sentry-docs: transport/authentication.mdx).
	RulePath Rule = "path"
	// RuleURLSecret: the URL has no key and no query. Sentry would read sentry_key there, but every
	// proxy logs URLs.
	RuleURLSecret Rule = "url-secret"
	// RuleContentType: Content-Type is application/x-sentry-envelope. Sentry assumes it if it is
	// missing (sentry-docs: data-model/envelopes.mdx, HTTP Headers).
	RuleContentType Rule = "content-type"
	// RuleEncoding: the content encoding is valid, and is identity, gzip, deflate or zstd (relay:
	// relay-server, HttpEncoding).
	RuleEncoding Rule = "content-encoding"
	// RuleAuth: X-Sentry-Auth is `Sentry sentry_version=7, sentry_client=<name>/<version>,
	// sentry_key=<public>`, with an optional sentry_secret (sentry-docs:
	// transport/authentication.mdx).
	RuleAuth Rule = "auth"
	// RuleAuthAgrees: a dsn in the envelope's header matches the request (sentry-docs:
	// data-model/envelopes.mdx, Authentication).
	RuleAuthAgrees Rule = "auth-agrees"
	// RuleRateLimit: no rate-limited data is sent before the limit ends (sentry-docs:
	// transport/rate-limiting.mdx).
	RuleRateLimit Rule = "rate-limit"
)

// Rules of the envelope (sentry-docs: data-model/envelopes.mdx).
const (
	// RuleHeader: a header is a JSON object that fills its line.
	RuleHeader Rule = "header"
	// RuleUTF8: JSON is valid UTF-8, including escapes.
	RuleUTF8 = standin.RuleUTF8
	// RuleDuplicateName: no object has duplicate names. Sentry rejects an envelope with two
	// sent_at.
	RuleDuplicateName = standin.RuleDuplicateName
	// RuleEnvelopeSize: an envelope has at most 200 MiB, decompressed.
	RuleEnvelopeSize Rule = "envelope-size"
	// RuleEmpty: an envelope has items. Sentry may discard one without, so sending it has no
	// purpose.
	RuleEmpty Rule = "empty"
	// RuleEventID: event_id is 32 lowercase hexadecimal digits. Events, transactions, feedback and
	// attachments need it in the envelope's header, and it matches the payload's (also sentry-docs:
	// data-model/envelope-items.mdx).
	RuleEventID Rule = "event-id"
	// RuleSentAt: sent_at is the time of the request, as RFC 3339 in UTC. Relay corrects timestamps
	// by it, so an old one shifts them.
	RuleSentAt Rule = "sent-at"
	// RuleSDK: sdk has a name, and a version without a leading v, and events of browsers and Apple's
	// systems have settings.infer_ip: never, for senders that are not the user's device (sentry-docs:
	// event-payloads/sdk.mdx). Sentry only recommends it in the envelope's header.
	RuleSDK Rule = "sdk"
	// RuleTraceHeader: trace has trace_id, public_key and sample_rate, and is the trace of all items
	// (sentry-docs: traces/dynamic-sampling-context.mdx). Spans require it (telemetry/spans/
	// span-protocol.mdx); logs of several traces exclude it (data-model/envelope-items.mdx).
	RuleTraceHeader Rule = "trace-header"
)

// Rules of items (sentry-docs: data-model/envelope-items.mdx).
const (
	// RuleItemType: an item has a type that clients may send.
	RuleItemType Rule = "item-type"
	// RuleItemLength: an item has a length, and a line feed or the end follows its payload. Sentry
	// only recommends the length.
	RuleItemLength Rule = "item-length"
	// RuleItemHeader: an item has the headers that its type requires, such as an attachment's
	// filename.
	RuleItemHeader Rule = "item-header"
	// RuleItemContentType: a container has its content type, and JSON has no other content type
	// than application/json.
	RuleItemContentType Rule = "item-content-type"
	// RuleItemCount: item_count is the number of a container's entries: at least 1, at most 100
	// logs or 1,000 spans.
	RuleItemCount Rule = "item-count"
	// RuleItemMix: an envelope has no more items of a type than allowed, and no types that exclude
	// each other.
	RuleItemMix Rule = "item-mix"
	// RuleItemSize: no item exceeds its limit, the smaller of Sentry's two
	// (data-model/envelopes.mdx, Size Limits; relay: relay-config).
	RuleItemSize Rule = "item-size"
	// RulePayload: the payload is a JSON object.
	RulePayload Rule = "payload"
	// RuleUnknownField: headers (data-model/envelopes.mdx, Headers) and payloads have no members
	// that the format does not have. Relay accepts them, but nobody sees them.
	RuleUnknownField Rule = "unknown-field"
)

// Rules of events (sentry-docs: data-model/event-payloads).
const (
	// RuleEvent: an event's attributes have the specified types (index.mdx).
	RuleEvent Rule = "event"
	// RuleTimestamp: a timestamp is RFC 3339, or seconds since 1970 (index.mdx): not 0, and not in
	// a smaller unit.
	RuleTimestamp Rule = "timestamp"
	// RulePlatform: platform is one of Sentry's (relay: relay-event-schema/src/protocol/constants.rs).
	RulePlatform Rule = "platform"
	// RuleLevel: level is fatal, error, warning, info or debug (index.mdx).
	RuleLevel Rule = "level"
	// RuleShortText: logger has 1 to 64 characters, transaction 200, server_name 256 and the op of a
	// trace context 128, without line breaks and outer white space (relay: relay-event-schema/src/
	// protocol).
	RuleShortText Rule = "short-text"
	// RuleRelease: a release has 1 to 200 bytes, without control characters, slashes, backslashes and
	// outer white space, and is not ".", ".." or "latest" in any case (sentry-docs:
	// docs/product/releases/naming-releases.mdx; getsentry/sentry-release-parser: src/parser.rs).
	RuleRelease Rule = "release"
	// RuleEnvironment: an environment has 1 to 64 bytes, without white space, control characters and
	// slashes, and is not ".", ".." or "none" in any case (sentry-docs:
	// platforms/*/configuration/environments.mdx; getsentry/sentry-release-parser: src/parser.rs).
	RuleEnvironment Rule = "environment"
	// RuleDist: dist has 1 to 64 characters of a-z A-Z 0-9 _ . - (relay: relay-event-schema/src/
	// protocol/event.rs).
	RuleDist Rule = "dist"
	// RuleTags: a tag's key has 1 to 200 characters of a-z A-Z 0-9 _ . : -, and is not one that Sentry
	// reserves. Its value has 1 to 200 characters without a line feed, and is not blank (index.mdx;
	// relay: relay-event-schema/src/protocol/tags.rs).
	RuleTags Rule = "tags"
	// RuleFingerprint: fingerprint is a list of strings (index.mdx).
	RuleFingerprint Rule = "fingerprint"
	// RuleUser: id, email, username and name are strings, and ip_address is an address or {{auto}}
	// (user.mdx).
	RuleUser Rule = "user"
	// RuleHTTPRequest: request has the members of request.mdx, and a method that Sentry keeps.
	RuleHTTPRequest Rule = "request"
	// RuleContexts: contexts are objects (contexts.mdx).
	RuleContexts Rule = "contexts"
	// RuleTraceContext: an event has contexts.trace, as SDKs send it with every event. It has a
	// trace_id of 32 and a span_id of 16 lowercase hexadecimal digits, not all 0, and a known status
	// (contexts.mdx, Trace Context; sentry-docs: telemetry/traces/trace-propagation).
	RuleTraceContext Rule = "trace-context"
	// RuleBreadcrumbs: breadcrumbs is an object with values, oldest first (breadcrumbs.mdx).
	RuleBreadcrumbs Rule = "breadcrumbs"
	// RuleMessage: an event has a message or an exception. Without both, Sentry shows "<unlabeled
	// event>". A message has up to 8192 characters.
	RuleMessage Rule = "message"
	// RuleLogEntry: logentry has message, and formatted if that differs (message.mdx). Sentry reads
	// formatted alone, but sentry-cli and Spotlight do not.
	RuleLogEntry Rule = "logentry"
	// RuleException: exception is an object with values, each with a type (exception.mdx). Sentry
	// accepts a value alone, but sentry-cli does not.
	RuleException Rule = "exception"
	// RuleMechanism: a mechanism has a type. It is not "generic", which is for exceptions that a
	// user captured (exception.mdx).
	RuleMechanism Rule = "mechanism"
	// RuleExceptionGroup: each exception of a group has an id. The last one is the root, with the
	// id 0, and the parent_id of every other one leads to it (exception.mdx).
	RuleExceptionGroup Rule = "exception-group"
	// RuleStacktrace: frames are not empty, and each has a filename, a function or an
	// instruction_addr. Lines count from 1 (stacktrace.mdx).
	RuleStacktrace Rule = "stacktrace"
	// RuleThreads: threads is an object with values, each with a unique id (threads.mdx).
	RuleThreads Rule = "threads"
	// RuleTransaction: a transaction has the type "transaction", a name and a trace context with an
	// op, and does not end before it starts (transaction.mdx; relay: relay-event-normalization,
	// validate_transaction).
	RuleTransaction Rule = "transaction"
	// RuleTransactionSpans: a transaction has at most 1,000 spans, all of its trace, with ids and
	// times (span.mdx).
	RuleTransactionSpans Rule = "transaction-spans"
	// RuleFeedback: contexts.feedback has a message of 1 to 4096 characters
	// (data-model/envelope-items.mdx, User Feedback).
	RuleFeedback Rule = "feedback"
)

// Rules of container entries, and of items other than events.
const (
	// RuleAttributes: an attribute is {"value", "type"}, with a value of the type string, integer,
	// double or boolean (sentry-docs: telemetry/attributes.mdx). Sentry accepts lists, but does not
	// show them, and they have broken the display of spans (getsentry/sentry#114552).
	RuleAttributes Rule = "attributes"
	// RuleLog: a log has a time in seconds, a trace_id, a level and a body (sentry-docs:
	// telemetry/logs.mdx).
	RuleLog Rule = "log"
	// RuleLogLevel: level is trace, debug, info, warn, error or fatal, and severity_number is in
	// its range (telemetry/logs.mdx).
	RuleLogLevel Rule = "log-level"
	// RuleLogTemplate: sentry.message.template comes with sentry.message.parameter.*
	// (telemetry/logs.mdx, Default Attributes).
	RuleLogTemplate Rule = "log-template"
	// RuleSpan: a span has ids, a name and is_segment, and does not end before it starts
	// (sentry-docs: telemetry/spans/span-protocol.mdx).
	RuleSpan Rule = "span"
	// RuleSpanStatus: a span's status is ok or error (telemetry/spans/span-protocol.mdx).
	RuleSpanStatus Rule = "span-status"
	// RuleSpanLinks: a link has a trace_id and a span_id (telemetry/spans/span-protocol.mdx).
	RuleSpanLinks Rule = "span-links"
	// RuleSegment: a segment has the attribute sentry.span.source (telemetry/spans/span-protocol.mdx).
	// This one and sentry.segment.name.source have a known value (getsentry/sentry-conventions:
	// model/attributes/sentry).
	RuleSegment Rule = "segment"
	// RuleMetric: a metric has a time, a trace_id, a name, a type and a value (sentry-docs:
	// telemetry/metrics.mdx).
	RuleMetric Rule = "metric"
	// RuleClientReport: reasons and categories are known, each pair occurs once, quantities are at
	// least 1, and there are no members that only a Relay sends (sentry-docs:
	// telemetry/client-reports.mdx).
	RuleClientReport Rule = "client-report"
	// RuleCheckIn: a check-in has an id, a slug and a status, and a valid schedule if any
	// (sentry-docs: telemetry/check-ins.mdx).
	RuleCheckIn Rule = "check-in"
	// RuleSession: sessions have a start and a release. A request has at most 100 of them, or 100
	// buckets (sentry-docs: telemetry/sessions).
	RuleSession Rule = "session"
)
