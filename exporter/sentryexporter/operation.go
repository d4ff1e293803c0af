// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"cmp"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// operationOf returns a span's operation and the source of its name, in Sentry's terms (Sentry's SDK
// documentation, "Span Operations" and "Transaction Annotations").
func operationOf(span ptrace.Span) (op, source string) {
	source = "custom"
	kind := span.Kind()
	ownOp, ownSource := "", ""
	for name, v := range span.Attributes().All() {
		switch name {
		case "sentry.op":
			ownOp = v.AsString()
		case attrSegmentNameSource, attrSpanSource, "sentry.source":
			if isNameSource(v.AsString()) {
				ownSource = v.AsString()
			}
		case "http.request.method", "http.method":
			op = "http" + sideOf(kind)
		case "http.route":
			source = "route"
		case "db.system.name", "db.system":
			op = databaseOperation(v.AsString())
		case "rpc.system.name", "rpc.system":
			op = "rpc" + sideOf(kind)
		case "messaging.system":
			op = messagingOperation(span)
		case "faas.trigger", "faas.invocation_id":
			op = "function." + kindOf(kind)
			source = "task"
		case "gen_ai.operation.name":
			op = "gen_ai." + v.AsString()
		case "graphql.operation.type":
			op = "graphql." + v.AsString()
		}
	}
	op = line(cmp.Or(ownOp, op), maxOperation)
	return cmp.Or(op, operationOfKind(kind)), cmp.Or(ownSource, source)
}

// These attributes of a segment say where its name comes from. Sentry's conventions define the first,
// its SDK documentation ("Span Protocol") the second.
const (
	attrSegmentNameSource = "sentry.segment.name.source"
	attrSpanSource        = "sentry.span.source"
)

func isNameSource(value string) bool {
	switch value {
	case "custom", "url", "route", "component", "view", "task":
		return true
	}
	return false
}

// maxOperation is the size limit of an operation in bytes. Operations are words.
const maxOperation = 128

// databaseOperation distinguishes caches from databases.
func databaseOperation(system string) string {
	switch system {
	case "redis", "memcached", "valkey":
		return "db." + system
	}
	return "db"
}

func sideOf(kind ptrace.SpanKind) string {
	switch kind {
	case ptrace.SpanKindServer:
		return ".server"
	case ptrace.SpanKindClient:
		return ".client"
	}
	return ""
}

func messagingOperation(span ptrace.Span) string {
	for _, name := range []string{"messaging.operation.type", "messaging.operation"} {
		if v, ok := span.Attributes().Get(name); ok && v.Type() == pcommon.ValueTypeStr && v.Str() != "" {
			return "queue." + strings.Replace(v.Str(), "send", "publish", 1)
		}
	}
	switch span.Kind() {
	case ptrace.SpanKindProducer:
		return "queue.publish"
	case ptrace.SpanKindConsumer:
		return "queue.process"
	}
	return "queue"
}

func operationOfKind(kind ptrace.SpanKind) string {
	switch kind {
	case ptrace.SpanKindServer:
		return "server"
	case ptrace.SpanKindClient:
		return "client"
	case ptrace.SpanKindProducer:
		return "queue.publish"
	case ptrace.SpanKindConsumer:
		return "queue.process"
	}
	return "default"
}

// legacyStatus returns the status of a span in the terms of events and transactions (Sentry's SDK
// documentation, "Span Status").
func legacyStatus(span ptrace.Span) string {
	code := 0
	for _, name := range []string{"http.response.status_code", "http.status_code"} {
		if v, ok := span.Attributes().Get(name); ok && v.Type() == pcommon.ValueTypeInt {
			code = int(v.Int())
		}
	}
	if v, ok := span.Attributes().Get("rpc.grpc.status_code"); ok && v.Type() == pcommon.ValueTypeInt {
		if status := grpcStatus(v.Int()); status != "" {
			return status
		}
	}
	switch {
	case span.Status().Code() == ptrace.StatusCodeError && code < 400:
		return "internal_error"
	case code >= 400:
		return httpStatus(code)
	}
	return "ok"
}

// statusCanceled has Sentry's spelling.
const statusCanceled = "cancelled" //nolint:misspell // see above

func grpcStatus(code int64) string {
	statuses := [...]string{
		"ok", statusCanceled, "unknown", "invalid_argument", "deadline_exceeded", "not_found", "already_exists", "permission_denied",
		"resource_exhausted", "failed_precondition", "aborted", "out_of_range", "unimplemented", "internal_error", "unavailable",
		"data_loss", "unauthenticated",
	}
	if code < 0 || code >= int64(len(statuses)) {
		return ""
	}
	return statuses[code]
}

func httpStatus(code int) string {
	switch code {
	case 401:
		return "unauthenticated"
	case 403:
		return "permission_denied"
	case 404:
		return "not_found"
	case 409:
		return "already_exists"
	case 429:
		return "resource_exhausted"
	case 499:
		return statusCanceled
	case 501:
		return "unimplemented"
	case 503:
		return "unavailable"
	case 504:
		return "deadline_exceeded"
	}
	if code >= 500 {
		return "internal_error"
	}
	return "invalid_argument"
}

// kindOf returns Sentry's name of a span's kind.
func kindOf(kind ptrace.SpanKind) string {
	switch kind {
	case ptrace.SpanKindInternal:
		return "internal"
	case ptrace.SpanKindServer:
		return "server"
	case ptrace.SpanKindClient:
		return "client"
	case ptrace.SpanKindProducer:
		return "producer"
	case ptrace.SpanKindConsumer:
		return "consumer"
	default:
		return "unspecified"
	}
}
