// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package fanoutconnector

import (
	"reflect"
	"unsafe"
)

// pdata can move all elements of a slice to another, which moves pointers, or a single one, which allocates a new element for it.
// To deal the elements of a slice out to several others without an allocation each, their pointers are moved here.

// hasPointers reports whether S, a slice of pdata, is what pointers takes it for. Where a version of pdata has changed that, records
// are moved one by one.
func hasPointers[S any]() bool {
	t := reflect.TypeFor[S]()
	if t.Kind() != reflect.Struct || t.NumField() == 0 || t.Field(0).Name != "orig" {
		return false
	}
	orig := t.Field(0).Type
	return orig.Kind() == reflect.Pointer && orig.Elem().Kind() == reflect.Slice && orig.Elem().Elem().Kind() == reflect.Pointer
}

// pointers are the elements of the slice.
func pointers[S any](slice S) *[]unsafe.Pointer {
	return *(**[]unsafe.Pointer)(unsafe.Pointer(&slice)) //nolint:gosec // hasPointers has looked
}

// deal moves what does not stay of the elements to the slices of their parts, and returns how many elements there were. The next
// record of the plan is the first of them. Those that go nowhere are left to the garbage collector.
func (p *plan) deal(elements *[]unsafe.Pointer, next int, home int32, slice func(part int32) *[]unsafe.Pointer) int {
	stay := (*elements)[:0]
	for i, element := range *elements {
		part := p.partOf[next+i]
		switch {
		case part == home:
			stay = append(stay, element)
		case p.parts[part].to != 0:
			to := slice(part)
			*to = append(*to, element)
		}
	}
	n := len(*elements)
	clear((*elements)[len(stay):])
	*elements = stay
	return n
}
