// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageexporter

import (
	"maps"
	"strings"
	"sync"
	"sync/atomic"
)

// nameSet is the names that were sent so far, of which there may be so many. Its methods are safe for concurrent use.
type nameSet struct {
	most int

	mu    sync.Mutex
	names atomic.Pointer[map[string]struct{}] // which is replaced, and not changed
}

// admits reports whether the name is one of the set, of which it becomes one where there is room.
func (s *nameSet) admits(name string) bool {
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
	if len(names) >= s.most {
		return false
	}
	more := make(map[string]struct{}, len(names)+1)
	maps.Copy(more, names)
	more[strings.Clone(name)] = struct{}{}
	s.names.Store(&more)
	return true
}

func (s *nameSet) has(name string) bool {
	names := s.names.Load()
	if names == nil {
		return false
	}
	_, ok := (*names)[name]
	return ok
}
