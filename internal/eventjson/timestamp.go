// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventjson

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

const timestampWanted = "want an RFC 3339 string such as 2026-01-31T12:00:00Z, or the time since 1970 as a number of s, ms, us or ns"

// The times that both pcommon.Timestamp and time.Time can express in nanoseconds: 1970 to 2262.
//
//nolint:gochecknoglobals // constants
var (
	firstTime = time.Unix(0, 0)
	lastTime  = time.Unix(0, 1<<63-1)
)

// parseTimestamp reads a time as [parseTime] does, or a number in a string.
func parseTimestamp(s string) (pcommon.Timestamp, error) {
	if s != "" && strings.Trim(s, "0123456789.") == "" {
		return parseEpoch(s)
	}
	return parseTime(s, timestampWanted)
}

// parseTime reads RFC 3339, and what libraries write instead: t or a space for T, z, an offset
// without a colon or minutes, and no offset, which means UTC. A leap second is the second after it.
func parseTime(s, wanted string) (pcommon.Timestamp, error) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		normal, leap := normalizeTime(s)
		if t, err = time.Parse(time.RFC3339Nano, normal); err == nil && leap > 0 {
			if utc := t.UTC(); utc.Hour() != 23 || utc.Minute() != 59 {
				return 0, reject("second 60 exists only at 23:59:60 UTC; %s", wanted)
			}
			t = t.Add(leap)
		}
	}
	if err != nil {
		return 0, reject("%s", wanted)
	}
	if t.Before(firstTime) || t.After(lastTime) {
		return 0, reject("is not between the years 1970 and 2262")
	}
	return pcommon.NewTimestampFromTime(t), nil
}

// secondsLength is the length of a date and a time down to the second.
const secondsLength = len("2026-01-31T12:00:00")

// normalizeTime writes a time as RFC 3339 does, as far as it can. Of a leap second it returns the
// second before, and how much to add.
func normalizeTime(s string) (string, time.Duration) {
	if len(s) < secondsLength {
		return s, 0
	}
	s = strings.ToUpper(s)
	if len(s) < secondsLength { // upper case is shorter for some letters outside of ASCII
		return s, 0
	}
	clock, rest := strings.Replace(s[:secondsLength], " ", "T", 1), s[secondsLength:]
	leap := time.Duration(0)
	if before, ok := strings.CutSuffix(clock, ":60"); ok {
		clock, leap = before+":59", time.Second
	}
	at := strings.IndexAny(rest, "Z+-")
	if at < 0 {
		return clock + rest + "Z", leap
	}
	fraction, zone := strings.TrimSuffix(rest[:at], " "), rest[at:]
	switch len(zone) {
	case len("+08"):
		zone += ":00"
	case len("+0800"):
		zone = zone[:3] + ":" + zone[3:]
	}
	return clock + fraction + zone, leap
}

// epochUnits are the units above nanoseconds, with the number from which a time is in a smaller
// unit.
var epochUnits = [...]struct{ below, nanoseconds int64 }{{1e11, 1e9}, {1e14, 1e6}, {1e17, 1e3}}

// parseEpoch reads the time since 1970 in the unit that its magnitude implies: seconds up to the
// year 5138, milliseconds and microseconds from 1973 to 5138, else nanoseconds. It is exact to the
// nanosecond.
func parseEpoch(s string) (pcommon.Timestamp, error) {
	if ns, ok := parseWholeEpoch(s); ok {
		return ns, nil
	}
	if len(s) > 40 || hasLongExponent(s) {
		return 0, reject(timestampWanted)
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok || r.Sign() < 0 {
		return 0, reject(timestampWanted)
	}
	for _, unit := range epochUnits {
		if r.Cmp(new(big.Rat).SetInt64(unit.below)) < 0 {
			r.Mul(r, new(big.Rat).SetInt64(unit.nanoseconds))
			break
		}
	}
	ns := new(big.Int).Quo(r.Num(), r.Denom())
	if !ns.IsInt64() {
		return 0, reject("is not between the years 1970 and 2262")
	}
	return pcommon.Timestamp(ns.Int64()), nil //nolint:gosec // not negative
}

// hasLongExponent reports an exponent of more than two digits, which would be slow to expand.
func hasLongExponent(s string) bool {
	at := strings.IndexAny(s, "eE")
	return at >= 0 && len(strings.Trim(s[at+1:], "+-")) > 2
}

// parseWholeEpoch is a fast path of parseEpoch for integers within range.
func parseWholeEpoch(s string) (pcommon.Timestamp, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 {
		return 0, false
	}
	for _, unit := range epochUnits {
		if n < unit.below {
			if n > math.MaxInt64/unit.nanoseconds {
				return 0, false
			}
			return pcommon.Timestamp(n * unit.nanoseconds), true //nolint:gosec // not negative
		}
	}
	return pcommon.Timestamp(n), true
}
