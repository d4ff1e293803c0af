// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryintake

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// sentAtTolerance is how far sent_at may be from the arrival of the request.
const sentAtTolerance = 5 * time.Second

// Check holds an envelope against the rules that need no request, and returns what it breaks, which is nothing if all is
// well. sent_at is compared with Arrived where that is set.
func Check(e Envelope) []Violation {
	c := &checker{}
	if len(e.Raw) > maxEnvelope {
		c.violate(RuleEnvelopeSize, "envelope", "has %d bytes, but %d is the limit", len(e.Raw), maxEnvelope)
	}
	if len(e.Items) == 0 {
		c.violate(RuleEmpty, "envelope", "has no items")
	}
	header := object{c, "envelope header", RuleHeader, e.Header}
	checkHeader(header, e.Arrived)
	checkMix(c, e.Items)
	traces, readable := map[string]bool{}, true
	for i := range e.Items {
		readable = checkItem(c, i, &e.Items[i], e.EventID(), traces) && readable
	}
	if readable {
		checkTraceHeader(header, traces)
	}
	return c.violations
}

// checkHeader looks at the envelope's header.
func checkHeader(header object, arrived time.Time) {
	header.only("event_id", "dsn", "sdk", "sent_at", "trace")
	header.texts("dsn")
	checkEventID(header, "event_id")
	checkSentAt(header, arrived)
	checkSDK(header)
}

func checkEventID(o object, name string) {
	if id, ok := o.text(name); ok && !isHex(id, 32) {
		o.breaks(RuleEventID, name, "is %q, not 32 lowercase hexadecimal digits", id)
	}
}

func checkSentAt(header object, arrived time.Time) {
	written, ok := header.text("sent_at")
	if !ok {
		header.breaks(RuleSentAt, "sent_at", "is missing")
		return
	}
	sentAt, err := time.Parse(time.RFC3339Nano, written)
	if err != nil || !strings.HasSuffix(written, "Z") {
		header.breaks(RuleSentAt, "sent_at", "is %q, not RFC 3339 in UTC", written)
		return
	}
	if off := arrived.Sub(sentAt).Abs(); !arrived.IsZero() && off > sentAtTolerance {
		header.breaks(RuleSentAt, "sent_at", "is %q, %v off from %s, when the request came", written, off, arrived.UTC().Format(time.RFC3339Nano))
	}
}

// checkSDK looks at the member sdk of the envelope's header, or of an event.
func checkSDK(o object) {
	sdk, ok := o.object("sdk", RuleSDK)
	if !ok {
		o.breaks(RuleSDK, "sdk", "is missing")
		return
	}
	sdk.only("name", "version", "integrations", "features", "packages", "settings")
	sdk.require("name", "version")
	if name, ok := sdk.text("name"); ok && (name == "" || strings.ContainsAny(name, " /\n")) {
		sdk.breaks(RuleSDK, "name", "is %q, not entity.ecosystem", name)
	}
	if version, ok := sdk.text("version"); ok && (version == "" || version[0] == 'v') {
		sdk.breaks(RuleSDK, "version", "is %q, not MAJOR.MINOR.PATCH", version)
	}
	sdk.strings("integrations")
	sdk.strings("features")
	packages, _ := sdk.objects("packages", RuleSDK)
	for _, p := range packages {
		p.require("name", "version")
		p.texts("name", "version")
	}
}

// checkTraceHeader holds the member trace of the envelope's header against the traces that the items belong to.
func checkTraceHeader(header object, traces map[string]bool) {
	trace, ok := header.object("trace", RuleTraceHeader)
	if !ok {
		return
	}
	trace.require("trace_id", "public_key", "sample_rate")
	trace.texts(trace.names()...)
	id := trace.id("trace_id", 32)
	checkShare(trace, "sample_rate")
	checkShare(trace, "sample_rand")
	trace.oneOf(RuleTraceHeader, "sampled", "true", "false")
	switch {
	case len(traces) > 1:
		header.breaks(RuleTraceHeader, "trace", "must not be there, since the items belong to %d traces", len(traces))
	case len(traces) == 0:
		header.breaks(RuleTraceHeader, "trace", "must not be there, since no item belongs to a trace")
	case !traces[id]:
		trace.breaks(RuleTraceHeader, "trace_id", "is %q, but the items belong to another trace", id)
	}
}

// checkShare wants a string with a number from 0 to 1.
func checkShare(trace object, name string) {
	written, ok := trace.members[name].(string)
	if !ok {
		return
	}
	if share, err := strconv.ParseFloat(written, 64); err != nil || !json.Valid([]byte(written)) || share < 0 || share > 1 {
		trace.breaks(RuleTraceHeader, name, "is %q, not a number from 0 to 1", written)
	}
}

