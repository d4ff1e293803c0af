// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"cmp"
	"slices"
	"strings"

	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

// counts count the events of a backend.
type counts struct {
	accepted, settled                  int64
	outcomes                           map[outcomeReason]int64
	replayedDelivered, replayedRefused int64
}

type outcomeReason struct {
	outcome statusfeed.Outcome
	reason  string
}

func (c *counts) settle(outcome statusfeed.Outcome, reason string, events int64) {
	if c.outcomes == nil {
		c.outcomes = map[outcomeReason]int64{}
	}
	c.outcomes[outcomeReason{outcome, reason}] += events
	c.settled += events
}

func (c *counts) replay(result replayed) {
	if result == replayDelivered {
		c.replayedDelivered++
	} else {
		c.replayedRefused++
	}
}

// waiting returns the number of events without an outcome. queued is the number in the queue, which
// may hold events that an earlier process accepted.
func (c *counts) waiting(queued int64) int64 { return max(c.accepted-c.settled, queued, 0) }

// snapshot returns the counts without Waiting.
func (c *counts) snapshot() Counts {
	all := Counts{Accepted: c.accepted, ReplayedDelivered: c.replayedDelivered, ReplayedRefused: c.replayedRefused}
	for key, events := range c.outcomes {
		all.Outcomes = append(all.Outcomes, OutcomeCount{key.outcome, key.reason, events})
	}
	slices.SortFunc(all.Outcomes, func(a, b OutcomeCount) int {
		return cmp.Or(strings.Compare(string(a.Outcome), string(b.Outcome)), strings.Compare(a.Reason, b.Reason))
	})
	return all
}
