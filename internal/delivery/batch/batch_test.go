// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"bytes"
	"context"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exporterhelper/xexporterhelper"
)

func pack(events ...Event) *batch {
	var w Writer
	for _, e := range events {
		w.End(append(w.Begin(e.Meta), e.Payload...))
	}
	return newBatch(w.take())
}

func TestWhatIsPackedIsUnpacked(t *testing.T) {
	events := []Event{
		{Meta: Meta{ID: "i", Name: "n", Time: 5, Category: "c", Destination: "d"}, Payload: []byte("payload")},
		{Meta: Meta{}, Payload: []byte{}},
		{Meta: Meta{ID: strings.Repeat("i", maxText), Category: strings.Repeat("c", maxCategory)}, Payload: make([]byte, 70_000)},
	}
	b := pack(events...)
	assert.Equal(t, events, b.events())
	assert.Equal(t, 3, b.ItemsCount())
	assert.Equal(t, len(b.parts[0].buf), b.BytesSize())

	long := pack(Event{Meta: Meta{ID: strings.Repeat("i", maxText+1), Category: strings.Repeat("c", maxCategory+1)}})
	assert.Len(t, long.events()[0].ID, maxText)
	assert.Len(t, long.events()[0].Category, maxCategory)
}

// randomBatch has up to n events of up to size bytes, each with a name of its own.
func randomBatch(r *rand.Rand, next *int, n, size int) *batch {
	var events []Event
	for range 1 + r.IntN(n) {
		*next++
		events = append(events, Event{Meta: Meta{ID: string(rune(*next))}, Payload: bytes.Repeat([]byte{'x'}, 1+r.IntN(size))})
	}
	return pack(events...)
}

func idsOf(requests []xexporterhelper.Request) string {
	var ids strings.Builder
	for _, req := range requests {
		for _, e := range req.(*batch).events() {
			ids.WriteString(e.ID)
		}
	}
	return ids.String()
}

func TestMergingAndSplittingKeepsEveryEventInItsOrderAndTheLimits(t *testing.T) {
	for seed := range uint64(2000) {
		r, next := rand.New(rand.NewPCG(seed, 7)), 0
		a := randomBatch(r, &next, 10, 50)
		var b xexporterhelper.Request
		want := idsOf([]xexporterhelper.Request{a})
		if r.IntN(3) > 0 {
			other := randomBatch(r, &next, 10, 50)
			want += idsOf([]xexporterhelper.Request{other})
			b = other
		}
		limit := r.IntN(12)
		sizer, sizeOf := exporterhelper.RequestSizerTypeItems, func(q xexporterhelper.Request) int { return q.ItemsCount() }
		if r.IntN(2) == 0 {
			limit *= 40
			sizer, sizeOf = exporterhelper.RequestSizerTypeBytes, func(q xexporterhelper.Request) int { return q.BytesSize() }
		}
		// twice, since what was split is merged and split again
		got, err := a.MergeSplit(context.Background(), limit, sizer, b)
		require.NoError(t, err)
		last := got[len(got)-1]
		again, err := last.MergeSplit(context.Background(), limit, sizer, nil)
		require.NoError(t, err)
		got = append(got[:len(got)-1], again...)

		require.Equal(t, want, idsOf(got), "seed %d", seed)
		for _, q := range got {
			require.Positive(t, q.ItemsCount(), "seed %d", seed)
			if limit == 0 {
				require.Len(t, got, 1, "seed %d", seed)
			} else if q.ItemsCount() > 1 {
				require.LessOrEqual(t, sizeOf(q), limit, "seed %d", seed)
			}
		}
	}
}

func TestABatchGoesToDiskAndBack(t *testing.T) {
	torn := 0
	e := encoding{torn: func(error) { torn++ }}
	r, next := rand.New(rand.NewPCG(1, 2)), 0
	b := randomBatch(r, &next, 10, 50)
	merged, err := b.MergeSplit(context.Background(), 0, exporterhelper.RequestSizerTypeItems, randomBatch(r, &next, 10, 50))
	require.NoError(t, err)
	data, err := e.Marshal(context.Background(), merged[0])
	require.NoError(t, err)
	_, back, err := e.Unmarshal(data)
	require.NoError(t, err)
	assert.Equal(t, merged[0].(*batch).events(), back.(*batch).events())
	assert.Zero(t, torn)

	for _, bad := range [][]byte{nil, {0}, {2, 0}, data[:len(data)-1], append(bytes.Clone(data), 1)} {
		_, _, err := e.Unmarshal(bad)
		require.ErrorIs(t, err, errTorn)
	}
	assert.Equal(t, 4, torn, "nothing is what could not be stored")
}

func TestTheSizeInBytesIsTheMemory(t *testing.T) {
	event := Event{Meta: Meta{ID: "0198c0de-0000-7000-8000-000000000001", Name: "order_placed"}, Payload: bytes.Repeat([]byte{'x'}, 300)}
	events := make([]Event, 1000)
	for i := range events {
		events[i] = event
	}
	b := pack(events...)
	assert.Less(t, float64(b.BytesSize()), 1.3*1000*300)
	assert.Len(t, b.parts[0].buf, b.BytesSize())
}

func FuzzUnmarshal(f *testing.F) {
	seed, _ := encoding{}.Marshal(context.Background(), pack(Event{Meta: Meta{ID: "i", Name: "n"}, Payload: []byte("p")}))
	f.Add(seed)
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := unmarshalBatch(data)
		if err != nil {
			return
		}
		again, _ := encoding{}.Marshal(context.Background(), b)
		if !bytes.Equal(again, data) || len(b.events()) != b.ItemsCount() {
			t.Fatalf("%x came back as %x", data, again)
		}
	})
}
