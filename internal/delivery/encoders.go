// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"sync"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
)

// workspace is what encoding needs: a writer, and an encoder of the exporter's signal.
type workspace struct {
	writer *Writer
	logs   Encoder
	traces TracesEncoder
}

// encoders are the workspaces of an exporter, of which each serves one goroutine at a time.
type encoders struct {
	new    func(*Writer) *workspace
	idle   sync.Pool // *workspace
	memory batch.Pool
}

func (s *encoders) get() *workspace {
	if ws, ok := s.idle.Get().(*workspace); ok {
		return ws
	}
	return s.new(batch.NewWriter(&s.memory))
}

func (s *encoders) put(ws *workspace) {
	if ws.logs != nil {
		ws.logs.Reset()
	}
	if ws.traces != nil {
		ws.traces.Reset()
	}
	ws.writer.Reset()
	s.idle.Put(ws)
}
