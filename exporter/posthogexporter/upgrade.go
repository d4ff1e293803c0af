// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"encoding/json"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// completeMeta finds in the payload what begin puts into VendorID and Key. It is called for dead
// letters, which do not store them, and for queues on disk of versions that did not have them. A
// payload that is not a PostHog event leaves the event as it is.
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
