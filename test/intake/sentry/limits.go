// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryintake

const (
	kib = 1 << 10
	mib = 1 << 20
)

// Sizes in decompressed bytes: the smaller of the documented limits (sentry-docs:
// data-model/envelopes.mdx, Size Limits) and Relay's defaults (relay: relay-config/src/config.rs). A
// container counts as one item: 1 MiB in the documentation, 12 MiB in Relay.
const (
	maxEnvelope     = 200 * mib
	maxEvent        = mib
	maxContainer    = mib
	maxMetric       = 2 * kib
	maxCheckIn      = 100 * kib
	maxClientReport = 4 * kib
	maxProfile      = 50 * mib
	maxReplay       = 10 * mib
	maxSessionItem  = 10 * mib
	maxAttachment   = 200 * mib
)

// Maximum numbers.
const (
	maxLogs             = 100  // in a container (sentry-docs: telemetry/logs.mdx, Buffering)
	maxSpans            = 1000 // in a container (sentry-docs: telemetry/spans/span-protocol.mdx)
	maxTransactionSpans = 1000 // in a transaction
	maxSessions         = 100  // in an envelope; also buckets in an item (sentry-docs: data-model/envelopes.mdx)
	maxAttachments      = 30   // in an envelope (relay: relay-config)
	maxFrames           = 1000 // 500 at each end (sentry-docs: event-payloads/stacktrace.mdx)
)

// Maximum lengths in characters; of names in bytes.
const (
	maxTagKey          = 200 // sentry-docs: event-payloads/index.mdx
	maxTagValue        = 200 // sentry-docs: event-payloads/index.mdx
	maxRelease         = 200 // sentry-docs: docs/product/releases/naming-releases.mdx
	maxEnvironment     = 64  // sentry-docs: platforms/*/configuration/environments.mdx
	maxLogger          = 64  // relay: relay-event-schema/src/protocol/event.rs, also the next three
	maxTransaction     = 200
	maxServerName      = 256
	maxOperation       = 128
	maxMessage         = 8192 // sentry-docs: event-payloads/index.mdx
	maxDist            = 64   // relay: relay-event-normalization/src/event.rs, normalize_dist
	maxFeedbackMessage = 4096 // sentry-docs: data-model/envelope-items.mdx
)

// itemKind describes a type of item.
type itemKind struct {
	categories  []string // of rate limits; without any, it is never limited
	most        int      // maximum number in an envelope; 0 is no limit
	size        int      // maximum bytes of the payload
	contentType string   // of a container, whose payload is {"items": [...]}; otherwise empty
	entries     int      // maximum number in a container; 0 is no limit
	needsID     bool     // the envelope's header needs an event_id
	json        bool     // the payload is a JSON object
}

// itemKinds are the types of items that a client may send (sentry-docs:
// data-model/envelope-items.mdx; relay: relay-server/src/envelope/item.rs). Other types are reserved
// for Relay, or sent only by older clients.
var itemKinds = map[string]itemKind{
	"event":       {categories: []string{"error"}, most: 1, size: maxEvent, needsID: true, json: true},
	"transaction": {categories: []string{"transaction"}, most: 1, size: maxEvent, needsID: true, json: true},
	"feedback":    {categories: []string{"feedback"}, most: 1, size: maxEvent, needsID: true, json: true},
	"log": {
		categories: []string{"log_item", "log_byte"}, most: 1, size: maxContainer, json: true,
		contentType: "application/vnd.sentry.items.log+json", entries: maxLogs,
	},
	"span": {
		categories: []string{"span"}, most: 1, size: maxContainer, json: true,
		contentType: "application/vnd.sentry.items.span.v2+json", entries: maxSpans,
	},
	"trace_metric": {
		categories: []string{"trace_metric", "trace_metric_byte"}, most: 1, size: maxContainer, json: true,
		contentType: "application/vnd.sentry.items.trace-metric+json",
	},
	"check_in":         {categories: []string{"monitor"}, most: 1, size: maxCheckIn, json: true},
	"session":          {categories: []string{"session"}, most: maxSessions, size: maxSessionItem, json: true},
	"sessions":         {categories: []string{"session"}, most: maxSessions, size: maxSessionItem, json: true},
	"attachment":       {categories: []string{"attachment"}, most: maxAttachments, size: maxAttachment, needsID: true},
	"client_report":    {size: maxClientReport, json: true},
	"profile":          {categories: []string{"profile"}, most: 1, size: maxProfile, json: true},
	"profile_chunk":    {categories: []string{"profile_chunk"}, size: maxProfile, json: true},
	"replay_event":     {categories: []string{"replay"}, most: 1, size: maxEvent, json: true},
	"replay_recording": {categories: []string{"replay"}, most: 1, size: maxReplay},
	"replay_video":     {categories: []string{"replay"}, most: 1, size: maxReplay},
}

// categories are the data categories of rate limits (sentry-docs: transport/rate-limiting.mdx) and
// client reports.
var categories = map[string]bool{
	"default": true, "error": true, "transaction": true, "monitor": true, "span": true, "log_item": true, "log_byte": true,
	"security": true, "attachment": true, "attachment_item": true, "session": true, "profile": true, "profile_chunk": true,
	"profile_chunk_ui": true, "replay": true, "feedback": true, "trace_metric": true, "trace_metric_byte": true,
	"internal": true,
}

// categoriesOf returns the categories in which an item counts.
func categoriesOf(item *Item) []string { return itemKinds[item.Type].categories }
