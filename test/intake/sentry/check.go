// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryintake

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/otelcol-fanout/otelcol-fanout/test/intake/standin"
)

// sentAtTolerance is the maximum difference between sent_at and the request's arrival.
const sentAtTolerance = 5 * time.Second

// Check checks the rules that do not need a request, and returns the violations. sent_at is compared
// with Arrived if that is set.
func Check(e Envelope) []Violation {
	c := &standin.Checker{}
	if len(e.Raw) > maxEnvelope {
		c.Violate(RuleEnvelopeSize, "envelope", "has %d bytes; the limit is %d", len(e.Raw), maxEnvelope)
	}
	if len(e.Items) == 0 {
		c.Violate(RuleEmpty, "envelope", "has no items")
	}
	header := c.Object(e.Header, RuleHeader, "envelope header")
	checkHeader(header, e.Arrived)
	checkMix(c, e.Items)
	traces, readable := map[string]bool{}, true
	for i := range e.Items {
		readable = checkItem(c, i, &e.Items[i], e.EventID(), traces) && readable
	}
	if readable {
		checkTraceHeader(header, e.Items, traces)
	}
	return c.Violations
}

// checkHeader checks the envelope's header.
func checkHeader(header object, arrived time.Time) {
	header.Only(RuleUnknownField, "event_id", "dsn", "sdk", "sent_at", "trace")
	header.Texts("dsn")
	checkEventID(header, "event_id")
	checkSentAt(header, arrived)
	checkSDK(header)
}

func checkEventID(o object, name string) {
	if id, ok := o.Text(name); ok && !isHex(id, 32) {
		o.Breaks(RuleEventID, name, "is %q, not 32 lowercase hexadecimal digits", id)
	}
}

func checkSentAt(header object, arrived time.Time) {
	written, ok := header.Text("sent_at")
	if !ok {
		header.Breaks(RuleSentAt, "sent_at", "is missing")
		return
	}
	sentAt, err := time.Parse(time.RFC3339Nano, written)
	if err != nil || !strings.HasSuffix(written, "Z") {
		header.Breaks(RuleSentAt, "sent_at", "is %q, not RFC 3339 in UTC", written)
		return
	}
	if off := arrived.Sub(sentAt).Abs(); !arrived.IsZero() && off > sentAtTolerance {
		header.Breaks(RuleSentAt, "sent_at", "is %q, %v away from the request's arrival at %s", written, off, arrived.UTC().Format(time.RFC3339Nano))
	}
}

// checkSDK checks the member sdk of the envelope's header or of an event.
func checkSDK(o object) {
	sdk, ok := o.Nested("sdk", RuleSDK)
	if !ok {
		o.Breaks(RuleSDK, "sdk", "is missing")
		return
	}
	sdk.Only(RuleUnknownField, "name", "version", "integrations", "features", "packages", "settings")
	sdk.Require("name", "version")
	if name, ok := sdk.Text("name"); ok && (name == "" || strings.ContainsAny(name, " /\n")) {
		sdk.Breaks(RuleSDK, "name", "is %q, not entity.ecosystem", name)
	}
	if version, ok := sdk.Text("version"); ok && (version == "" || version[0] == 'v') {
		sdk.Breaks(RuleSDK, "version", "is %q, not MAJOR.MINOR.PATCH", version)
	}
	textList(sdk, "integrations")
	textList(sdk, "features")
	packages, _ := sdk.Objects("packages", RuleSDK)
	for _, p := range packages {
		p.Require("name", "version")
		p.Texts("name", "version")
	}
}

// checkTraceHeader checks that the envelope header's trace matches the items' traces. Spans need it
// (relay: relay-server/src/processing/spans/dynamic_sampling.rs).
func checkTraceHeader(header object, items []Item, traces map[string]bool) {
	trace, ok := header.Nested("trace", RuleTraceHeader)
	if !ok {
		if slices.ContainsFunc(items, func(i Item) bool { return i.Type == "span" }) {
			header.Breaks(RuleTraceHeader, "trace", "is missing; an envelope with spans needs it")
		}
		return
	}
	trace.Require("trace_id", "public_key", "sample_rate")
	trace.Texts(trace.Names()...)
	id := checkID(trace, "trace_id", 32)
	checkShare(trace, "sample_rate")
	checkShare(trace, "sample_rand")
	trace.OneOf(RuleTraceHeader, "sampled", "true", "false")
	switch {
	case len(traces) > 1:
		header.Breaks(RuleTraceHeader, "trace", "is not allowed, because the items belong to %d traces", len(traces))
	case len(traces) == 0:
		header.Breaks(RuleTraceHeader, "trace", "is not allowed, because no item belongs to a trace")
	case !traces[id]:
		trace.Breaks(RuleTraceHeader, "trace_id", "is %q, but the items belong to another trace", id)
	}
}

// checkShare checks that a member is a string with a number from 0 to 1.
func checkShare(trace object, name string) {
	written, ok := trace.Members[name].(string)
	if !ok {
		return
	}
	if share, err := strconv.ParseFloat(written, 64); err != nil || !json.Valid([]byte(written)) || share < 0 || share > 1 {
		trace.Breaks(RuleTraceHeader, name, "is %q, not a number from 0 to 1", written)
	}
}

