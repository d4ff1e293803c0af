// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package callresult

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRefusedEventsAreKeptOnlyBesideDeliveredOnes(t *testing.T) {
	for name, tt := range map[string]struct {
		delivered, retryable, keep bool
	}{
		"all refused":                    {},
		"others delivered":               {delivered: true, keep: true},
		"others retryable":               {retryable: true},
		"others delivered and retryable": {delivered: true, retryable: true},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, outer, end := Open(t.Context())
			_, inner, endInner := Open(ctx)
			assert.Same(t, outer, inner)
			var settled []bool
			inner.Refused(func(keep bool) { settled = append(settled, keep) })
			if tt.delivered {
				inner.Delivered()
			}
			if tt.retryable {
				outer.Retryable()
			}
			endInner()
			assert.Empty(t, settled, "the call has not ended")
			end()
			end()
			assert.Equal(t, []bool{tt.keep}, settled)
			assert.Equal(t, !tt.delivered, outer.IsRepeatable())
		})
	}
}

func TestContextWithoutCall(t *testing.T) {
	assert.Equal(t, t.Context(), Without(t.Context()))
	ctx, outer, end := Open(context.Background())
	defer end()
	_, inner, endInner := Open(Without(ctx))
	defer endInner()
	assert.NotSame(t, outer, inner)
}
