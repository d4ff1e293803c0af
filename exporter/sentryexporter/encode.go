// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// encoder writes log records as Issues or as logs.
type encoder struct {
	*backend
	attributes *attributes
	sources    sources
	issues     issues
	scratch    []byte
}

var _ delivery.Encoder = (*encoder)(nil)

func newEncoder(b *backend) *encoder {
	destination := func(e *appevent.Event) string {
		text, _ := b.projects.destination(e.Attribute, e.Source.Resource.Attributes())
		return text
	}
	return &encoder{
		backend: b, attributes: newAttributes(newPrivacy(b.cfg)), sources: sources{backend: b}, issues: newIssues(b.cfg, destination),
	}
}

// Prepare implements delivery.Encoder: an Issue shows earlier records of its trace.
func (enc *encoder) Prepare(ld plog.Logs) { enc.issues.crumbs.prepare(ld) }

// Reset implements delivery.Encoder.
func (enc *encoder) Reset() {
	enc.sources.reset()
	if enc.attributes.forgets() {
		enc.sources.forget()
	}
	enc.issues.reset()
	enc.attributes.trace = traceTexts{}
}

// Encode implements delivery.Encoder.
func (enc *encoder) Encode(w *delivery.Writer, e *appevent.Event) error {
	destination, err := enc.projects.destination(e.Attribute, e.Source.Resource.Attributes())
	switch {
	case err != nil:
		return err
	case enc.isIssue(e):
		return enc.encodeIssue(w, e, destination, fromLogs, nil)
	case !enc.cfg.Logs.Enabled:
		return delivery.Skip("logs_off")
	default:
		enc.encodeLog(w, e, destination)
		return nil
	}
}

func (enc *encoder) isIssue(e *appevent.Event) bool {
	return enc.cfg.Issues.Enabled && (e.IsException() || e.SeverityLevel() >= enc.minSeverity)
}

// encodeIssue writes an Issue. span is the span of a span event, and nil for a log record.
func (enc *encoder) encodeIssue(w *delivery.Writer, e *appevent.Event, destination string, from signal, span *spanContext) error {
	key, paired := pairKey(e, destination)
	n := 0
	if paired {
		var duplicate bool
		if n, duplicate = enc.pairing.report(key, from, e.Time); duplicate {
			return delivery.Skip("duplicate")
		}
	}
	issue := issue{
		Event: e, source: enc.sources.get(e.Source, enc.attributes), destination: destination, id: idOf(e, key, paired, n), span: span, at: timeOf(e),
	}
	enc.issues.read(&issue)
	meta := delivery.Meta{ID: e.ID(), Name: e.Name, Time: e.Time, Category: categoryError, Destination: destination}
	payload := enc.withinLimit(w.Begin(meta), 0, func(dst []byte, t trim) []byte { return enc.appendIssue(dst, &issue, t) })
	enc.scratch = hex.AppendEncode(enc.scratch[:0], issue.id[:])
	w.SetVendorID(enc.scratch)
	w.End(payload)
	return nil
}

// encodeLog writes an item of Sentry's logs.
func (enc *encoder) encodeLog(w *delivery.Writer, e *appevent.Event, destination string) {
	meta := delivery.Meta{ID: e.ID(), Name: e.Name, Time: e.Time, Category: categoryLog, Destination: destination}
	w.End(enc.withinLimit(w.Begin(meta), containerOverhead, func(dst []byte, t trim) []byte { return enc.appendLog(dst, e, t) }))
}

// withinLimit appends an item, trimming it step by step until it and its overhead are small enough.
func (enc *encoder) withinLimit(dst []byte, overhead int, write func(dst []byte, t trim) []byte) []byte {
	start := len(dst)
	for t := trimNothing; ; t++ {
		enc.attributes.brief = t >= trimLong
		dst = write(dst[:start], t)
		if len(dst)-start+overhead <= enc.cfg.MaxEventBytes || t == trimBody {
			enc.attributes.brief = false
			return dst
		}
	}
}

// trim is how much of an item that is too large is left out. Each step includes the ones before it.
type trim int

const (
	trimNothing trim = iota
	// trimFrames keeps the outermost exceptions, and the first and last frames of each.
	trimFrames
	// trimLong cuts off long attributes, and leaves out the breadcrumbs.
	trimLong
	// trimAttributes leaves out the attributes.
	trimAttributes
	// trimBody cuts off each text.
	trimBody
)

// What trimming keeps: so little that an item is below 32 KiB even if JSON needs six bytes for each
// of its bytes.
const (
	fewFrames     = 50
	fewExceptions = 10
	leastFrames   = 4
	leastCauses   = 2
	shortText     = 160
)

// note names what was left out, for the item itself. It is empty if nothing was.
func (t trim) note() string {
	return [...]string{"", "frames", "frames, long attributes", "frames, attributes", "frames, attributes, body"}[t]
}

// text returns what t keeps of s.
func (t trim) text(s string) string {
	if t < trimBody {
		return s
	}
	return cut(s, shortText)
}

// cut returns the beginning of s, up to limit bytes of whole characters.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && s[limit]&0xc0 == 0x80 {
		limit--
	}
	return s[:limit]
}

// timeOf returns when the event happened, or now if that is unknown.
func timeOf(e *appevent.Event) pcommon.Timestamp {
	if e.Time != 0 {
		return e.Time
	}
	return pcommon.NewTimestampFromTime(time.Now())
}

// appendSeconds appends a time in seconds, with microseconds: a double has no room for more digits.
func appendSeconds(dst []byte, t pcommon.Timestamp) []byte {
	seconds, micros := uint64(t/1e9), uint64(t%1e9/1e3)
	if seconds < 1e9 || seconds >= 1e10 { // before 2001, or after 2286
		dst = strconv.AppendUint(dst, seconds, 10)
	} else {
		dst = binary.LittleEndian.AppendUint64(dst, eightDigits(seconds/100))
		dst = append(dst, byte('0'+seconds/10%10), byte('0'+seconds%10))
	}
	fraction := eightDigits(micros)>>8&^0xff | '.' // in place of the second of two zeros
	dst = binary.LittleEndian.AppendUint64(dst, fraction)
	return dst[:len(dst)-1]
}

// eightDigits returns the digits of n, which is below 1e8, with the first in the lowest byte. It
// divides two numbers of four digits at a time, then four of two; the factors are exact for these.
func eightDigits(n uint64) uint64 {
	const halves, quarters = 1 | 1<<32, 1 | 1<<16 | 1<<32 | 1<<48
	n = n/10_000 | n%10_000<<32
	hundreds := n * 10_486 >> 20 & (halves * 0x7f)
	n = hundreds | (n-hundreds*100)<<16
	tens := n * 103 >> 10 & (quarters * 0xf)
	return (tens | (n-tens*10)<<8) + ones*'0'
}

// textMember appends a member unless its value is empty. The name must need no escape.
func textMember(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	return jsonappend.String(memberName(dst, name), value)
}

// memberName appends the name of a member, after a comma unless it is the first of its object.
func memberName(dst []byte, name string) []byte {
	if dst[len(dst)-1] != '{' {
		dst = append(dst, ',')
	}
	dst = append(dst, '"')
	dst = append(dst, name...)
	return append(dst, '"', ':')
}

// hexMember appends bytes as a member, in hexadecimal.
func hexMember(dst []byte, name string, value []byte) []byte {
	dst = append(memberName(dst, name), '"')
	dst = hex.AppendEncode(dst, value)
	return append(dst, '"')
}
