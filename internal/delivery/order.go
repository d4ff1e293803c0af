// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import "sync"

// order keeps the batches of an ordered backend in their order. exporterhelper's batcher flushes
// from two goroutines, when a batch is large enough and when its time is over, so that a later
// batch could be sent first. wait blocks the next batch until the one before it is being sent.
type order struct {
	mu      sync.Mutex
	changed *sync.Cond
	made    bool // a batch is, or is on its way
}

func newOrder() *order {
	o := &order{}
	o.changed = sync.NewCond(&o.mu)
	return o
}

// wait waits until a batch may be made.
func (o *order) wait() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.made {
		o.changed.Wait()
	}
	o.made = true
}

// begin notes that the batch is being sent. With one consumer, no other batch is sent until it is
// done.
func (o *order) begin() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.made = false
	o.changed.Signal()
}
