// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package appevent

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
)

func TestFanoutAttributesOfTheWrongTypeAreMalformed(t *testing.T) {
	for _, tt := range []struct {
		name       string
		attributes map[string]any
		want       map[string]string
	}{
		{"a map that a processor turned into text", map[string]any{AttrTraits: `{"plan":"pro"}`}, map[string]string{AttrTraits: "a map"}},
		{"masked text", map[string]any{AttrTraits: "****", AttrTraitsOnce: "****"}, map[string]string{AttrTraits: "a map", AttrTraitsOnce: "a map"}},
		{"empty text", map[string]any{AttrTraits: ""}, map[string]string{AttrTraits: "a map"}},
		{"a list of maps", map[string]any{AttrGroups: []any{map[string]any{"company": "acme"}}}, map[string]string{AttrGroups: "a map"}},
		{"a number", map[string]any{AttrDestinations: 1}, map[string]string{AttrDestinations: "a map"}},
		{"bytes", map[string]any{AttrTraits: []byte("{}")}, map[string]string{AttrTraits: "a map"}},
		{
			"all others", map[string]any{AttrKind: 1, AttrSubject: map[string]any{}, AttrPreviousID: []any{}, AttrFingerprint: 1.5, AttrHandled: "true"},
			map[string]string{
				AttrKind: "text", AttrSubject: "text", AttrPreviousID: "text", AttrFingerprint: "a list of texts, or a text", AttrHandled: "true or false",
			},
		},
		{"no value", map[string]any{AttrTraits: nil, AttrKind: nil, AttrHandled: nil}, map[string]string{}},
		{
			"the right types", map[string]any{
				AttrKind: "identify", AttrSubject: 7, AttrPreviousID: "old", AttrGroups: map[string]any{}, AttrTraits: map[string]any{"plan": "pro"},
				AttrTraitsOnce: map[string]any{}, AttrDestinations: map[string]any{"sentry": false}, AttrFingerprint: "checkout", AttrHandled: false,
			},
			map[string]string{},
		},
		{"an unknown kind, and an unknown attribute", map[string]any{AttrKind: "purchase", "fanout.tarits": "x"}, map[string]string{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ld := plog.NewLogs()
			records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
			require.NoError(t, records.AppendEmpty().Attributes().FromRaw(tt.attributes))
			records.AppendEmpty().Attributes().PutEmptyMap(AttrTraits)
			var found []map[string]string
			for e := range Logs(ld) {
				found = append(found, maps.Collect(e.Malformed.All()))
			}
			assert.Equal(t, []map[string]string{tt.want, {}}, found)
		})
	}
}
