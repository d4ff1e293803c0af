// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryintake

import "github.com/otelcol-fanout/otelcol-fanout/test/intake/standin"

// Rule is one of Sentry's rules for what is sent to it.
type Rule = standin.Rule

// Violation is a rule that was broken.
type Violation = standin.Violation //nolint:errname // see there

// Rules of the request.
const (
	// RuleMethod: envelopes are POSTed (sentry-docs: transport/authentication.mdx).
	RuleMethod Rule = "method"
	// RulePath: to {path of the DSN}/api/{project}/envelope/, with the last slash (sentry-docs: transport/authentication.mdx).
	RulePath Rule = "path"
	// RuleURLSecret: no key and no query stands in the URL. Sentry would read sentry_key there, but URLs are logged by every
	// proxy, so that a server has no reason to write it there.
	RuleURLSecret Rule = "url-secret"
	// RuleContentType: application/x-sentry-envelope. Sentry takes it for granted where it is missing (sentry-docs:
	// data-model/envelopes.mdx, HTTP Headers).
	RuleContentType Rule = "content-type"
	// RuleEncoding: the body is identity, gzip, deflate or zstd, once, and whole (relay: relay-server, HttpEncoding).
	RuleEncoding Rule = "content-encoding"
	// RuleAuth: X-Sentry-Auth is `Sentry sentry_version=7, sentry_client=<name>/<version>, sentry_key=<public>`, with an optional
	// sentry_secret (sentry-docs: transport/authentication.mdx).
	RuleAuth Rule = "auth"
	// RuleAuthAgrees: a dsn in the envelope's header says what the request says (sentry-docs: data-model/envelopes.mdx,
	// Authentication).
	RuleAuthAgrees Rule = "auth-agrees"
	// RuleRateLimit: what a rate limit forbids is not sent before the limit ends (sentry-docs: transport/rate-limiting.mdx).
	RuleRateLimit Rule = "rate-limit"
)

// Rules of the envelope (sentry-docs: data-model/envelopes.mdx).
const (
	// RuleHeader: a header is a JSON object on one line, ended by a line feed, with nothing around it.
	RuleHeader Rule = "header"
	// RuleUTF8: JSON is UTF-8, escapes included.
	RuleUTF8 = standin.RuleUTF8
	// RuleDuplicateName: an object has no name twice. Sentry rejects an envelope with two sent_at.
	RuleDuplicateName = standin.RuleDuplicateName
	// RuleEnvelopeSize: an envelope has at most 200 MiB, decompressed.
	RuleEnvelopeSize Rule = "envelope-size"
	// RuleEmpty: an envelope without items may be thrown away, so that there is no reason to send one.
	RuleEmpty Rule = "empty"
	// RuleEventID: event_id is 32 lowercase hexadecimal digits. Events, transactions, feedback and attachments need it in the
	// envelope's header, and a payload's own is the same (also sentry-docs: data-model/envelope-items.mdx).
	RuleEventID Rule = "event-id"
	// RuleSentAt: sent_at is when the envelope was sent, in RFC 3339, in UTC. Relay corrects timestamps by it, so that an old
	// one shifts them.
	RuleSentAt Rule = "sent-at"
	// RuleSDK: sdk has a name and a version, which does not begin with a v (sentry-docs: event-payloads/sdk.mdx). Recommended
	// in the header, required here.
	RuleSDK Rule = "sdk"
	// RuleTraceHeader: trace has the strings trace_id, public_key and sample_rate at least, and all in the envelope is of that
	// trace (sentry-docs: traces/dynamic-sampling-context.mdx). With spans it has to be there (telemetry/spans/span-protocol.mdx, envelope
	// header); with logs of several traces there is none (data-model/envelope-items.mdx, Log).
	RuleTraceHeader Rule = "trace-header"
)

// Rules of items (sentry-docs: data-model/envelope-items.mdx).
const (
	// RuleItemType: an item has a type, and one that a client may write.
	RuleItemType Rule = "item-type"
	// RuleItemLength: an item says its length, and a line feed or the end comes after so many bytes. Recommended by Sentry,
	// required here.
	RuleItemLength Rule = "item-length"
	// RuleItemHeader: an item has the headers that its type requires, such as the filename of an attachment.
	RuleItemHeader Rule = "item-header"
	// RuleItemContentType: a container says what it contains, and JSON is not called anything else.
	RuleItemContentType Rule = "item-content-type"
	// RuleItemCount: item_count is the number of entries of a container, which has one at least, 100 logs or 1,000 spans at
	// most.
	RuleItemCount Rule = "item-count"
	// RuleItemMix: no more items of a type than one envelope may have, and none beside what excludes it.
	RuleItemMix Rule = "item-mix"
	// RuleItemSize: no item is larger than its limit (data-model/envelopes.mdx, Size Limits; relay: relay-config). The smaller
	// of both counts.
	RuleItemSize Rule = "item-size"
	// RulePayload: the payload is a JSON object.
	RulePayload Rule = "payload"
	// RuleUnknownField: no field that the format does not have, be it of a header (data-model/envelopes.mdx, Headers) or of a
	// payload. Relay puts up with them, but then nobody sees them.
	RuleUnknownField Rule = "unknown-field"
)

