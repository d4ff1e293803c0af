// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package fanoutconnector

import "math/bits"

// owner decides which pipeline may change the batch of a group, and when the batch is recycled.
type owner[T batch[T]] struct {
	create func() T
	mark   func(T) bool
	unref  func(T)
	mutate set // the pipelines that change their batches
}

// hold keeps batches from being recycled until release is called. It makes a batch read-only if
// several pipelines get it, unless all of them change their batches: then each has its own.
func (o *owner[T]) hold(groups []group[T]) (release func()) {
	var held []T
	for i := range groups {
		g := &groups[i]
		if g.to == 0 {
			continue
		}
		if o.mark(g.data) {
			held = append(held, g.data)
		}
		if bits.OnesCount64(uint64(g.to)) > 1 && g.to&^o.mutate != 0 {
			g.data.MarkReadOnly()
		}
	}
	return func() {
		for _, data := range held {
			o.unref(data)
		}
	}
}

// share returns the batch for a pipeline: a copy if the pipeline changes it and others use it too,
// else the batch itself. If all pipelines change it, the last one gets the original. Call it in the
// order of the pipelines.
func (o *owner[T]) share(g *group[T], to int) T {
	mutates := o.mutate.has(to)
	last := g.to>>(to+1) == 0
	if !mutates || last && g.to&^o.mutate == 0 {
		return g.data
	}
	return o.clone(g.data)
}

func (o *owner[T]) clone(data T) T {
	clone := o.create()
	data.CopyTo(clone)
	return clone
}
