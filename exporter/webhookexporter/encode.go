// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package webhookexporter

import (
	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/eventjson"
)

// encoder writes events as event JSON.
type encoder struct{ events eventjson.Encoder }

// Encode implements delivery.Encoder. Every record is an event to a webhook, plain logs too.
func (enc *encoder) Encode(w *delivery.Writer, e *appevent.Event) error {
	w.End(enc.events.Append(w.Begin(delivery.Meta{ID: e.ID(), Name: e.Name, Time: e.Time}), e))
	return nil
}

// Reset implements delivery.Encoder.
func (enc *encoder) Reset() { enc.events.Reset() }
