// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sdkhttp

import (
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
)

func body(bytes int) io.ReadCloser {
	return io.NopCloser(strings.NewReader(strings.Repeat("x", bytes)))
}

func TestBytesAreHeldUntilReleased(t *testing.T) {
	b := NewBudget(100)
	first, second := b.Hold(100), b.Hold(100)
	_, err := io.ReadAll(first.Count(body(60)))
	require.NoError(t, err)
	assert.Equal(t, int64(60), b.Used())

	_, err = io.ReadAll(second.Count(body(41)))
	require.ErrorIs(t, err, ErrFull)
	require.ErrorIs(t, second.Err(), ErrFull)
	assert.Equal(t, int64(60), b.Used(), "what does not fit is not held")

	first.Release()
	first.Release()
	assert.Zero(t, b.Used())
	third := b.Hold(100)
	_, err = io.ReadAll(third.Count(body(100)))
	require.NoError(t, err)
	third.Release()
	second.Release()
	assert.Zero(t, b.Used())
}

func TestRequestLargerThanItsLimitIsRefused(t *testing.T) {
	b := NewBudget(100)
	for name, tt := range map[string]struct {
		limit int64
		bytes int
		want  error
	}{
		"exactly the limit":    {50, 50, nil},
		"above the limit":      {50, 51, ErrTooLarge},
		"exactly the budget":   {1000, 100, nil},
		"above the budget":     {1000, 101, ErrTooLarge},
		"nothing":              {50, 0, nil},
		"far above the budget": {50, 1_000_000, ErrTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			h := b.Hold(tt.limit)
			defer h.Release()
			_, err := io.ReadAll(h.Count(body(tt.bytes)))
			assert.Equal(t, tt.want, err)
			assert.Equal(t, tt.want, h.Err())
			assert.LessOrEqual(t, b.Used(), int64(100))
		})
	}
	assert.Zero(t, b.Used())
}

func TestRefusedRequestIsNotRead(t *testing.T) {
	h := NewBudget(100).Hold(100)
	h.Refuse()
	n, err := h.Count(body(1)).Read(make([]byte, 1))
	assert.Zero(t, n)
	assert.ErrorIs(t, err, ErrTooLarge)
}

func TestShareLeavesRoomForOthers(t *testing.T) {
	all := NewBudget(100)
	share := all.Share(25)
	stranger, other := share.Hold(25), share.Hold(25)
	_, err := io.ReadAll(stranger.Count(body(25)))
	require.NoError(t, err)
	_, err = io.ReadAll(other.Count(body(1)))
	require.ErrorIs(t, err, ErrFull)
	known := all.Hold(100)
	_, err = io.ReadAll(known.Count(body(75)))
	require.NoError(t, err)

	known.Release()
	stranger.Promote()
	assert.Zero(t, share.Used())
	assert.Equal(t, int64(25), all.Used())
	_, err = io.ReadAll(stranger.Count(body(70)))
	require.NoError(t, err, "a client that is known may hold more")
	stranger.Release()
	other.Release()
	assert.Zero(t, all.Used())
	assert.Zero(t, share.Used())
}

func TestFullBudgetDoesNotLeakFromShares(t *testing.T) {
	all := NewBudget(10)
	share := all.Share(5)
	holder := all.Hold(10)
	_, err := io.ReadAll(holder.Count(body(10)))
	require.NoError(t, err)
	h := share.Hold(5)
	_, err = io.ReadAll(h.Count(body(1)))
	require.ErrorIs(t, err, ErrFull)
	h.Release()
	holder.Release()
	assert.Zero(t, all.Used())
	assert.Zero(t, share.Used())
}

func TestBudgetHoldsUnderConcurrency(t *testing.T) {
	const limit = 1000
	b := NewBudget(limit)
	share := b.Share(500)
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for range 500 {
				h := b.Hold(limit)
				if i%2 == 0 {
					h = share.Hold(200)
				}
				_, err := io.ReadAll(h.Count(body(150)))
				if err == nil {
					h.Promote()
				} else {
					assert.ErrorIs(t, err, ErrFull)
				}
				h.Release()
			}
		})
	}
	wg.Wait()
	assert.Zero(t, b.Used())
	assert.Zero(t, share.Used())
}

func TestSizes(t *testing.T) {
	for text, want := range map[any]Size{64: 64, "65536": 65536, "64KiB": 64 << 10, "64 MiB": 64 << 20, "1GB": 1_000_000_000} {
		var cfg struct {
			Size Size `mapstructure:"size"`
		}
		require.NoError(t, confmap.NewFromStringMap(map[string]any{"size": text}).Unmarshal(&cfg))
		assert.Equal(t, want, cfg.Size, text)
	}
	for _, text := range []string{"", "many", "64 apples", "-1MiB", "99999999999999999999"} {
		var size Size
		assert.ErrorContains(t, size.UnmarshalText([]byte(text)), "is not a size; write a number of bytes, or a size with a unit, such as 64MiB", text)
	}
}
