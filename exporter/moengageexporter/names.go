// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageexporter

import (
	"maps"
	"strings"
	"sync"
	"sync/atomic"
)

// limitedNames holds the names that were sent so far, up to a limit. Its methods are safe for
// concurrent use.
type limitedNames struct {
	max int

	mu    sync.Mutex
	names atomic.Pointer[map[string]struct{}] // replaced, never changed
}

// admit adds the name if there is room, and reports whether the set now contains it.
func (s *limitedNames) admit(name string) bool {
	if s.has(name) {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var names map[string]struct{}
	if known := s.names.Load(); known != nil {
		names = *known
	}
	if _, ok := names[name]; ok {
		return true
	}
	if len(names) >= s.max {
		return false
	}
	more := make(map[string]struct{}, len(names)+1)
	maps.Copy(more, names)
	more[strings.Clone(name)] = struct{}{}
	s.names.Store(&more)
	return true
}

func (s *limitedNames) has(name string) bool {
	names := s.names.Load()
	if names == nil {
		return false
	}
	_, ok := (*names)[name]
	return ok
}