// Rules of events (sentry-docs: data-model/event-payloads).
const (
	// RuleEvent: attributes of an event have the type that is specified (index.mdx).
	RuleEvent Rule = "event"
	// RuleTimestamp: a timestamp is RFC 3339, or seconds since 1970 (index.mdx): neither 0 nor in a smaller unit.
	RuleTimestamp Rule = "timestamp"
	// RulePlatform: platform is one that Sentry has (index.mdx).
	RulePlatform Rule = "platform"
	// RuleLevel: level is fatal, error, warning, info or debug (index.mdx).
	RuleLevel Rule = "level"
	// RuleRelease: a release has 1 to 200 characters, neither a control character nor a slash nor a backslash, and is not ".",
	// ".." or " " (sentry-docs: docs/product/releases/naming-releases.mdx).
	RuleRelease Rule = "release"
	// RuleEnvironment: an environment has 1 to 64 characters, neither white space nor a slash, and is not "None" (sentry-docs:
	// platforms/*/configuration/environments.mdx).
	RuleEnvironment Rule = "environment"
	// RuleTags: keys are 1 to 200 of a-z A-Z 0-9 _ . : -, values 1 to 200 characters without a line feed (index.mdx).
	RuleTags Rule = "tags"
	// RuleFingerprint: a list of strings (index.mdx).
	RuleFingerprint Rule = "fingerprint"
	// RuleUser: id, email, username and name are strings, ip_address an address or {{auto}} (user.mdx).
	RuleUser Rule = "user"
	// RuleHTTPRequest: the interface request has the shape of request.mdx.
	RuleHTTPRequest Rule = "request"
	// RuleContexts: contexts are objects (contexts.mdx).
	RuleContexts Rule = "contexts"
	// RuleTraceContext: contexts.trace has a trace_id of 32 and a span_id of 16 lowercase hexadecimal digits, not all 0, and a
	// status of its enumeration (contexts.mdx, Trace Context).
	RuleTraceContext Rule = "trace-context"
	// RuleBreadcrumbs: an object with values, oldest first (breadcrumbs.mdx).
	RuleBreadcrumbs Rule = "breadcrumbs"
	// RuleLogEntry: logentry has a message or a formatted one (message.mdx).
	RuleLogEntry Rule = "logentry"
	// RuleException: an object with values, each with a type or a value (exception.mdx).
	RuleException Rule = "exception"
	// RuleMechanism: a mechanism has a type, which is not "generic" where no user captured the exception (exception.mdx).
	RuleMechanism Rule = "mechanism"
	// RuleExceptionGroup: in a group each exception has an id, the last is the root with 0, and the others' parent_id leads to
	// it (exception.mdx).
	RuleExceptionGroup Rule = "exception-group"
	// RuleStacktrace: frames are not empty, and each has a filename, a function or an instruction_addr; lines count from 1
	// (stacktrace.mdx).
	RuleStacktrace Rule = "stacktrace"
	// RuleThreads: an object with values, each with an id of its own (threads.mdx).
	RuleThreads Rule = "threads"
	// RuleTransaction: a transaction has the type "transaction", a name, a trace context with an op, and starts before it ends
	// (transaction.mdx; relay: relay-event-normalization, validate_transaction).
	RuleTransaction Rule = "transaction"
	// RuleTransactionSpans: at most 1,000 spans of that trace, with ids and times (span.mdx).
	RuleTransactionSpans Rule = "transaction-spans"
	// RuleFeedback: contexts.feedback has a message of up to 4096 characters (data-model/envelope-items.mdx, User Feedback).
	RuleFeedback Rule = "feedback"
)

// Rules of what comes in containers, and of what is not an event.
const (
	// RuleAttributes: attributes are {"value", "type"}, the type is string, integer, double or boolean, and the value is of it
	// (sentry-docs: telemetry/attributes.mdx). Lists are taken, but not shown, and have broken the display of spans
	// (getsentry/sentry#114552).
	RuleAttributes Rule = "attributes"
	// RuleLog: a log has a time in seconds, a trace_id, a level and a body (sentry-docs: telemetry/logs.mdx).
	RuleLog Rule = "log"
	// RuleLogLevel: the level is trace, debug, info, warn, error or fatal, and severity_number one of its range
	// (telemetry/logs.mdx).
	RuleLogLevel Rule = "log-level"
	// RuleLogTemplate: no sentry.message.template without sentry.message.parameter.* (telemetry/logs.mdx, Default Attributes).
	RuleLogTemplate Rule = "log-template"
	// RuleSpan: a span has ids, a name, is_segment, and starts before it ends (sentry-docs: telemetry/spans/span-protocol.mdx).
	RuleSpan Rule = "span"
	// RuleSpanStatus: ok or error (telemetry/spans/span-protocol.mdx).
	RuleSpanStatus Rule = "span-status"
	// RuleSpanLinks: a link has a trace_id and a span_id (telemetry/spans/span-protocol.mdx).
	RuleSpanLinks Rule = "span-links"
	// RuleSegment: a segment has the attribute sentry.span.source (telemetry/spans/span-protocol.mdx).
	RuleSegment Rule = "segment"
	// RuleMetric: a metric has a time, a trace_id, a name, a type and a value (sentry-docs: telemetry/metrics.mdx).
	RuleMetric Rule = "metric"
	// RuleClientReport: reasons and categories are known, each pair stands there once, quantities are above 0, and the keys
	// that only a Relay writes are absent (sentry-docs: telemetry/client-reports.mdx).
	RuleClientReport Rule = "client-report"
	// RuleCheckIn: an id, a slug, a status, and a schedule that makes sense (sentry-docs: telemetry/check-ins.mdx).
	RuleCheckIn Rule = "check-in"
	// RuleSession: sessions have a start and a release, and at most 100 of them, or 100 buckets, come at once (sentry-docs:
	// telemetry/sessions).
	RuleSession Rule = "session"
)
