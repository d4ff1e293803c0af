// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// eventGroup is an event about a group (https://posthog.com/docs/api/capture).
const eventGroup = "$groupidentify"

// group is a group of persons, such as a company.
type group struct{ kind, key string }

// newGroup reports false for a group that has no type or no key.
func newGroup(kind string, v pcommon.Value) (group, bool) {
	key := groupKey(v)
	return group{kind: appevent.ValidText(kind), key: key}, kind != "" && key != ""
}

func (g *group) isSet() bool { return g.key != "" }

// identifyGroup completes the identity of an event about one of several groups. The distinct ID is
// the group's, as in PostHog's SDKs.
func (ev *event) identifyGroup(groups int) {
	ev.aboutPerson, ev.dropped = true, withoutProfile
	ev.who = identity{id: "$" + ev.about.kind + "_" + ev.about.key}
	if groups > 1 { // of which the event's own uuid can only be one's
		ev.uuid = derive("group\x00"+ev.about.kind, ev.id)
	}
}

// append appends what the group is.
func (g *group) append(dst []byte, props *properties, traits pcommon.Map) []byte {
	dst = props.text(dst, "$group_type", g.kind)
	dst = props.text(dst, "$group_key", g.key)
	dst, _ = props.Name(dst, "$group_set")
	return props.values.Map(dst, traits)
}

// appendGroups appends the groups that the event is of.
func appendGroups(dst []byte, props *properties, groups pcommon.Map) []byte {
	if groups.Len() == 0 {
		return dst
	}
	start := len(dst)
	dst, ok := props.Name(dst, "$groups")
	if !ok {
		return dst[:start]
	}
	dst = append(dst, '{')
	members := props.values.Members()
	defer members.End()
	for kind, v := range groups.All() {
		key := groupKey(v)
		if kind == "" || key == "" {
			continue
		}
		if dst, ok = members.Name(dst, kind); ok {
			dst = jsonappend.String(dst, key)
		}
	}
	return append(dst, '}')
}

// groupKey is the key of a group, which is a string, or with some producers a number; empty where
// it is neither.
func groupKey(v pcommon.Value) string {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return appevent.ValidText(v.Str())
	case pcommon.ValueTypeInt:
		return strconv.FormatInt(v.Int(), 10)
	default:
		return ""
	}
}
