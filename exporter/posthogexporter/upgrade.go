// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"encoding/json"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// completeMeta sets VendorID and Key from the payload, to the values that begin sets. Dead letters
// lack them, and so do events that earlier versions left in queues on disk. An event whose payload
// is not a PostHog event stays unchanged.
func completeMeta(e *delivery.Event) {
	var payload struct {
		UUID  string `json:"uuid"`
		Event string `json:"event"`
	}
	if json.Unmarshal(e.Payload, &payload) != nil {
		return
	}
	id, ok := parseUUID(payload.UUID)
	if !ok {
		return
	}
	e.VendorID, e.Key = "", resourceOf(payload.Event)
	if string(id[:]) != e.ID {
		e.VendorID = string(id[:])
	}
}
