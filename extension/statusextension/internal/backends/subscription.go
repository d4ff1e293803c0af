// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package backends

// Subscription reads the changes of events. It serves one goroutine.
type Subscription struct{}

// Read returns the events that changed since the last Read, oldest change first, in their present
// state. An event that changed several times is there once. lost is the number of further events that changed
// but are not among them.
func (*Subscription) Read() (events []Event, lost int) { return nil, 0 }
