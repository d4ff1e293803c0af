// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// TestObjectsDoNotDependOnEarlierOnes compares objects from one name cache with those from new ones.
// The names come in any order, some twice.
func TestObjectsDoNotDependOnEarlierOnes(t *testing.T) {
	names := []string{"", "a", "b", "order_id", "order.id", "user.email", "password", "url.full", "\"quoted\"", "\xff", "items"}
	p := newPrivacy(createDefaultConfig().(*Config))
	one := newNameCache(p)
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		values := pcommon.NewSlice()
		var of []string
		for range r.IntN(8) {
			of = append(of, names[r.IntN(len(names))])
			anyValue(values.AppendEmpty(), r)
		}
		write := func(a *nameCache) string {
			dst := []byte{'{'}
			var o typedObject
			o.begin(valueWriter{nameCache: a})
			for i, name := range of {
				dst = o.append(dst, name, values.At(i))
			}
			return string(append(dst, '}'))
		}
		want := write(newNameCache(p))
		require.Equal(t, want, write(one), "names %q", of)
		if r.IntN(100) == 0 {
			one.forget()
		}
	}
}

func anyValue(v pcommon.Value, r *rand.Rand) {
	switch r.IntN(5) {
	case 0:
		v.SetInt(r.Int64())
	case 1:
		v.SetStr("https://shop.example.com/?token=7&page=2")
	case 2:
		v.SetBool(true)
	case 3:
		v.SetEmptyMap().PutStr("id", "7")
		v.Map().PutEmptyMap("inner").PutDouble("total", 12.5)
	case 4:
		v.SetEmptySlice().AppendEmpty().SetEmptyMap().PutStr("password", "hunter2")
	}
}

func TestMapsNestedMoreThanEightDeepAreJSON(t *testing.T) {
	v := pcommon.NewValueMap()
	inner := v.Map()
	for range 9 {
		inner = inner.PutEmptyMap("m")
	}
	inner.PutInt("n", 7)
	a := newNameCache(privacy{})
	for range 2 {
		var o typedObject
		o.begin(valueWriter{nameCache: a})
		assert.Equal(t, `"v.m.m.m.m.m.m.m.m":{"value":"{\"m\":{\"n\":7}}","type":"string"}`, string(o.append(nil, "v", v)))
	}
}

func TestNameCacheIsBounded(t *testing.T) {
	enc := newBackend(createDefaultConfig().(*Config), "1.2.3").NewEncoder().(*encoder)
	write := func(name string) string {
		var o typedObject
		o.begin(valueWriter{nameCache: enc.names})
		return string(o.append(nil, name, pcommon.NewValueInt(7)))
	}
	for i := range 3 * maxNames {
		name := fmt.Sprint("name-", i)
		assert.Equal(t, `"`+name+`":{"value":7,"type":"integer"}`, write(name))
		if i%100 == 0 {
			enc.Reset()
		}
		assert.Less(t, len(enc.names.known), maxNames+200)
	}
}

func TestUUIDDigitsBecomeTraceID(t *testing.T) {
	const id = "0198c0de-a0af-7000-8000-0123456789ab"
	digits, ok := appendUUIDDigits([]byte{'['}, id)
	assert.True(t, ok)
	assert.Equal(t, "[0198c0dea0af700080000123456789ab", string(digits))
	for place := range id {
		for c := range 256 {
			text := id[:place] + string([]byte{byte(c)}) + id[place+1:]
			isDigit := c >= '0' && c <= '9' || c >= 'a' && c <= 'f'
			isDash := c == '-'
			digits, ok := appendUUIDDigits([]byte{'['}, text)
			require.Equal(t, id[place] == '-' && isDash || id[place] != '-' && isDigit, ok, "%q", text)
			if !ok {
				require.Equal(t, "[", string(digits), "%q", text)
			}
		}
	}
	for _, text := range []string{"", id[1:], id + "0", "00000000-0000-0000-0000-000000000000"} {
		digits, ok := appendUUIDDigits(nil, text)
		assert.False(t, ok, "%q", text)
		assert.Empty(t, digits)
	}
}
