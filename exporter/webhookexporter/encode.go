// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package webhookexporter

import (
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/eventjson"
)

// encoder turns records into the bodies of requests, one after the other in buf.
type encoder struct {
	events   eventjson.Encoder
	buf      []byte
	requests []request
}

// request is one body in the encoder's buf.
type request struct{ start, end, events int }

// keptBuffer is the size up to which an encoder's memory is kept for the next batch.
const keptBuffer = 1 << 20

func (enc *encoder) encode(ld plog.Logs, batching Batching) {
	for e := range appevent.Logs(ld) {
		start := len(enc.buf)
		if batching == BatchingArray && start == 0 {
			enc.buf = append(enc.buf, '[')
		} else if batching == BatchingArray {
			enc.buf[start-1] = ',' // what was the end of the array
		}
		enc.buf = enc.events.Append(enc.buf, e)
		if batching == BatchingSingle {
			enc.requests = append(enc.requests, request{start: start, end: len(enc.buf), events: 1})
			continue
		}
		enc.buf = append(enc.buf, ']')
		enc.growArray()
	}
}

// growArray makes the one request of an array hold all that was written, and one event more.
func (enc *encoder) growArray() {
	if len(enc.requests) == 0 {
		enc.requests = append(enc.requests, request{})
	}
	enc.requests[0].end = len(enc.buf)
	enc.requests[0].events++
}

// reset makes the encoder ready for the next batch.
func (enc *encoder) reset() {
	enc.events.Reset()
	enc.requests = enc.requests[:0]
	enc.buf = enc.buf[:0]
	if cap(enc.buf) > keptBuffer {
		enc.buf = nil
	}
}
