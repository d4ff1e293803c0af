// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package jsonappend

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNameTextIsUnescaped(t *testing.T) {
	for name, want := range map[string]string{"": "", "a\"b": "a\"b", "имя": "имя", "a\xff": "a\uFFFD", "a\xff\xffb": "a\uFFFDb"} {
		precomputed := NewName(name)
		assert.Equal(t, want, precomputed.Text())
	}
}

func TestWritingNamesDoesNotAllocate(t *testing.T) {
	w, dst := &Writer{}, make([]byte, 0, 1024)
	precomputed := NewName("ready")
	assert.Zero(t, testing.AllocsPerRun(10, func() {
		members := w.Members()
		dst, _ = members.Name(dst[:0], "plain")
		dst, _ = members.Name(dst, "имя \"x\"")
		dst, _ = members.PrecomputedName(dst, &precomputed)
		members.End()
	}))
}

// FuzzPrecomputedName checks that precomputed names are written and deduplicated like any other.
func FuzzPrecomputedName(f *testing.F) {
	f.Add("a,b,a,,имя,a\xff,a\xfe,\"q\",\"q\",abcdefgh,a\\b")
	f.Add(strings.Repeat("x1,x2,x3,", 80))
	f.Fuzz(func(t *testing.T, all string) {
		byName, byPrecomputed, mixed := (&Writer{}).Members(), (&Writer{}).Members(), (&Writer{}).Members()
		var want, got, both []byte
		for i, name := range strings.Split(all, ",") {
			precomputed := NewName(name)
			var wanted, ok bool
			want, wanted = byName.Name(want, name)
			got, ok = byPrecomputed.PrecomputedName(got, &precomputed)
			require.Equal(t, wanted, ok, name)
			if i%2 == 0 {
				both, ok = mixed.PrecomputedName(both, &precomputed)
			} else {
				both, ok = mixed.Name(both, name)
			}
			require.Equal(t, wanted, ok, name)
		}
		require.Equal(t, string(want), string(got))
		require.Equal(t, string(want), string(both))
	})
}
