// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package otlprepairextension

// kind is the type of a member of OTLP.
type kind uint8

const (
	kindMessage kind = iota
	kindString
	kindBytes
	kindBool
	kindDouble
	kindInt64
	kindInt32
	kindUint64
	kindUint32
	kindTime // nanoseconds since 1970
	kindEnum
	kindTraceID
	kindSpanID
)

// member is the type of a member of a message.
type member struct {
	kind kind
	// message is the type of a message, or the prefix of the names of an enum.
	message string
	isList  bool
}

func one(message string) member  { return member{kind: kindMessage, message: message} }
func many(message string) member { return member{kind: kindMessage, message: message, isList: true} }
func enum(prefix string) member  { return member{kind: kindEnum, message: prefix} }
func scalar(k kind) member       { return member{kind: k} }
func listOf(k kind) member       { return member{kind: k, isList: true} }

// message is the type of a message: its members by their names.
type message map[string]member

const (
	request   = "Request"
	anyValue  = "AnyValue"
	keyValue  = "KeyValue"
	array     = "ArrayValue"
	valueList = "KeyValueList"
)

// messages are the messages of OTLP 1.x (opentelemetry-proto: logs.proto, trace.proto, metrics.proto),
// without profiles. The export requests of all signals are one message here.
var messages = map[string]message{
	request: {"resourceLogs": many("ResourceLogs"), "resourceSpans": many("ResourceSpans"), "resourceMetrics": many("ResourceMetrics")},

	"Resource":  {"attributes": many(keyValue), "droppedAttributesCount": scalar(kindUint32), "entityRefs": many("EntityRef")},
	"EntityRef": {"schemaUrl": scalar(kindString), "type": scalar(kindString), "idKeys": listOf(kindString), "descriptionKeys": listOf(kindString)},
	"Scope": {
		"name": scalar(kindString), "version": scalar(kindString), "attributes": many(keyValue), "droppedAttributesCount": scalar(kindUint32),
	},
	keyValue: {"key": scalar(kindString), "value": one(anyValue)},
	anyValue: {
		"stringValue": scalar(kindString), "boolValue": scalar(kindBool), "intValue": scalar(kindInt64), "doubleValue": scalar(kindDouble),
		"arrayValue": one(array), "kvlistValue": one(valueList), "bytesValue": scalar(kindBytes),
	},
	array:     {"values": many(anyValue)},
	valueList: {"values": many(keyValue)},

	"ResourceLogs": {"resource": one("Resource"), "scopeLogs": many("ScopeLogs"), "schemaUrl": scalar(kindString)},
	"ScopeLogs":    {"scope": one("Scope"), "logRecords": many("LogRecord"), "schemaUrl": scalar(kindString)},
	"LogRecord": {
		"timeUnixNano": scalar(kindTime), "observedTimeUnixNano": scalar(kindTime), "severityNumber": enum("SEVERITY_NUMBER_"),
		"severityText": scalar(kindString), "body": one(anyValue), "attributes": many(keyValue), "droppedAttributesCount": scalar(kindUint32),
		"flags": scalar(kindUint32), "traceId": scalar(kindTraceID), "spanId": scalar(kindSpanID), "eventName": scalar(kindString),
	},

	"ResourceSpans": {"resource": one("Resource"), "scopeSpans": many("ScopeSpans"), "schemaUrl": scalar(kindString)},
	"ScopeSpans":    {"scope": one("Scope"), "spans": many("Span"), "schemaUrl": scalar(kindString)},
	"Span": {
		"traceId": scalar(kindTraceID), "spanId": scalar(kindSpanID), "traceState": scalar(kindString), "parentSpanId": scalar(kindSpanID),
		"flags": scalar(kindUint32), "name": scalar(kindString), "kind": enum("SPAN_KIND_"), "startTimeUnixNano": scalar(kindTime),
		"endTimeUnixNano": scalar(kindTime), "attributes": many(keyValue), "droppedAttributesCount": scalar(kindUint32),
		"events": many("Event"), "droppedEventsCount": scalar(kindUint32), "links": many("Link"), "droppedLinksCount": scalar(kindUint32),
		"status": one("Status"),
	},
	"Event": {
		"timeUnixNano": scalar(kindTime), "name": scalar(kindString), "attributes": many(keyValue), "droppedAttributesCount": scalar(kindUint32),
	},
	"Link": {
		"traceId": scalar(kindTraceID), "spanId": scalar(kindSpanID), "traceState": scalar(kindString), "attributes": many(keyValue),
		"droppedAttributesCount": scalar(kindUint32), "flags": scalar(kindUint32),
	},
	"Status": {"message": scalar(kindString), "code": enum("STATUS_CODE_")},

	"ResourceMetrics": {"resource": one("Resource"), "scopeMetrics": many("ScopeMetrics"), "schemaUrl": scalar(kindString)},
	"ScopeMetrics":    {"scope": one("Scope"), "metrics": many("Metric"), "schemaUrl": scalar(kindString)},
	"Metric": {
		"name": scalar(kindString), "description": scalar(kindString), "unit": scalar(kindString), "metadata": many(keyValue), "gauge": one("Gauge"),
		"sum": one("Sum"), "histogram": one("Histogram"), "exponentialHistogram": one("ExponentialHistogram"), "summary": one("Summary"),
	},
	"Gauge": {"dataPoints": many("NumberDataPoint")},
	"Sum": {
		"dataPoints": many("NumberDataPoint"), "aggregationTemporality": enum("AGGREGATION_TEMPORALITY_"), "isMonotonic": scalar(kindBool),
	},
	"Histogram":            {"dataPoints": many("HistogramDataPoint"), "aggregationTemporality": enum("AGGREGATION_TEMPORALITY_")},
	"ExponentialHistogram": {"dataPoints": many("ExponentialHistogramDataPoint"), "aggregationTemporality": enum("AGGREGATION_TEMPORALITY_")},
	"Summary":              {"dataPoints": many("SummaryDataPoint")},
	"NumberDataPoint": {
		"attributes": many(keyValue), "startTimeUnixNano": scalar(kindTime), "timeUnixNano": scalar(kindTime), "asDouble": scalar(kindDouble),
		"asInt": scalar(kindInt64), "exemplars": many("Exemplar"), "flags": scalar(kindUint32),
	},
	"HistogramDataPoint": {
		"attributes": many(keyValue), "startTimeUnixNano": scalar(kindTime), "timeUnixNano": scalar(kindTime), "count": scalar(kindUint64),
		"sum": scalar(kindDouble), "bucketCounts": listOf(kindUint64), "explicitBounds": listOf(kindDouble), "exemplars": many("Exemplar"),
		"flags": scalar(kindUint32), "min": scalar(kindDouble), "max": scalar(kindDouble),
	},
	"ExponentialHistogramDataPoint": {
		"attributes": many(keyValue), "startTimeUnixNano": scalar(kindTime), "timeUnixNano": scalar(kindTime), "count": scalar(kindUint64),
		"sum": scalar(kindDouble), "scale": scalar(kindInt32), "zeroCount": scalar(kindUint64), "positive": one("Buckets"), "negative": one("Buckets"),
		"flags": scalar(kindUint32), "exemplars": many("Exemplar"), "min": scalar(kindDouble), "max": scalar(kindDouble),
		"zeroThreshold": scalar(kindDouble),
	},
	"Buckets": {"offset": scalar(kindInt32), "bucketCounts": listOf(kindUint64)},
	"SummaryDataPoint": {
		"attributes": many(keyValue), "startTimeUnixNano": scalar(kindTime), "timeUnixNano": scalar(kindTime), "count": scalar(kindUint64),
		"sum": scalar(kindDouble), "quantileValues": many("ValueAtQuantile"), "flags": scalar(kindUint32),
	},
	"ValueAtQuantile": {"quantile": scalar(kindDouble), "value": scalar(kindDouble)},
	"Exemplar": {
		"filteredAttributes": many(keyValue), "timeUnixNano": scalar(kindTime), "asDouble": scalar(kindDouble), "asInt": scalar(kindInt64),
		"spanId": scalar(kindSpanID), "traceId": scalar(kindTraceID),
	},
}
