// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"fmt"
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// eventGroup is an event about a group (https://posthog.com/docs/api/capture).
const eventGroup = "$groupidentify"

// group is a group of persons, such as a company.
type group struct{ kind, key string }

// newGroup reports false for a group without a type or a key.
func newGroup(kind string, v pcommon.Value) (group, bool) {
	g := group{kind: appevent.ValidText(kind), key: groupKey(v)}
	return g, g.kind != "" && g.key != ""
}

// groupKey returns the key of a group, which is a string or an integer. It is empty for any other
// value.
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

func (g *group) isSet() bool { return g.key != "" }

// identifyGroup is the identity phase of an event about one of several groups. The distinct ID is
// the group's, as in PostHog's SDKs.
func (ev *event) identifyGroup(groups int) error {
	ev.needsProfile = true
	ev.who = identity{id: "$" + ev.about.kind + "_" + ev.about.key}
	if len(ev.who.id) > maxDistinctID {
		return fmt.Errorf("the distinct ID of the group, $<type>_<key>, has %d bytes, but PostHog accepts at most %d; shorten the type or the key in fanout.groups",
			len(ev.who.id), maxDistinctID)
	}
	if groups > 1 { // which cannot share the uuid of the record
		ev.uuid = derive("group\x00"+ev.about.kind, ev.id)
	}
	return nil
}

// append appends the properties of the group.
func (g *group) append(dst []byte, props *properties, traits pcommon.Map) []byte {
	dst = props.text(dst, "$group_type", g.kind)
	dst = props.text(dst, "$group_key", g.key)
	dst, _ = props.Name(dst, "$group_set")
	return props.values.Map(dst, traits)
}

// appendGroups appends the groups that the event belongs to.
func appendGroups(dst []byte, props *properties, groups pcommon.Map) []byte {
	if groups.Len() == 0 {
		return dst
	}
	dst, ok := props.Name(dst, "$groups")
	if !ok {
		return dst
	}
	dst = append(dst, '{')
	members := props.values.Members()
	defer members.End()
	for kind, v := range groups.All() {
		g, ok := newGroup(kind, v)
		if !ok {
			continue
		}
		if dst, ok = members.Name(dst, g.kind); ok {
			dst = jsonappend.String(dst, g.key)
		}
	}
	return append(dst, '}')
}
