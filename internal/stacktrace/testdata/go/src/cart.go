// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package cart is the folder shop/cart when the cases are made.
package cart

import "fmt"

// Cart is generic, so that its methods have [...] in their names.
type Cart[T any] struct{ n int }

// New returns an empty cart.
func New[T any]() *Cart[T] { return &Cart[T]{} }

// Add panics for negative numbers.
//
//go:noinline
func (c *Cart[T]) Add(n int) int {
	if n < 0 {
		panic(fmt.Sprintf("quantity must be positive: %d", n))
	}
	c.n += n
	return c.n
}

// Map calls f for each.
func Map[A, B any](as []A, f func(A) B) []B {
	bs := make([]B, 0, len(as))
	for _, a := range as {
		bs = append(bs, f(a))
	}
	return bs
}
