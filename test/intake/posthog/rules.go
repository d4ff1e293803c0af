// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogintake

import "github.com/otelcol-fanout/otelcol-fanout/test/intake/standin"

// Rule is one of PostHog's rules for requests. In the sources, posthog stands for the repository
// PostHog/posthog, posthog-js for PostHog/posthog-js, and docs for https://posthog.com/docs.
type Rule = standin.Rule

// Violation is a broken rule.
type Violation = standin.Violation //nolint:errname // see standin

// Rules of the request.
const (
	// RuleMethod: every request is a POST (docs: api/capture).
	RuleMethod Rule = "method"
	// RulePath: the path is /batch/ or /i/v1/analytics/events (docs: api/capture; posthog:
	// rust/capture/src/router.rs).
	RulePath Rule = "path"
	// RuleURLSecret: the URL has no query. PostHog would read a token there, but every proxy logs
	// URLs.
	RuleURLSecret Rule = "url-secret"
	// RuleContentType: Content-Type is application/json (posthog: rust/capture v1/error.rs,
	// unsupported_content_type).
	RuleContentType Rule = "content-type"
	// RuleEncoding: the content encoding is valid, and is identity or gzip in batch, and identity,
	// gzip, deflate, br or zstd in v1 (posthog: rust/capture/src/payload/types.rs and v1).
	RuleEncoding Rule = "content-encoding"
	// RuleUserAgent: User-Agent names the client. v1 requires it.
	RuleUserAgent Rule = "user-agent"
	// RuleKey: the project's key is api_key in the body of batch, and the bearer token in v1, whose
	// body has no key.
	RuleKey Rule = "key"
	// RuleSDKInfo: v1 requires PostHog-Sdk-Info: <name>/<version>.
	RuleSDKInfo Rule = "sdk-info"
	// RuleAttempt: v1 requires PostHog-Attempt, which is at least 1 and grows with each attempt of a
	// request.
	RuleAttempt Rule = "attempt"
	// RuleRequestID: v1 requires PostHog-Request-Id, a UUID. A retry has the same one, and only
	// events that are still pending.
	RuleRequestID Rule = "request-id"
	// RuleRequestTimestamp: v1 requires PostHog-Request-Timestamp, the time of the attempt, as RFC
	// 3339 in UTC.
	RuleRequestTimestamp Rule = "request-timestamp"
)

// Rules of the body.
const (
	// RuleBody: the body is one JSON object.
	RuleBody Rule = "body"
	// RuleUTF8: JSON is valid UTF-8, including escapes.
	RuleUTF8 = standin.RuleUTF8
	// RuleDuplicateName: no object has duplicate names.
	RuleDuplicateName = standin.RuleDuplicateName
	// RuleBodySize: a body has less than 20 MB in batch (docs: api/capture), and 10 MiB in v1. v1's
	// limit is for the compressed body; here it is for the decompressed one.
	RuleBodySize Rule = "body-size"
	// RuleEmpty: a batch has at least one event (posthog: rust/capture/src/api.rs; v1 empty_batch).
	RuleEmpty Rule = "empty"
	// RuleUnknownField: there are no members that the format does not have. PostHog ignores them, so
	// sending one has no purpose.
	RuleUnknownField Rule = "unknown-field"
	// RuleSentAt: sent_at, if present, is the time of the attempt, because PostHog corrects
	// timestamps by it (docs: data/timestamps).
	RuleSentAt Rule = "sent-at"
	// RuleCreatedAt: v1 requires created_at in RFC 3339, the same in each attempt of a request.
	RuleCreatedAt Rule = "created-at"
	// RuleHistorical: historical_migration is true or absent, and true only if every event is more
	// than 48 hours old (docs: migrate).
	RuleHistorical Rule = "historical"
)

// Rules of events.
const (
	// RuleEvent: an event has the required members of its protocol, with the right types (docs:
	// api/capture; posthog: rust/capture v1/analytics/types.rs).
	RuleEvent Rule = "event"
	// RuleEventSize: an event has at most 900,000 bytes. PostHog's limit is 1 MB after processing
	// (docs: data/ingestion-warnings), and RudderStack has seen smaller events refused.
	RuleEventSize Rule = "event-size"
	// RuleUUID: uuid is a UUID in lower case. v1 requires it, and without it a retry becomes another
	// event (docs: data/ingestion-warnings).
	RuleUUID Rule = "uuid"
	// RuleDuplicateUUID: no two events of a request have the same uuid (v1 duplicate_event_uuid).
	RuleDuplicateUUID Rule = "duplicate-uuid"
	// RuleName: a name has 1 to 200 bytes (posthog: rust/capture v1/analytics/constants.rs), and is not
	// $performance_event, which PostHog drops.
	RuleName Rule = "name"
	// RuleDistinctID: a distinct id has 1 to 200 bytes (posthog: rust/capture
	// v1/analytics/constants.rs). Batch truncates longer ones.
	RuleDistinctID Rule = "distinct-id"
	// RuleIllegalID: a distinct id is not one that many people share, such as null or anonymous
	// (posthog: rust/capture v1/analytics/constants.rs).
	RuleIllegalID Rule = "illegal-id"
	// RuleTimestamp: timestamp is RFC 3339 in UTC. PostHog sets a missing one to the time of
	// arrival, and a retry then becomes another event.
	RuleTimestamp Rule = "timestamp"
	// RuleSameEvent: an event with the uuid of an earlier one also has its name, distinct_id and
	// timestamp. Otherwise PostHog stores both.
	RuleSameEvent Rule = "same-event"
	// RuleResent: an accepted event is not sent again.
	RuleResent Rule = "resent"
	// RuleOptions: v1's options are known, and PostHog can read them as booleans, or product_tour_id as
	// a string. It drops the event otherwise (posthog: rust/capture v1/analytics/types.rs).
	RuleOptions Rule = "options"
	// RuleLifted: in v1, $session_id, $window_id and the options are not among the properties, unless
	// they have a type that PostHog does not accept elsewhere.
	RuleLifted Rule = "lifted"
	// RuleCookieless: an event in cookieless mode has $raw_user_agent and $host. PostHog accepts and
	// drops it otherwise (posthog: nodejs/src/ingestion/common/cookieless/cookieless-manager.ts).
	RuleCookieless Rule = "cookieless"
	// RuleLibrary: batch requires the properties $lib and $lib_version, which v1 takes from
	// PostHog-Sdk-Info.
	RuleLibrary Rule = "library"
)

// Rules of properties and special events.
const (
	// RuleProperty: PostHog's properties have the published type (docs: api/capture; data/events).
	RuleProperty Rule = "property"
	// RuleGeoIP: an event has an $ip that is an address, or $geoip_disable. Otherwise PostHog would
	// look up the collector's address.
	RuleGeoIP Rule = "geoip"
	// RulePerson: events about persons and groups have the published properties, and a person
	// profile (docs: api/capture). A merged person is not yet identified (posthog:
	// nodejs/src/worker/ingestion/persons/person-merge-service.ts).
	RulePerson Rule = "person"
	// RuleException: exceptions have the published properties (posthog-js:
	// packages/core/src/error-tracking/types.ts; docs: error-tracking/installation/manual).
	RuleException Rule = "exception"
	// RuleAI: events about language models have known names and the published properties (docs:
	// ai-engineering).
	RuleAI Rule = "ai"
)
