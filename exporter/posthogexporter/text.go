// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import "go.opentelemetry.io/collector/pdata/pcommon"

// textOf returns a value as text. For an array, such as a header, it returns the first item; for a
// map, an empty string.
func textOf(v pcommon.Value) string {
	if v.Type() == pcommon.ValueTypeSlice && v.Slice().Len() > 0 {
		v = v.Slice().At(0)
	}
	if v.Type() == pcommon.ValueTypeMap || v.Type() == pcommon.ValueTypeSlice {
		return ""
	}
	return v.AsString()
}

// textAt returns an attribute as text. It is empty if there is none.
func textAt(attributes pcommon.Map, name string) string {
	v, ok := attributes.Get(name)
	if !ok {
		return ""
	}
	return textOf(v)
}
