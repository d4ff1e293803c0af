// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageexporter

import (
	"bytes"
	"strconv"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// completeMeta sets a missing Meta.Key: in dead letters, which may have been edited, and in events
// that an earlier version left in a queue on disk. Nothing else searches a payload.
func completeMeta(e *delivery.Event) {
	if kindOf(e) != kindEvent {
		return
	}
	// The first actionsOpen ends the head, because quotes within strings are escaped.
	at := bytes.Index(e.Payload, []byte(actionsOpen))
	if at < 0 || !bytes.HasSuffix(e.Payload, []byte(actionsClose)) {
		return
	}
	e.Key = strconv.Itoa(at + len(actionsOpen))
}
