// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventjson

import (
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
)

// find returns the value that a JSON pointer (RFC 6901) into the event leads to.
func (e *pending) find(pointer string) (pcommon.Value, bool) {
	steps := strings.Split(pointer, "/")
	if len(steps) < 2 || steps[0] != "" {
		return pcommon.Value{}, false
	}
	for i, step := range steps {
		steps[i] = pointerUnescaper.Replace(step)
	}
	return e.findStep(steps[1], steps[2:])
}

var pointerUnescaper = strings.NewReplacer("~1", "/", "~0", "~")

func (e *pending) findStep(field string, rest []string) (pcommon.Value, bool) {
	attributes := e.record.Attributes()
	switch field {
	case fieldBody:
		return findIn(e.record.Body(), rest)
	case fieldProperties, fieldContext:
		return findInMap(attributes, rest)
	case fieldResource:
		return findInMap(e.resource.Attributes(), rest)
	case fieldTraits:
		return findInAttribute(attributes, appevent.AttrTraits, rest)
	case fieldTraitsOnce:
		return findInAttribute(attributes, appevent.AttrTraitsOnce, rest)
	case fieldGroups:
		return findInAttribute(attributes, appevent.AttrGroups, rest)
	case fieldDestinations:
		return findInAttribute(attributes, appevent.AttrDestinations, rest)
	case fieldScope:
		if len(rest) > 0 && rest[0] == "attributes" {
			return findInMap(e.scope.Attributes(), rest[1:])
		}
	case fieldUser:
		if len(rest) > 0 && rest[0] == "roles" {
			return findInAttribute(attributes, appevent.AttrUserRoles, rest[1:])
		}
	}
	return pcommon.Value{}, false
}

func findInAttribute(attributes pcommon.Map, name string, rest []string) (pcommon.Value, bool) {
	v, ok := attributes.Get(name)
	if !ok {
		return v, false
	}
	return findIn(v, rest)
}

func findInMap(m pcommon.Map, steps []string) (pcommon.Value, bool) {
	if len(steps) == 0 {
		return pcommon.Value{}, false
	}
	return findInAttribute(m, steps[0], steps[1:])
}

func findIn(v pcommon.Value, steps []string) (pcommon.Value, bool) {
	if len(steps) == 0 {
		return v, true
	}
	switch v.Type() {
	case pcommon.ValueTypeMap:
		return findInMap(v.Map(), steps)
	case pcommon.ValueTypeSlice:
		i, err := strconv.Atoi(steps[0])
		if err != nil || i < 0 || i >= v.Slice().Len() {
			return pcommon.Value{}, false
		}
		return findIn(v.Slice().At(i), steps[1:])
	default:
		return pcommon.Value{}, false
	}
}
