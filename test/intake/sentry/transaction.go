// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryintake

// checkTransaction looks at what a transaction has beside an event's attributes.
func checkTransaction(transaction object) {
	transaction.rule = RuleTransaction
	transaction.require("type", "transaction", "start_timestamp", "contexts")
	transaction.oneOf(RuleTransaction, "type", "transaction")
	if name, ok := transaction.text("transaction"); ok && name == "" {
		transaction.breaks(RuleTransaction, "transaction", "is empty")
	}
	checkOrder(transaction)
	if info, ok := transaction.object("transaction_info", RuleTransaction); ok {
		info.require("source")
		info.oneOf(RuleTransaction, "source", "custom", "url", "route", "view", "component", "task")
	}
	contexts, _ := transaction.members["contexts"].(map[string]any)
	trace, ok := contexts["trace"].(map[string]any)
	if !ok {
		transaction.breaks(RuleTransaction, "contexts", "has no trace")
		return
	}
	if op, _ := trace["op"].(string); op == "" {
		transaction.breaks(RuleTransaction, "contexts.trace", "has no op")
	}
	checkMeasurements(transaction)
	checkTransactionSpans(transaction, trace)
}

// checkOrder wants the start not to be after the end, which is called timestamp.
func checkOrder(o object) {
	start, hasStart := checkTime(o, "start_timestamp")
	end, hasEnd := checkTime(o, "timestamp")
	if hasStart && hasEnd && start > end {
		o.breaks(o.rule, "start_timestamp", "is after timestamp")
	}
}

func checkMeasurements(transaction object) {
	measurements, _ := transaction.object("measurements", RuleTransaction)
	for _, name := range measurements.names() {
		if measurement, ok := measurements.object(name, RuleTransaction); ok {
			measurement.require("value")
			measurement.number("value")
			measurement.texts("unit")
		}
	}
}

// checkTransactionSpans looks at the spans inside a transaction, which are older than spans of version 2 and differ from
// them.
func checkTransactionSpans(transaction object, trace map[string]any) {
	spans, _ := transaction.objects("spans", RuleTransactionSpans)
	if len(spans) > maxTransactionSpans {
		transaction.breaks(RuleTransactionSpans, "spans", "has %d; it may have %d", len(spans), maxTransactionSpans)
	}
	ids := map[any]bool{trace["span_id"]: true}
	for _, span := range spans {
		span.only("trace_id", "span_id", "parent_span_id", "op", "description", "status", "start_timestamp", "timestamp", "tags",
			"data", "origin", "same_process_as_parent", "exclusive_time", "measurements", "sampled", "is_segment", "links")
		span.require("trace_id", "span_id", "start_timestamp", "timestamp")
		span.id("trace_id", 32)
		if span.members["trace_id"] != trace["trace_id"] {
			span.breaks(RuleTransactionSpans, "trace_id", "is not the transaction's")
		}
		if id := span.id("span_id", 16); ids[id] {
			span.breaks(RuleTransactionSpans, "span_id", "is %q, which another span has", id)
		}
		ids[span.members["span_id"]] = true
		span.id("parent_span_id", 16)
		span.texts("op", "description", "origin")
		span.oneOf(RuleTransactionSpans, "status", statuses...)
		checkTags(span)
		span.object("data", RuleTransactionSpans)
		checkOrder(span)
	}
}
