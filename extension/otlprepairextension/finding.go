// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package otlprepairextension

import (
	"cmp"
)

// fault is the reason why a value is bad, and an attribute of the metric.
type fault string

const (
	// faultNull is null or a similar word for a value other than a string, or an empty string for a
	// number, a bool or an enum.
	faultNull fault = "null"
	// faultNotFinite is NaN or Infinity without quotes.
	faultNotFinite fault = "not_finite"
	// faultType is a value of another type.
	faultType fault = "type"
	// faultRange is a number that is too large, negative or fractional, or an integer in another form.
	faultRange fault = "range"
	// faultSyntax is text that JSON does not allow, such as an additional comma, or .5 for a double.
	faultSyntax fault = "syntax"
)

// finding is a fault and the path to it. A path consists of OTLP's member names, so it contains no data.
type finding struct {
	fault fault
	path  string
}

// maxFindings limits the distinct findings that are kept. Others are counted without their paths.
const maxFindings = 20

// addTo adds n findings to a set.
func (f finding) addTo(set map[finding]int, n int) {
	if _, known := set[f]; !known && len(set) >= maxFindings {
		f.path = "other places"
	}
	set[f] += n
}

func (f finding) compare(other finding) int {
	return cmp.Or(cmp.Compare(f.path, other.path), cmp.Compare(f.fault, other.fault))
}
