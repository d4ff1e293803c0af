// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"bytes"
	"encoding/hex"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// BuildRequests does not parse payloads. The fields that it needs are in [delivery.Meta]:
//
//	category     VendorID         Key
//	error        the event's id   -
//	log_item     -                -
//	span         the trace's id   a spanKey
//	transaction  the trace's id   a transactionKey
//
// Ids are hexadecimal. A key consists of fields separated by tabs. Queues on disk contain keys, so new
// fields go to the end and none is removed. Parsing never fails: missing and invalid fields get their
// default. completeMeta adds VendorID and Key to events without them.

// rootMark is the first field of the key of a span without a parent.
const rootMark = "root"

// spanKey holds the span fields that an envelope's trace header repeats. Its string form is:
//
//	root, or nothing | sample rate, or nothing for 1 | release | environment | transaction
type spanKey struct {
	root       bool
	sampleRate float64 // above 0, at most 1
	// These are JSON strings without their quotes, so they contain no tab.
	release, environment, transaction []byte
}

// maxTraceText is the largest size in bytes of a value in the trace header. Anything larger is left
// out: it cannot be a name.
const maxTraceText = 250

// append appends the string form of the key.
func (k *spanKey) append(dst []byte) []byte {
	if k.root {
		dst = append(dst, rootMark...)
	}
	dst = append(dst, '\t')
	if k.sampleRate != 1 {
		dst = strconv.AppendFloat(dst, k.sampleRate, 'g', -1, 64)
	}
	for _, text := range [...][]byte{k.release, k.environment, k.transaction} {
		dst = append(dst, '\t')
		if len(text) <= maxTraceText {
			dst = append(dst, text...)
		}
	}
	return dst
}

// parseSpanKey parses a key.
func parseSpanKey(key string) spanKey {
	root, fields := cutField(key)
	rate, fields := cutField(fields)
	release, fields := cutField(fields)
	environment, fields := cutField(fields)
	transaction, _ := cutField(fields)
	k := spanKey{
		root: root == rootMark, sampleRate: 1,
		release: traceText(release), environment: traceText(environment), transaction: traceText(transaction),
	}
	if f, err := strconv.ParseFloat(rate, 64); err == nil && f > 0 && f <= 1 {
		k.sampleRate = f
	}
	return k
}

// isRootKey reports whether a key belongs to a span without a parent.
func isRootKey(key string) bool {
	root, _ := cutField(key)
	return root == rootMark
}

// traceText returns a field of a key if it is a valid JSON string without its quotes, and not too
// large.
func traceText(s string) []byte {
	if s == "" || len(s) > maxTraceText || !isJSONText(s) {
		return nil
	}
	return []byte(s)
}

// isJSONText reports whether s is a valid JSON string between quotes.
func isJSONText(s string) bool {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c < ' ' || c == '"':
			return false
		case c == '\\':
			n := escapeLen(s[i:])
			if n == 0 {
				return false
			}
			i += n - 1
		}
	}
	return utf8.ValidString(s)
}

// escapeLen returns the length of the escape that s begins with; 0 if that is invalid.
func escapeLen(s string) int {
	switch {
	case len(s) < 2:
		return 0
	case strings.IndexByte(`"\/bfnrt`, s[1]) >= 0:
		return 2
	case s[1] != 'u' || len(s) < 6 || hexDigit(s[2])|hexDigit(s[3])|hexDigit(s[4])|hexDigit(s[5]) > 0xf:
		return 0
	}
	return 6
}

// transactionKey holds the span fields that BuildRequests needs to join spans into transactions. Its
// string form is:
//
//	id of the span | id of its parent, or nothing | segment, or nothing | size of each section, in their order
type transactionKey struct {
	span, parent pcommon.SpanID
	segment      bool
	sizes        sectionSizes
}

// segmentMark is the third field of the key of a segment.
const segmentMark = "segment"

// append appends the string form of the key.
func (k *transactionKey) append(dst []byte) []byte {
	dst = append(hex.AppendEncode(dst, k.span[:]), '\t')
	if !k.parent.IsEmpty() {
		dst = hex.AppendEncode(dst, k.parent[:])
	}
	dst = append(dst, '\t')
	if k.segment {
		dst = append(dst, segmentMark...)
	}
	for _, size := range k.sizes {
		dst = strconv.AppendInt(append(dst, '\t'), int64(size), 10)
	}
	return dst
}

// parseTransactionKey parses a key.
func parseTransactionKey(key string) (k transactionKey) {
	span, fields := cutField(key)
	parent, fields := cutField(fields)
	segment, fields := cutField(fields)
	k.span, k.parent, k.segment = parseSpanID(span), parseSpanID(parent), segment == segmentMark
	for s := range k.sizes {
		var size string
		size, fields = cutField(fields)
		if n, err := strconv.Atoi(size); err == nil && n > 0 {
			k.sizes[s] = n
		}
	}
	return k
}

func parseSpanID(text string) (id pcommon.SpanID) {
	if len(text) != hex.EncodedLen(len(id)) {
		return id
	}
	if _, err := hex.Decode(id[:], []byte(text)); err != nil {
		return pcommon.SpanID{}
	}
	return id
}

// cutField cuts off the first field.
func cutField(fields string) (first, rest string) {
	first, rest, _ = strings.Cut(fields, "\t")
	return first, rest
}

// section is one of the objects in the payload of a span for transactions: see appendTransactionSpan.
type section int

const (
	sectionContext section = iota
	sectionSpan
	sectionEvent
	sectionOtel
	numSections
)

// sectionNames precede the sections in the payload, whose last byte closes the object around them.
var sectionNames = [numSections]string{`,"context":`, `,"span":`, `,"event":`, `,"otel":`}

// sectionSizes are the sizes of the sections in bytes.
type sectionSizes [numSections]int

// sections are the sections of a payload.
type sections [numSections][]byte

// of returns the sections of a payload, and whether they have these sizes. Only the last section may
// be empty.
func (sizes *sectionSizes) of(payload []byte) (all sections, ok bool) {
	rest, ok := bytes.CutSuffix(payload, []byte("}"))
	for s := numSections - 1; ok && s >= 0; s-- {
		at := len(rest) - sizes[s]
		if at < 0 || sizes[s] < len("{}") || sizes[s] == len("{}") && s != sectionOtel {
			return sections{}, false
		}
		all[s] = rest[at:]
		rest, ok = bytes.CutSuffix(rest[:at], []byte(sectionNames[s]))
		ok = ok && all[s][0] == '{' && all[s][sizes[s]-1] == '}'
	}
	return all, ok
}
