// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import "sync"

// Shared are the backends of the exporters that exist, by their configuration: the logs and the traces of one exporter have the same
// configuration, and with it the same backend. The zero value is ready for use.
type Shared[C comparable, B any] struct {
	mu       sync.Mutex
	byConfig map[C]*sharedBackend[B]
}

type sharedBackend[B any] struct {
	backend B
	users   int
}

// Acquire is the backend of the configuration, made by newBackend for the first of its users. Each of them calls Release once, be it
// by way of [Closer].
func (s *Shared[C, B]) Acquire(cfg C, newBackend func() (B, error)) (B, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	used, ok := s.byConfig[cfg]
	if !ok {
		b, err := newBackend()
		if err != nil {
			return b, err
		}
		if s.byConfig == nil {
			s.byConfig = map[C]*sharedBackend[B]{}
		}
		used = &sharedBackend[B]{backend: b}
		s.byConfig[cfg] = used
	}
	used.users++
	return used.backend, nil
}

// Release forgets the backend when the last of its users does not need it anymore.
func (s *Shared[C, B]) Release(cfg C) {
	s.mu.Lock()
	defer s.mu.Unlock()
	used := s.byConfig[cfg]
	if used.users--; used.users == 0 {
		delete(s.byConfig, cfg)
	}
}

// Len is how many backends there are.
func (s *Shared[C, B]) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.byConfig)
}
