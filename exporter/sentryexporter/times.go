// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// leastTime is the earliest time that Sentry accepts. It refuses 0, and times are sent in
// microseconds.
const leastTime = pcommon.Timestamp(time.Microsecond)

// isTime reports whether Sentry accepts t.
func isTime(t pcommon.Timestamp) bool { return t >= leastTime }

// timeOrNow returns t, or now if Sentry does not accept t.
func timeOrNow(t pcommon.Timestamp) pcommon.Timestamp {
	if isTime(t) {
		return t
	}
	return pcommon.NewTimestampFromTime(time.Now())
}
