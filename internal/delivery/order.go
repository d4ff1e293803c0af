// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import "sync"

// order keeps the batches of an ordered backend in their order. exporterhelper's batcher hands on a
// batch when it is large enough, and another goroutine when its time is over: the later of the two
// may be the faster. So no batch is begun to be made while the one before it is on its way to be
// sent.
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

// begin notes that the batch is being sent: with one consumer, no other is before it is done.
func (o *order) begin() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.made = false
	o.changed.Signal()
}