// checkMix looks at how many items of each type there are, and beside which others.
func checkMix(c *checker, items []Item) {
	counts := map[string]int{}
	for _, item := range items {
		counts[item.Type]++
		if most := itemKinds[item.Type].most; most > 0 && counts[item.Type] == most+1 {
			c.violate(RuleItemMix, "envelope", "has more than %d %s", most, item.Type)
		}
	}
	if counts["session"]+counts["sessions"] > maxSessions {
		c.violate(RuleSession, "envelope", "has more than %d sessions", maxSessions)
	}
	exclude := func(a, b string) {
		if counts[a] > 0 && counts[b] > 0 {
			c.violate(RuleItemMix, "envelope", "has a %s and a %s", a, b)
		}
	}
	exclude("event", "transaction")
	exclude("feedback", "transaction")
	need := func(a, b string) {
		if counts[a] > 0 && counts[b] == 0 {
			c.violate(RuleItemMix, "envelope", "has a %s, but not its %s", a, b)
		}
	}
	need("profile", "transaction")
	need("replay_event", "replay_recording")
	need("replay_recording", "replay_event")
}

// checkItem looks at an item, and adds the traces that it belongs to. It reports whether the item could be read.
func checkItem(c *checker, i int, item *Item, eventID string, traces map[string]bool) bool {
	where := fmt.Sprintf("item %d (%s)", i, item.Type)
	kind, ok := itemKinds[item.Type]
	if !ok {
		c.violate(RuleItemType, where, "has a type that clients do not write")
		return false
	}
	if kind.needsID && eventID == "" {
		c.violate(RuleEventID, where, "needs an event_id in the envelope's header")
	}
	if len(item.Payload) > kind.size {
		c.violate(RuleItemSize, where, "has %d bytes, but %d is the limit", len(item.Payload), kind.size)
	}
	checkItemHeader(object{c, where + " header", RuleItemHeader, item.Header}, item, &kind)
	if !kind.json {
		return true
	}
	value, violation := decode(item.Payload, RulePayload, where)
	if violation != nil {
		c.violations = append(c.violations, *violation)
		return false
	}
	members, ok := value.(map[string]any)
	if !ok {
		c.violate(RulePayload, where, "is %s, not an object", typeOf(value))
		return false
	}
	payload := object{c, where, RulePayload, members}
	if kind.contentType != "" {
		checkContainer(payload, item, &kind, traces)
	} else {
		checkPayload(payload, item, eventID, traces)
	}
	return true
}

// checkItemHeader looks at the header of an item.
func checkItemHeader(header object, item *Item, kind *itemKind) {
	header.only("type", "length", "content_type", "item_count", "filename", "attachment_type", "platform", "meta_length", "span_id")
	if _, ok := item.Header["length"]; !ok {
		header.violate(RuleItemLength, header.where, "has no length")
	}
	contentType, ok := header.text("content_type")
	switch {
	case kind.contentType != "" && contentType != kind.contentType:
		header.breaks(RuleItemContentType, "content_type", "is %q, not %q", contentType, kind.contentType)
	case kind.contentType == "" && kind.json && ok && contentType != "application/json":
		header.breaks(RuleItemContentType, "content_type", "is %q, not \"application/json\"", contentType)
	}
	switch item.Type {
	case "attachment":
		header.require("filename")
		header.texts("filename", "attachment_type")
		header.oneOf(RuleItemHeader, "attachment_type", "event.attachment", "event.minidump", "event.applecrashreport",
			"unreal.context", "unreal.logs", "event.view_hierarchy")
	case "profile_chunk":
		header.require("platform")
	}
}

// checkContainer looks at a container and its entries.
func checkContainer(container object, item *Item, kind *itemKind, traces map[string]bool) {
	container.only("items", "version")
	container.require("items")
	if version, ok := container.integer("version"); ok && version < 1 {
		container.breaks(RulePayload, "version", "is %d", version)
	}
	entries, ok := container.objects("items", RulePayload)
	if !ok {
		return
	}
	header := object{container.checker, container.where + " header", RuleItemCount, item.Header}
	header.require("item_count")
	if count, ok := header.integer("item_count"); ok && count != int64(len(entries)) {
		header.breaks(RuleItemCount, "item_count", "is %d, but there are %d", count, len(entries))
	}
	if len(entries) == 0 {
		container.breaks(RuleItemCount, "items", "is empty")
	}
	if kind.entries > 0 && len(entries) > kind.entries {
		container.breaks(RuleItemCount, "items", "has %d entries; it may have %d", len(entries), kind.entries)
	}
	for _, entry := range entries {
		if trace, ok := entry.members["trace_id"].(string); ok {
			traces[trace] = true
		}
		checkEntry(entry, item.Type)
	}
}

func checkEntry(entry object, itemType string) {
	switch itemType {
	case "log":
		entry.rule = RuleLog
		checkLog(entry)
	case "span":
		entry.rule = RuleSpan
		checkSpan(entry)
	case "trace_metric":
		entry.rule = RuleMetric
		checkMetric(entry)
	}
}

// checkPayload looks at a payload that is not a container.
func checkPayload(payload object, item *Item, eventID string, traces map[string]bool) {
	switch item.Type {
	case "event", "transaction", "feedback":
		payload.rule = RuleEvent
		checkEvent(payload, item.Type, eventID, traces)
	case "client_report":
		payload.rule = RuleClientReport
		checkClientReport(payload)
	case "check_in":
		payload.rule = RuleCheckIn
		checkCheckIn(payload, traces)
	case "session":
		payload.rule = RuleSession
		checkSession(payload)
	case "sessions":
		payload.rule = RuleSession
		checkSessions(payload)
	}
}
