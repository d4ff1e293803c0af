// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package retry

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/config/configretry"
)

func TestWaitsOfASchedule(t *testing.T) {
	backoff := configretry.BackOffConfig{InitialInterval: time.Second, Multiplier: 2, MaxInterval: 5 * time.Second, RandomizationFactor: 0}
	for name, tt := range map[string]struct {
		schedule Policy
		retries  int
		waits    []time.Duration
	}{
		"the list":                        {Policy{Waits: []time.Duration{time.Second, time.Minute}}, 2, []time.Duration{time.Second, time.Minute}},
		"the last wait is repeated":       {Policy{Waits: []time.Duration{time.Second, time.Minute}, MaxRetries: 4}, 4, []time.Duration{time.Second, time.Minute, time.Minute, time.Minute}},
		"without a list it grows":         {Policy{MaxRetries: 4}, 4, []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 5 * time.Second}},
		"it grows without an end of time": {Policy{MaxRetries: 2000}, 2000, []time.Duration{1999: 5 * time.Second}},
	} {
		t.Run(name, func(t *testing.T) {
			policy := tt.schedule
			policy.Backoff = backoff
			assert.Equal(t, tt.retries, policy.maxRetries())
			for i, want := range tt.waits {
				if want > 0 {
					assert.InDelta(t, want, policy.Wait(i+1, 0), float64(want)/10)
				}
			}
		})
	}
	assert.Positive(t, (&Policy{Backoff: backoff, Waits: []time.Duration{time.Second}}).Wait(0, 0), "before any attempt")
}
