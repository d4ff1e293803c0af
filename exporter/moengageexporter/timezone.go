// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageexporter

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // for machines without the time zone database

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
)

// Attributes with the user's time zone. OpenTelemetry has none: this project defines the first two,
// and track APIs have the third in their context.
const (
	attrTimezoneOffset = "user.timezone_offset" // in seconds, or as +05:30
	attrUserTimezone   = "user.timezone"        // a name of the IANA database, or as +05:30
	attrTimezone       = "timezone"             // the same
)

// timezoneAttributes lists these attributes, the preferred one first.
var timezoneAttributes = [...]string{attrTimezoneOffset, attrUserTimezone, attrTimezone}

// maxOffset is MoEngage's limit for user_timezone_offset in seconds (api: event/track-event).
const maxOffset = 15 * 60 * 60

// timezone is the time zone of an event's user: a name or, without one, an offset.
type timezone struct {
	rank   int // of the attribute, 1 for the preferred one; 0 if the event has none
	offset int // in seconds
	name   string
}

// add reads an attribute. It returns true if the attribute is sent only as user_timezone_offset: names
// of time zones also stay attributes.
func (z *timezone) add(name string, v pcommon.Value) bool {
	inSeconds := name == attrTimezoneOffset
	rank := slices.Index(timezoneAttributes[:], name) + 1
	found := timezone{rank: rank}
	text := strings.TrimSpace(appevent.IDText(v))
	offset, ok := offsetOf(text, inSeconds)
	switch {
	case ok:
		found.offset = offset
	case !inSeconds && isZone(text):
		found.name = strings.Clone(text)
	default:
		return false
	}
	if z.rank == 0 || rank < z.rank {
		*z = found
	}
	return inSeconds
}

// offsetStep is the step in seconds by which offsets of time zones differ: a quarter of an hour.
const offsetStep = 15 * 60

// offsetOf parses an offset from UTC in ISO 8601 or, if inSeconds, as a number of seconds too. A number
// of hours and minutes, such as +0530, is never a number of seconds too: those are quarters of an hour.
func offsetOf(text string, inSeconds bool) (seconds int, ok bool) {
	if number, err := strconv.ParseFloat(text, 64); err == nil && inSeconds && math.Mod(number, offsetStep) == 0 {
		seconds = int(number)
		return seconds, isOffset(seconds)
	}
	for _, layout := range [...]string{"Z07:00", "Z0700", "Z07"} {
		if at, err := time.Parse(layout, text); err == nil {
			_, seconds = at.Zone()
			return seconds, isOffset(seconds)
		}
	}
	return 0, false
}

func isOffset(seconds int) bool { return seconds >= -maxOffset && seconds <= maxOffset }

// locations caches time zones by name. It has at most as many entries as zoneNames.
type locations map[string]*time.Location

// offset returns the offset of the time zone at a time, and whether it is known.
func (l locations) offset(z *timezone, at pcommon.Timestamp) (seconds int, ok bool) {
	if z.name == "" {
		return z.offset, true
	}
	location, known := l[z.name]
	if !known {
		location, _ = time.LoadLocation(z.name)
		l[z.name] = location
	}
	if location == nil {
		return 0, false
	}
	_, seconds = at.AsTime().In(location).Zone()
	return seconds, true
}
