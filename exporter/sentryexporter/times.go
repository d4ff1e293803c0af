// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// leastTime is the earliest time that Sentry accepts: it refuses 0, and anything earlier is written
// as 0 microseconds.
const leastTime = pcommon.Timestamp(time.Microsecond)

// isTime reports whether Sentry takes t for a time.
func isTime(t pcommon.Timestamp) bool { return t >= leastTime }

// timeOrNow returns t, or now if that is no time.
func timeOrNow(t pcommon.Timestamp) pcommon.Timestamp {
	if isTime(t) {
		return t
	}
	return pcommon.NewTimestampFromTime(time.Now())
}
