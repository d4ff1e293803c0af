// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
)

func TestMalformedFieldsAreCountedAndLogged(t *testing.T) {
	f := newFixture(t, options{})
	ld := records("a", "b", "c")
	all := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	all.At(0).Attributes().PutStr(appevent.AttrTraits, "planted-value")
	all.At(1).Attributes().PutStr(appevent.AttrTraits, "planted-value")
	all.At(1).Attributes().PutInt(appevent.AttrGroups, 1)
	all.At(2).Attributes().PutEmptyMap(appevent.AttrTraits).PutStr("plan", "pro")
	f.Send(ld)
	assert.Equal(t, map[string]int64{appevent.AttrTraits: 2, appevent.AttrGroups: 1}, f.Counts("otelcol_fanout_malformed_fields_total", "field"))
	f.Stop()
	assert.Equal(t, []string{"a", "b", "c"}, f.server.takenOnce(), "the rest of the events is delivered")

	events := map[any]int64{}
	logged := f.Logs.FilterMessage("A field of events cannot be read, because its attribute has the wrong type").All()
	for _, line := range logged {
		fields := line.ContextMap()
		events[fields["field"]] += fields["events"].(int64)
		assert.Contains(t, fields["what_to_do"], "send a map; ")
		assert.Contains(t, fields["what_to_do"], "use the privacy processor")
		assert.NotContains(t, fmt.Sprint(line), "planted-value")
	}
	require.Len(t, logged, 3, "the second event without traits is held back")
	assert.Equal(t, map[any]int64{appevent.AttrTraits: 2, appevent.AttrGroups: 1}, events)
}
