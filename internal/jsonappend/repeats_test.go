// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package jsonappend

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// Objects with few names use a linear search, those with many a set.
func TestFirstOfRepeatedNamesWinsAtAnySize(t *testing.T) {
	w := &Writer{}
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		count, different := 1+r.IntN(300), 1+r.IntN(200)
		want := map[string]int64{}
		members := w.Members()
		dst := []byte{'{'}
		for i := range count {
			name := fmt.Sprint("a\"name"[r.IntN(2):6], r.IntN(different))
			if _, ok := want[name]; !ok {
				want[name] = int64(i)
			}
			dst = members.Append(dst, name, pcommon.NewValueInt(int64(i)))
		}
		members.End()
		dst = append(dst, '}')
		require.True(t, jsontext.Value(dst).IsValid(), "seed %d: a name is repeated", seed) // jsontext refuses repeats
		got := map[string]int64{}
		require.NoError(t, json.Unmarshal(dst, &got))
		require.Equal(t, want, got, "seed %d", seed)
	}
}
