// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package webhookexporter

import (
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
)

// appendStandard appends the payload that Standard Webhooks recommends (spec/standard-webhooks.md,
// "Payload structure"), with the event JSON as data.
func (enc *encoder) appendStandard(dst []byte, e *appevent.Event) ([]byte, error) {
	dst = appendMember(append(dst, '{'), "type", standardType(typeOf(e)))
	at := e.Time
	if !hasTime(e) {
		at = pcommon.NewTimestampFromTime(time.Now())
	}
	dst = enc.clock.Time(appendName(dst, "timestamp"), at)
	dst = enc.events.Append(appendName(dst, "data"), e)
	return append(dst, '}'), nil
}

// standardType turns a name into a type: segments of letters, digits and underscores, separated by
// dots.
func standardType(name string) string {
	if !strings.ContainsFunc(name, func(r rune) bool { return !isWord(r) }) {
		return name
	}
	var segments []string
	for segment := range strings.SplitSeq(name, ".") {
		if segment != "" {
			segments = append(segments, strings.Map(wordOrUnderscore, segment))
		}
	}
	if len(segments) == 0 {
		return "_"
	}
	return strings.Join(segments, ".")
}

func isWord(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_'
}

func wordOrUnderscore(r rune) rune {
	if isWord(r) {
		return r
	}
	return '_'
}
