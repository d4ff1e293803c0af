// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package backends

import "errors"

// Errors of [Registry.SetPaused].
var (
	// ErrUnknown: no exporter with this id has started.
	ErrUnknown = errors.New("no exporter with this id has started")
	// ErrCannotPause: the exporter cannot be paused.
	ErrCannotPause = errors.New("the exporter cannot be paused")
	// ErrNotKept: the exporter is paused or resumed, but forgets it when the collector restarts.
	ErrNotKept = errors.New("done, but it will not survive a restart")
)
