// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package fanoutconnector

import "math/bits"

// owner says who may change or recycle a part that several pipelines get.
type owner[T batch[T]] struct {
	create func() T
	mark   func(T) bool
	unref  func(T)
	mutate set // the pipelines that change what they get
}

// hold keeps parts from being changed where they are shared, and from being recycled until release
// is called.
func (o *owner[T]) hold(parts []part[T]) (release func()) {
	var held []T
	for i := range parts {
		p := &parts[i]
		if p.to == 0 {
			continue
		}
		if o.mark(p.data) {
			held = append(held, p.data)
		}
		if bits.OnesCount64(uint64(p.to)) > 1 && p.to&^o.mutate != 0 {
			p.data.MarkReadOnly()
		}
	}
	return func() {
		for _, data := range held {
			o.unref(data)
		}
	}
}

// share returns what the pipeline gets of the part: the part itself, or a copy if it changes what
// others have. Of pipelines that all change it, the last gets the part. It has to be called in the
// order of the pipelines.
func (o *owner[T]) share(p *part[T], to int) T {
	mutates := o.mutate.has(to)
	last := p.to>>(to+1) == 0
	if !mutates || last && p.to&^o.mutate == 0 {
		return p.data
	}
	return o.clone(p.data)
}

func (o *owner[T]) clone(data T) T {
	clone := o.create()
	data.CopyTo(clone)
	return clone
}
