// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageintake

import "time"

// checkLimits refuses requests beyond the limits per 60 seconds. Refused requests count too.
func (v *visit) checkLimits() {
	content := &v.request.Content
	much := Limits{Events: len(content.Actions), Users: len(content.Users), Devices: len(content.Devices), Merges: len(content.Merges)}
	v.sent = append(v.sent, sent{at: v.request.At, much: much})
	total := v.within(v.request.At)
	if v.limits.forbid(total) {
		v.refuse(RateLimited())
	}
}

// within returns how much arrived in the 60 seconds before at.
func (in *Intake) within(at time.Time) (total Limits) {
	for i := range in.sent {
		if s := &in.sent[i]; at.Sub(s.at) < time.Minute {
			total.Events += s.much.Events
			total.Users += s.much.Users
			total.Devices += s.much.Devices
			total.Merges += s.much.Merges
		}
	}
	return total
}

func (l Limits) forbid(total Limits) bool {
	over := func(limit, n int) bool { return limit > 0 && n > limit }
	return over(l.Events, total.Events) || over(l.Users, total.Users) || over(l.Devices, total.Devices) || over(l.Merges, total.Merges)
}
