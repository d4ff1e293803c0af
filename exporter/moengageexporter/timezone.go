// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageexporter

import (
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // so that zones are known on machines without the database

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
)

// Attributes with the user's time zone, the preferred one first. OpenTelemetry has none: this project
// defines the first two, and track APIs have the third in their context.
const (
	attrTimezoneOffset = "user.timezone_offset" // in seconds, or as +05:30
	attrUserTimezone   = "user.timezone"        // a name of the IANA database, or as +05:30
	attrTimezone       = "timezone"             // the same
)

// maxOffset is MoEngage's limit for user_timezone_offset in seconds (api: event/track-event).
const maxOffset = 15 * 60 * 60

// timezone is the time zone of an event's user.
type timezone struct {
	rank   int // of the attribute, 1 for the preferred one; 0 if the event says nothing
	offset int // in seconds, if name is empty
	name   string
}

// add reads an attribute, and reports whether user_timezone_offset takes its place.
func (z *timezone) add(name string, v pcommon.Value) bool {
	rank, inSeconds := 3, false
	switch name {
	case attrTimezoneOffset:
		rank, inSeconds = 1, true
	case attrUserTimezone:
		rank = 2
	}
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

// offsetOf reads an offset from UTC as ISO 8601 writes it or, if inSeconds, a number of seconds.
func offsetOf(text string, inSeconds bool) (seconds int, ok bool) {
	if number, err := strconv.ParseFloat(text, 64); err == nil && inSeconds {
		seconds = int(number)
		return seconds, number == float64(seconds) && isOffset(seconds)
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

// locations caches time zones by name. There are no more than zoneNames.
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
