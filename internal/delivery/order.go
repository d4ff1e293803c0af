// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import "sync"

// order keeps the batches of an ordered backend in order. exporterhelper's batcher flushes from two
// goroutines, when a batch is large enough and when flush_timeout has passed, so a later batch could
// be sent first. wait blocks the next batch until the one before it is being sent.
type order struct {
	mu      sync.Mutex
	changed *sync.Cond
	made    bool // a batch is made that is not being sent yet
}

func newOrder() *order {
	o := &order{}
	o.changed = sync.NewCond(&o.mu)
	return o
}

// wait waits until the next batch may be made.
func (o *order) wait() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.made {
		o.changed.Wait()
	}
	o.made = true
}

// begin notes that the batch is being sent. With one consumer, no other batch is sent before it is
// done.
func (o *order) begin() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.made = false
	o.changed.Signal()
}