// checkMix checks the number of items of each type, and which types occur together.
func checkMix(c *standin.Checker, items []Item) {
	counts := map[string]int{}
	for _, item := range items {
		counts[item.Type]++
		if most := itemKinds[item.Type].most; most > 0 && counts[item.Type] == most+1 {
			c.Violate(RuleItemMix, "envelope", "has more than %d items of type %s", most, item.Type)
		}
	}
	if counts["session"]+counts["sessions"] > maxSessions {
		c.Violate(RuleSession, "envelope", "has more than %d sessions", maxSessions)
	}
	exclude := func(a, b string) {
		if counts[a] > 0 && counts[b] > 0 {
			c.Violate(RuleItemMix, "envelope", "has both a %s and a %s", a, b)
		}
	}
	exclude("event", "transaction")
	exclude("feedback", "transaction")
	need := func(a, b string) {
		if counts[a] > 0 && counts[b] == 0 {
			c.Violate(RuleItemMix, "envelope", "has a %s without a %s", a, b)
		}
	}
	need("profile", "transaction")
	need("replay_event", "replay_recording")
	need("replay_recording", "replay_event")
}

// checkItem checks an item, and adds its traces. It reports whether the item could be read.
func checkItem(c *standin.Checker, i int, item *Item, eventID string, traces map[string]bool) bool {
	where := fmt.Sprintf("item %d (%s)", i, item.Type)
	kind, ok := itemKinds[item.Type]
	if !ok {
		c.Violate(RuleItemType, where, "has a type that clients must not send")
		return false
	}
	if kind.needsID && eventID == "" {
		c.Violate(RuleEventID, where, "needs an event_id in the envelope's header")
	}
	if len(item.Payload) > kind.size {
		c.Violate(RuleItemSize, where, "has %d bytes; the limit is %d", len(item.Payload), kind.size)
	}
	checkItemHeader(c.Object(item.Header, RuleItemHeader, where+" header"), item, &kind)
	if !kind.json {
		return true
	}
	payload, ok := c.DecodeObject(item.Payload, RulePayload, where)
	if !ok {
		return false
	}
	if kind.contentType != "" {
		checkContainer(payload, item, &kind, traces)
	} else {
		checkPayload(payload, item, eventID, traces)
	}
	return true
}

// checkItemHeader checks an item's header.
func checkItemHeader(header object, item *Item, kind *itemKind) {
	header.Only(RuleUnknownField, "type", "length", "content_type", "item_count", "filename", "attachment_type", "platform", "meta_length", "span_id")
	if _, ok := item.Header["length"]; !ok {
		header.Violate(RuleItemLength, header.Where, "has no length")
	}
	contentType, ok := header.Text("content_type")
	switch {
	case kind.contentType != "" && contentType != kind.contentType:
		header.Breaks(RuleItemContentType, "content_type", "is %q, not %q", contentType, kind.contentType)
	case kind.contentType == "" && kind.json && ok && contentType != "application/json":
		header.Breaks(RuleItemContentType, "content_type", "is %q, not \"application/json\"", contentType)
	}
	switch item.Type {
	case "attachment":
		header.Require("filename")
		header.Texts("filename", "attachment_type")
		header.OneOf(RuleItemHeader, "attachment_type", "event.attachment", "event.minidump", "event.applecrashreport",
			"unreal.context", "unreal.logs", "event.view_hierarchy")
	case "profile_chunk":
		header.Require("platform")
	}
}

// checkContainer checks a container and its entries.
func checkContainer(container object, item *Item, kind *itemKind, traces map[string]bool) {
	container.Only(RuleUnknownField, "items", "version")
	container.Require("items")
	if version, ok := container.Integer("version"); ok && version < 1 {
		container.Breaks(RulePayload, "version", "is %d", version)
	}
	entries, ok := container.Objects("items", RulePayload)
	if !ok {
		return
	}
	header := container.Object(item.Header, RuleItemCount, container.Where+" header")
	header.Require("item_count")
	if count, ok := header.Integer("item_count"); ok && count != int64(len(entries)) {
		header.Breaks(RuleItemCount, "item_count", "is %d, but the container has %d entries", count, len(entries))
	}
	if len(entries) == 0 {
		container.Breaks(RuleItemCount, "items", "is empty")
	}
	if kind.entries > 0 && len(entries) > kind.entries {
		container.Breaks(RuleItemCount, "items", "has %d entries; the limit is %d", len(entries), kind.entries)
	}
	for _, entry := range entries {
		if trace, ok := entry.Members["trace_id"].(string); ok {
			traces[trace] = true
		}
		checkEntry(entry, item.Type)
	}
}

func checkEntry(entry object, itemType string) {
	switch itemType {
	case "log":
		entry.Rule = RuleLog
		checkLog(entry)
	case "span":
		entry.Rule = RuleSpan
		checkSpan(entry)
	case "trace_metric":
		entry.Rule = RuleMetric
		checkMetric(entry)
	}
}

// checkPayload checks a payload that is not a container.
func checkPayload(payload object, item *Item, eventID string, traces map[string]bool) {
	switch item.Type {
	case "event", "transaction", "feedback":
		payload.Rule = RuleEvent
		checkEvent(payload, item.Type, eventID, traces)
	case "client_report":
		payload.Rule = RuleClientReport
		checkClientReport(payload)
	case "check_in":
		payload.Rule = RuleCheckIn
		checkCheckIn(payload, traces)
	case "session":
		payload.Rule = RuleSession
		checkSession(payload)
	case "sessions":
		payload.Rule = RuleSession
		checkSessions(payload)
	}
}
