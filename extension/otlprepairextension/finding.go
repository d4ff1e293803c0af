// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package otlprepairextension

import (
	"cmp"
)

// fault says why a value is bad; it is an attribute of the metric.
type fault string

const (
	// faultNull is null, undefined or an empty string for a number, a bool or an ID.
	faultNull fault = "null"
	// faultNotFinite is NaN or Infinity without quotes.
	faultNotFinite fault = "not_finite"
	// faultType is a value of another type.
	faultType fault = "type"
	// faultRange is a number that is too large, negative or fractional.
	faultRange fault = "range"
	// faultSyntax is text that is not JSON.
	faultSyntax fault = "syntax"
)

// finding is a fault and the path of member names that leads to it. Paths hold names of OTLP only.
type finding struct {
	fault fault
	path  string
}

// maxFindings limits the different findings that are kept. Others are counted without a path.
const maxFindings = 20

// keep adds n findings to a set.
func (f finding) keep(set map[finding]int, n int) {
	if _, known := set[f]; !known && len(set) >= maxFindings {
		f.path = "other places"
	}
	set[f] += n
}

func (f finding) compare(other finding) int {
	return cmp.Or(cmp.Compare(f.path, other.path), cmp.Compare(f.fault, other.fault))
}
