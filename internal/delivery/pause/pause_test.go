// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package pause

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestSetReportsChanges(t *testing.T) {
	s := New()
	assert.False(t, s.IsPaused())
	assert.False(t, s.Set(false))
	assert.True(t, s.Set(true))
	assert.True(t, s.IsPaused())
	assert.False(t, s.Set(true))
	assert.True(t, s.Set(false))
	assert.False(t, s.IsPaused())
}

func TestWaitEnds(t *testing.T) {
	for name, end := range map[string]func(s *Switch, cancel context.CancelFunc, stopping chan struct{}){
		"when the exporter is resumed": func(s *Switch, _ context.CancelFunc, _ chan struct{}) { s.Set(false) },
		"when it stops":                func(_ *Switch, _ context.CancelFunc, stopping chan struct{}) { close(stopping) },
		"with the context":             func(_ *Switch, cancel context.CancelFunc, _ chan struct{}) { cancel() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, stopping := New(), make(chan struct{})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				s.Wait(ctx, stopping) // not paused
				s.Set(true)
				ended := false
				go func() {
					s.Wait(ctx, stopping)
					ended = true
				}()
				synctest.Wait()
				assert.False(t, ended)
				end(s, cancel, stopping)
				synctest.Wait()
				assert.True(t, ended)
			})
		})
	}
}

func TestWaitGoesOnThroughTheNextPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New()
		s.Set(true)
		ended := false
		go func() {
			s.Wait(t.Context(), nil)
			ended = true
		}()
		synctest.Wait()
		s.mu.Lock() // holds up the wait until the second pause
		resumed := s.resumed
		s.since, s.resumed = time.Now(), make(chan struct{})
		close(resumed)
		s.mu.Unlock()
		synctest.Wait()
		assert.False(t, ended)
		s.Set(false)
		synctest.Wait()
		assert.True(t, ended)
	})
}

func TestBoundContextEndsWhenPaused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New()
		ctx, cancel := s.Bound(t.Context())
		defer cancel()
		synctest.Wait()
		assert.NoError(t, ctx.Err())
		s.Set(true)
		synctest.Wait()
		assert.Error(t, ctx.Err())

		late, cancel := s.Bound(t.Context())
		defer cancel()
		synctest.Wait()
		assert.Error(t, late.Err(), "it is paused already")

		s.Set(false)
		again, cancel := s.Bound(t.Context())
		defer cancel()
		synctest.Wait()
		assert.NoError(t, again.Err())
	})
}

func TestClockStandsStillWhilePaused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New()
		begun := s.Now()
		elapsed := func() time.Duration { return s.Now().Sub(begun) }
		time.Sleep(time.Minute)
		assert.Equal(t, time.Minute, elapsed())
		s.Set(true)
		time.Sleep(time.Hour)
		s.Set(true) // which changes nothing
		time.Sleep(time.Hour)
		assert.Equal(t, time.Minute, elapsed())
		s.Set(false)
		assert.Equal(t, time.Minute, elapsed())
		time.Sleep(time.Second)
		s.Set(true)
		time.Sleep(time.Hour)
		s.Set(false)
		assert.Equal(t, time.Minute+time.Second, elapsed())
	})
}
