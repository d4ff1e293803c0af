// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"

	"github.com/otelcol-fanout/otelcol-fanout/examples/internal/inbox"
)

// summarize prints what was sent and what arrived. It returns an error if an inbox lacks an event,
// or if the two inboxes differ.
func (d *demo) summarize(sent total, audit, analytics *inbox.Inbox) error {
	d.printf("\n%-9s  %6s  %12s  %8s\n", "", "events", "distinct ids", "requests")
	d.printf("%-9s  %6d  %12s  %8d\n", "sent", sent.events, "", sent.requests)
	for _, box := range []*inbox.Inbox{audit, analytics} {
		c := box.Counts()
		d.printf("%-9s  %6d  %12d  %8d\n", box.Name(), c.Events, c.IDs, c.Requests)
		if c.IDs != sent.events {
			return fmt.Errorf("%s has %d different events, but %d were sent", box.Name(), c.IDs, sent.events)
		}
	}
	if !slices.Equal(audit.IDs(), analytics.IDs()) {
		return fmt.Errorf("%s and %s have events with different ids", audit.Name(), analytics.Name())
	}
	d.printf("\nAll %d events arrived at both webhooks, with the same ids.\n", sent.events)
	return nil
}
