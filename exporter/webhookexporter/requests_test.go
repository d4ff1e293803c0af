// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package webhookexporter

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

func TestArraysAreFilledToTheByte(t *testing.T) {
	b := testBackend(t, map[string]any{"batching": "array"})
	half := maxBody/2 - len("[,")
	for name, tt := range map[string]struct{ first, second, requests int }{
		"just full":              {half, maxBody - half - len("[,]"), 1},
		"one byte more":          {half, maxBody - half - len("[,]") + 1, 2},
		"too large though alone": {maxBody + 1, 1, 2},
	} {
		t.Run(name, func(t *testing.T) {
			events := []delivery.Event{{Payload: make([]byte, tt.first)}, {Payload: make([]byte, tt.second)}}
			requests, refusals := b.BuildRequests(events)
			assert.Len(t, requests, tt.requests)
			assert.Empty(t, refusals)
			assert.Equal(t, tt.requests == 1, requests[0].Size() == maxBody && len(requests[0].Events) == 2)
		})
	}
}
