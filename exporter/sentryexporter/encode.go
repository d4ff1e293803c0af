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

var (
	_ delivery.Encoder             = (*encoder)(nil)
	_ delivery.Preparer[plog.Logs] = (*encoder)(nil)
)

func newEncoder(b *backend) *encoder {
	destination := func(e *appevent.Event) string {
		text, _ := b.projects.destination(e.Attribute, e.Source.Resource.Attributes())
		return text
	}
	return &encoder{
		backend: b, attributes: newAttributes(newPrivacy(b.cfg)), sources: sources{backend: b}, issues: newIssues(b.cfg, destination),
	}
}

// Prepare implements delivery.Preparer: an Issue shows the other records of its trace.
func (enc *encoder) Prepare(ld plog.Logs) { enc.issues.crumbs.prepare(ld) }

// Reset implements delivery.Encoder.
func (enc *encoder) Reset() {
	enc.sources.reset()
	if enc.attributes.forgets() {
		enc.sources.forget()
	}
	enc.issues.reset()
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

// encodeIssue writes the event of an Issue. The span is that of a span event, and nil for a record.
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
	w.End(enc.withinLimit(w.Begin(meta), 0, func(dst []byte, t trim) []byte { return enc.appendIssue(dst, &issue, t) }))
	return nil
}

// encodeLog writes an item of Sentry's logs.
func (enc *encoder) encodeLog(w *delivery.Writer, e *appevent.Event, destination string) {
	meta := delivery.Meta{ID: e.ID(), Name: e.Name, Time: e.Time, Category: categoryLog, Destination: destination}
	w.End(enc.withinLimit(w.Begin(meta), containerFrame, func(dst []byte, t trim) []byte { return enc.appendLog(dst, e, t) }))
}

// withinLimit appends an item, leaving out more and more of it until it is small enough with what stands around it.
func (enc *encoder) withinLimit(dst []byte, around int, write func(dst []byte, t trim) []byte) []byte {
	start := len(dst)
	for t := trimNothing; ; t++ {
		enc.attributes.brief = t >= trimLong
		dst = write(dst[:start], t)
		if len(dst)-start+around <= enc.cfg.MaxEventBytes || t == trimBody {
			enc.attributes.brief = false
			return dst
		}
	}
}

// trim is how much is left out of an item that is too large. Each step includes those before it.
type trim int

const (
	trimNothing trim = iota
	// trimFrames leaves the outermost exceptions, and the first and last frames of each.
	trimFrames
	// trimLong cuts off long attributes, and leaves out the breadcrumbs.
	trimLong
	// trimAttributes leaves out the attributes.
	trimAttributes
	// trimBody cuts off each text.
	trimBody
)

// What is left, so that an item is well below 32 KiB even if each byte of it is one that JSON writes with six.
const (
	fewFrames     = 50
	fewExceptions = 10
	leastFrames   = 4
	leastCauses   = 2
	shortText     = 160
)

// note says in the item itself what was left out; empty where nothing was.
func (t trim) note() string {
	return [...]string{"", "frames", "frames, long attributes", "frames, attributes", "frames, attributes, body"}[t]
}

// text is s as it is written under t.
func (t trim) text(s string) string {
	if t < trimBody {
		return s
	}
	return cut(s, shortText)
}

// cut is the beginning of s, and whole characters of it.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && s[limit]&0xc0 == 0x80 {
		limit--
	}
	return s[:limit]
}

// timeOf is when the event happened, as far as is known.
func timeOf(e *appevent.Event) pcommon.Timestamp {
	if e.Time != 0 {
		return e.Time
	}
	return pcommon.NewTimestampFromTime(time.Now())
}

// appendSeconds appends a time in seconds, with the microseconds that a double can tell.
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

// eightDigits are the digits of n, which is below 1e8, the first in the lowest byte. It divides two numbers of four digits at a time,
// then four of two, by factors that are exact for these.
func eightDigits(n uint64) uint64 {
	const halves, quarters = 1 | 1<<32, 1 | 1<<16 | 1<<32 | 1<<48
	n = n/10_000 | n%10_000<<32
	hundreds := n * 10_486 >> 20 & (halves * 0x7f)
	n = hundreds | (n-hundreds*100)<<16
	tens := n * 103 >> 10 & (quarters * 0xf)
	return (tens | (n-tens*10)<<8) + ones*'0'
}

// textMember appends a member whose value is not empty. The name needs no escape.
func textMember(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	return jsonappend.String(memberName(dst, name), value)
}

// memberName appends the name of a member, behind a comma unless it is the first of its object.
func memberName(dst []byte, name string) []byte {
	if dst[len(dst)-1] != '{' {
		dst = append(dst, ',')
	}
	dst = append(dst, '"')
	dst = append(dst, name...)
	return append(dst, '"', ':')
}

// hexMember is textMember for bytes.
func hexMember(dst []byte, name string, value []byte) []byte {
	dst = append(memberName(dst, name), '"')
	dst = hex.AppendEncode(dst, value)
	return append(dst, '"')
}
