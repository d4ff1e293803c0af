// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryintake

// checkTransaction checks the members that only a transaction has.
func checkTransaction(transaction object) {
	transaction.Rule = RuleTransaction
	transaction.Require("type", "transaction", "start_timestamp", "contexts")
	transaction.OneOf(RuleTransaction, "type", "transaction")
	checkOrder(transaction)
	if info, ok := transaction.Nested("transaction_info", RuleTransaction); ok {
		info.Require("source")
		info.OneOf(RuleTransaction, "source", nameSources...)
	}
	contexts, _ := transaction.Members["contexts"].(map[string]any)
	trace, ok := contexts["trace"].(map[string]any)
	if !ok {
		transaction.Breaks(RuleTransaction, "contexts", "has no trace")
		return
	}
	if op, _ := trace["op"].(string); op == "" {
		transaction.Breaks(RuleTransaction, "contexts.trace", "has no op")
	}
	checkMeasurements(transaction)
	checkTransactionSpans(transaction, trace)
}

// checkOrder checks that the start is not after the end, which is called timestamp.
func checkOrder(o object) {
	start, hasStart := checkTime(o, "start_timestamp")
	end, hasEnd := checkTime(o, "timestamp")
	if hasStart && hasEnd && start > end {
		o.Breaks(o.Rule, "start_timestamp", "is after timestamp")
	}
}

func checkMeasurements(transaction object) {
	measurements, _ := transaction.Nested("measurements", RuleTransaction)
	for _, name := range measurements.Names() {
		if measurement, ok := measurements.Nested(name, RuleTransaction); ok {
			measurement.Require("value")
			measurement.Number("value")
			measurement.Texts("unit")
		}
	}
}

// checkTransactionSpans checks the spans inside a transaction. They are older than spans of version
// 2, and have other members.
func checkTransactionSpans(transaction object, trace map[string]any) {
	spans, _ := transaction.Objects("spans", RuleTransactionSpans)
	if len(spans) > maxTransactionSpans {
		transaction.Breaks(RuleTransactionSpans, "spans", "has %d spans; the limit is %d", len(spans), maxTransactionSpans)
	}
	ids := map[any]bool{trace["span_id"]: true}
	for _, span := range spans {
		span.Only(RuleUnknownField, "trace_id", "span_id", "parent_span_id", "op", "description", "status", "start_timestamp", "timestamp", "tags",
			"data", "origin", "same_process_as_parent", "exclusive_time", "measurements", "sampled", "is_segment", "links")
		span.Require("trace_id", "span_id", "start_timestamp", "timestamp")
		checkID(span, "trace_id", 32)
		if span.Members["trace_id"] != trace["trace_id"] {
			span.Breaks(RuleTransactionSpans, "trace_id", "is not the transaction's")
		}
		if id := checkID(span, "span_id", 16); ids[id] {
			span.Breaks(RuleTransactionSpans, "span_id", "is %q, the id of another span", id)
		}
		ids[span.Members["span_id"]] = true
		checkID(span, "parent_span_id", 16)
		span.Texts("op", "description", "origin")
		span.OneOf(RuleTransactionSpans, "status", statuses...)
		checkTags(span)
		span.Nested("data", RuleTransactionSpans)
		checkOrder(span)
	}
}
