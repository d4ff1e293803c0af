// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventjson

import (
	"encoding/hex"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// Trace is the trace context of an event.
type Trace struct {
	TraceID pcommon.TraceID
	SpanID  pcommon.SpanID
	Flags   plog.LogRecordFlags
}

// ParseTraceparent reads a traceparent of W3C Trace Context (section 3.2) and reports whether it is
// valid. Of a later version, it reads what version 00 defines.
func ParseTraceparent(s string) (Trace, bool) {
	const length = len("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	var t Trace
	if len(s) < length || s[2] != '-' || s[35] != '-' || s[52] != '-' {
		return t, false
	}
	if version := s[:2]; version == "ff" || version == "00" && len(s) != length || len(s) > length && s[length] != '-' {
		return t, false
	}
	var version, flags [1]byte
	for _, part := range []struct {
		dst []byte
		hex string
	}{{version[:], s[:2]}, {t.TraceID[:], s[3:35]}, {t.SpanID[:], s[36:52]}, {flags[:], s[53:55]}} {
		if !isLowerHex(part.hex) {
			return Trace{}, false
		}
		_, _ = hex.Decode(part.dst, []byte(part.hex)) // checked above
	}
	if t.TraceID.IsEmpty() || t.SpanID.IsEmpty() {
		return Trace{}, false
	}
	t.Flags = plog.LogRecordFlags(flags[0])
	return t, true
}

func isLowerHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// Put sets the trace context of the record.
func (t Trace) Put(record plog.LogRecord) {
	record.SetTraceID(t.TraceID)
	record.SetSpanID(t.SpanID)
	record.SetFlags(t.Flags)
}
