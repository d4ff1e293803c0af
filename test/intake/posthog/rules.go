// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogintake

import "github.com/otelcol-fanout/otelcol-fanout/test/intake/standin"

// Rule is one of PostHog's rules for what is sent to it.
type Rule = standin.Rule

// Violation is a rule that was broken.
type Violation = standin.Violation //nolint:errname // see there

// Rules of the request.
const (
	// RuleMethod: events are POSTed (docs: api/capture).
	RuleMethod Rule = "method"
	// RulePath: to /batch/ or /i/v1/analytics/events (docs: api/capture; posthog: rust/capture/src/router.rs).
	RulePath Rule = "path"
	// RuleURLSecret: no query. PostHog would read a token there, but URLs are logged by every proxy.
	RuleURLSecret Rule = "url-secret"
	// RuleContentType: application/json (posthog: rust/capture v1/error.rs, unsupported_content_type).
	RuleContentType Rule = "content-type"
	// RuleEncoding: the body is identity or gzip with batch; gzip, deflate, br or zstd with v1; once, and whole (posthog:
	// rust/capture/src/payload/types.rs and v1).
	RuleEncoding Rule = "content-encoding"
	// RuleUserAgent: the client says who it is; required by v1.
	RuleUserAgent Rule = "user-agent"
	// RuleKey: api_key stands in the body of batch, and as a bearer token in v1, which has none in the body. It is the project's.
	RuleKey Rule = "key"
	// RuleSDKInfo: v1 wants PostHog-Sdk-Info as <name>/<version>.
	RuleSDKInfo Rule = "sdk-info"
	// RuleAttempt: v1 wants PostHog-Attempt, from 1 on, larger for each attempt of a request.
	RuleAttempt Rule = "attempt"
	// RuleRequestID: v1 wants PostHog-Request-Id, a UUID. A request that is sent again keeps it, and holds nothing but what was owed.
	RuleRequestID Rule = "request-id"
	// RuleRequestTimestamp: v1 wants PostHog-Request-Timestamp in RFC 3339 in UTC, fresh for each attempt.
	RuleRequestTimestamp Rule = "request-timestamp"
)

// Rules of the body.
const (
	// RuleBody: it is one JSON object.
	RuleBody Rule = "body"
	// RuleUTF8: JSON is UTF-8, escapes included.
	RuleUTF8 = standin.RuleUTF8
	// RuleDuplicateName: an object has no name twice.
	RuleDuplicateName = standin.RuleDuplicateName
	// RuleBodySize: below 20 MB with batch (docs: api/capture), 10 MiB with v1 (there compressed; here either way).
	RuleBodySize Rule = "body-size"
	// RuleEmpty: a batch has an event at least (posthog: rust/capture/src/api.rs; v1 empty_batch).
	RuleEmpty Rule = "empty"
	// RuleUnknownField: no member that the format does not have. PostHog ignores them, so there is no reason to send one.
	RuleUnknownField Rule = "unknown-field"
	// RuleSentAt: sent_at, where there is one, is when the request was sent: timestamps are moved by it (docs: data/timestamps).
	RuleSentAt Rule = "sent-at"
	// RuleCreatedAt: v1 wants created_at in RFC 3339, the same for each attempt of a request.
	RuleCreatedAt Rule = "created-at"
	// RuleHistorical: historical_migration is true or absent, and only where each event is more than 48 hours old (docs: migrate).
	RuleHistorical Rule = "historical"
)

// Rules of events.
const (
	// RuleEvent: an event is an object with the members of its protocol, in their types (docs: api/capture; posthog: rust/capture
	// v1/analytics/types.rs).
	RuleEvent Rule = "event"
	// RuleEventSize: at most 900,000 bytes. PostHog's own limit is 1 MB after processing (docs: data/ingestion-warnings), and
	// RudderStack has found smaller ones refused.
	RuleEventSize Rule = "event-size"
	// RuleUUID: a UUID in lower case, which v1 requires and without which a retry is another event (docs: data/ingestion-warnings).
	RuleUUID Rule = "uuid"
	// RuleDuplicateUUID: no uuid twice in a request (v1 duplicate_event_uuid).
	RuleDuplicateUUID Rule = "duplicate-uuid"
	// RuleName: 1 to 200 bytes (posthog: rust/capture v1/analytics/constants.rs).
	RuleName Rule = "name"
	// RuleDistinctID: 1 to 200 bytes (the same). Batch cuts off longer ones.
	RuleDistinctID Rule = "distinct-id"
	// RuleIllegalID: no distinct id that many people share, such as null or anonymous (the same).
	RuleIllegalID Rule = "illegal-id"
	// RuleTimestamp: RFC 3339 in UTC. PostHog makes one up where there is none, and a retry is then another event.
	RuleTimestamp Rule = "timestamp"
	// RuleSameEvent: what has a uuid that came before has its event, distinct_id and timestamp too, or both are stored.
	RuleSameEvent Rule = "same-event"
	// RuleResent: what was taken is not sent again.
	RuleResent Rule = "resent"
	// RuleOptions: options of v1 are known ones, of type bool, string or number.
	RuleOptions Rule = "options"
	// RuleLifted: v1 wants $session_id, $window_id and the properties that are options beside the properties.
	RuleLifted Rule = "lifted"
	// RuleLibrary: batch wants $lib and $lib_version, which v1 takes from PostHog-Sdk-Info.
	RuleLibrary Rule = "library"
)

// Rules of properties and special events.
const (
	// RuleProperty: properties of PostHog's have the type that is published (docs: api/capture; data/events).
	RuleProperty Rule = "property"
	// RuleGeoIP: there is an $ip that is an address, or $geoip_disable. PostHog would look up the collector's address else.
	RuleGeoIP Rule = "geoip"
	// RulePerson: events about persons and groups have the shape that is published, and a person profile (docs: api/capture). Where they
	// merge two persons, the other one is not identified yet (posthog: nodejs/src/worker/ingestion/persons/person-merge-service.ts).
	RulePerson Rule = "person"
	// RuleException: so have exceptions (posthog-js: packages/core/src/error-tracking/types.ts; docs:
	// error-tracking/installation/manual).
	RuleException Rule = "exception"
	// RuleAI: and those of language models, whose names are on a list (docs: ai-engineering).
	RuleAI Rule = "ai"
)
