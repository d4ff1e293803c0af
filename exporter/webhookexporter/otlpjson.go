// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package webhookexporter

import (
	"bytes"
	"encoding/hex"
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// appendLogRecord appends a record as OTLP JSON (OTLP specification, "JSON Protobuf Encoding"): the
// same bytes that plog.JSONMarshaler writes, without copying the record. A record without an ID gets
// the given one.
func appendLogRecord(dst []byte, record plog.LogRecord, id string) []byte {
	dst = append(dst, '{')
	if at := record.Timestamp(); at != 0 {
		dst = appendQuoted(appendName(dst, "timeUnixNano"), uint64(at))
	}
	if at := record.ObservedTimestamp(); at != 0 {
		dst = appendQuoted(appendName(dst, "observedTimeUnixNano"), uint64(at))
	}
	if n := record.SeverityNumber(); n != plog.SeverityNumberUnspecified {
		dst = jsonappend.Int(appendName(dst, "severityNumber"), int64(n))
	}
	dst = appendOptional(dst, "severityText", record.SeverityText())
	dst = appendAnyValue(appendName(dst, "body"), record.Body())
	dst = append(appendName(dst, "attributes"), '[')
	dst, identified := appendKeyValues(dst, record.Attributes())
	if !identified {
		if record.Attributes().Len() > 0 {
			dst = append(dst, ',')
		}
		dst = jsonappend.String(append(dst, `{"key":"`+appevent.AttrID+`","value":{"stringValue":`...), id)
		dst = append(dst, '}', '}')
	}
	dst = append(dst, ']')
	if n := record.DroppedAttributesCount(); n != 0 {
		dst = jsonappend.Int(appendName(dst, "droppedAttributesCount"), int64(n))
	}
	if flags := record.Flags(); flags != 0 {
		dst = jsonappend.Int(appendName(dst, "flags"), int64(flags))
	}
	if trace := record.TraceID(); !trace.IsEmpty() {
		dst = append(hex.AppendEncode(append(appendName(dst, "traceId"), '"'), trace[:]), '"')
	}
	if span := record.SpanID(); !span.IsEmpty() {
		dst = append(hex.AppendEncode(append(appendName(dst, "spanId"), '"'), span[:]), '"')
	}
	return append(appendOptional(dst, "eventName", record.EventName()), '}')
}

// appendQuoted appends a 64-bit number, which OTLP JSON writes as a string.
func appendQuoted(dst []byte, n uint64) []byte {
	return append(strconv.AppendUint(append(dst, '"'), n, 10), '"')
}

// appendKeyValues appends the members of the map as a list, and reports whether one of them is the
// ID.
func appendKeyValues(dst []byte, m pcommon.Map) (_ []byte, identified bool) {
	first := true
	for name, v := range m.All() {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		identified = identified || name == appevent.AttrID
		dst = appendName(appendOptional(append(dst, '{'), "key", name), "value")
		dst = append(appendAnyValue(dst, v), '}')
	}
	return dst, identified
}

func appendAnyValue(dst []byte, v pcommon.Value) []byte {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		dst = jsonappend.String(append(dst, `{"stringValue":`...), v.Str())
	case pcommon.ValueTypeBool:
		dst = jsonappend.Bool(append(dst, `{"boolValue":`...), v.Bool())
	case pcommon.ValueTypeInt:
		dst = jsonappend.Int(append(dst, `{"intValue":"`...), v.Int())
		dst = append(dst, '"')
	case pcommon.ValueTypeDouble:
		dst = jsonappend.Double(append(dst, `{"doubleValue":`...), v.Double())
		dst = bytes.TrimSuffix(dst, []byte(".0")) // doubleValue already says the type
	case pcommon.ValueTypeBytes:
		dst = jsonappend.Bytes(append(dst, `{"bytesValue":`...), v.Bytes())
	case pcommon.ValueTypeSlice:
		dst = appendArrayValue(append(dst, `{"arrayValue":`...), v.Slice())
	case pcommon.ValueTypeMap:
		dst = appendKeyValueList(append(dst, `{"kvlistValue":`...), v.Map())
	default:
		dst = append(dst, '{')
	}
	return append(dst, '}')
}

// valuesOpen begins arrays and maps, unless they are empty.
const valuesOpen = `{"values":[`

func appendArrayValue(dst []byte, s pcommon.Slice) []byte {
	if s.Len() == 0 {
		return append(dst, '{', '}')
	}
	dst = append(dst, valuesOpen...)
	for i, item := range s.All() {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendAnyValue(dst, item)
	}
	return append(dst, ']', '}')
}

func appendKeyValueList(dst []byte, m pcommon.Map) []byte {
	if m.Len() == 0 {
		return append(dst, '{', '}')
	}
	dst, _ = appendKeyValues(append(dst, valuesOpen...), m)
	return append(dst, ']', '}')
}
