// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package lifetime

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestExportersShareTheShutdownTimeout(t *testing.T) {
	now := time.Now()
	for name, tt := range map[string]struct {
		announced time.Duration // ago
		want      time.Duration
	}{
		"the first has all of it":           {0, 10 * time.Second},
		"a later one has what is left":      {3 * time.Second, 7 * time.Second},
		"the last has a tenth":              {9500 * time.Millisecond, time.Second},
		"so has one after the time is over": {time.Minute, time.Second},
	} {
		s := New()
		s.Announce(now.Add(-tt.announced))
		s.Announce(now) // which others tell it too
		assert.Equal(t, tt.want, s.Left(10*time.Second, now), name)
	}
	assert.Equal(t, 10*time.Second, New().Left(10*time.Second, now), "a host that does not know the exporters")
}

func TestBoundContextEndsWithTheLifetime(t *testing.T) {
	l := New()
	ctx, cancel := l.Bound(t.Context())
	defer cancel()
	assert.False(t, l.IsStopping())
	l.Begin(time.Millisecond)
	assert.True(t, l.IsStopping())
	<-ctx.Done()
	assert.True(t, l.IsOver())
	assert.False(t, l.Sleep(context.Background(), time.Hour))
	l.End()
}
