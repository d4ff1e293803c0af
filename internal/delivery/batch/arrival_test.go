// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEventsKeepTheirEntries(t *testing.T) {
	for seed := range uint64(500) {
		r, next := rand.New(rand.NewPCG(seed, 8)), 0
		entries := map[string]uint64{} // by id
		arrive := func(known bool) *Batch {
			b := random(r, &next, 10, 50)
			arrival := &Arrival{}
			if known {
				arrival.Entry = uint64(100 + next)
			}
			if r.IntN(2) == 0 { // through a queue on disk
				stored, err := UnmarshalStored(b.Marshal(), nil, NewStored(uint64(next), 0, nil))
				require.NoError(t, err)
				b = stored
			}
			b.Arrive(arrival)
			for i, e := range b.Events() {
				entries[e.ID] = 0
				if known {
					entries[e.ID] = arrival.Entry + uint64(i)
				}
			}
			return b
		}
		b := arrive(true)
		b.Append(arrive(r.IntN(3) > 0))
		b.Append(random(r, &next, 3, 50)) // of which nothing is known
		pieces := b.Split(1+r.IntN(12), 40+40*r.IntN(12))
		for _, piece := range pieces {
			pending := piece.Events()
			r.Shuffle(len(pending), func(i, j int) { pending[i], pending[j] = pending[j], pending[i] })
			pending = pending[:1+r.IntN(len(pending))]
			again := Of(pending)
			again.Append(piece)
			for _, half := range again.Split(2, 1000) {
				for _, e := range half.Events() {
					require.Equal(t, entries[e.ID], e.Entry, "seed %d", seed)
				}
			}
		}
	}
}

func TestArrivalsCountEvents(t *testing.T) {
	r, next := rand.New(rand.NewPCG(1, 8)), 0
	first, second := random(r, &next, 10, 50), random(r, &next, 10, 50)
	a, b := &Arrival{Entry: 1}, &Arrival{Entry: 100}
	first.Arrive(a)
	second.Arrive(b)
	want := map[*Arrival]int{a: first.Count(), b: second.Count()}
	first.Append(second)
	got := map[*Arrival]int{}
	for _, piece := range first.Split(3, 1000) {
		for arrival, events := range Of(piece.Events()).Arrivals() {
			got[arrival] += events
		}
	}
	assert.Equal(t, want, got)
}

func TestRecordsAreReadLater(t *testing.T) {
	events := []Event{
		{Meta: Meta{ID: "i", Name: "n", Time: 5, Category: "c", Destination: "d", VendorID: "v", Key: "k"}, Payload: []byte("payload")},
		{Meta: Meta{ID: "j"}, Payload: []byte("more")},
	}
	b := Of(events[:1])
	b.Append(Of(events[1:]))
	var read []Event
	for record, payload := range b.Records() {
		read = append(read, Event{Meta: ReadMeta(record), Payload: payload})
	}
	assert.Equal(t, events, read)
	for range b.Records() {
		break
	}
}

func TestRecordsAreKept(t *testing.T) {
	r, next := rand.New(rand.NewPCG(2, 8)), 0
	b := random(r, &next, 10, 50)
	b.Append(random(r, &next, 10, 50))
	var want []string
	for record := range b.Records() {
		want = append(want, record)
	}
	kept, size := b.Kept(), 0
	for _, record := range want {
		size += len(record)
	}
	assert.Equal(t, size, kept.Size())
	for i := range want {
		assert.Equal(t, want[i:], slices.Collect(kept.From(i)))
	}
	assert.Empty(t, slices.Collect(kept.From(len(want))))
	for range kept.From(0) {
		break
	}
}

func BenchmarkRecords(b *testing.B) {
	events := make([]Event, 500)
	for i := range events {
		events[i] = Event{Meta: Meta{ID: "0198c0de-0000-7000-8000-000000000001", Name: "order_placed", Time: 1}, Payload: make([]byte, 300)}
	}
	packed := Of(events)
	b.ReportAllocs()
	var last string
	for b.Loop() {
		for record := range packed.Records() {
			last = record
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(events)), "ns/event")
	_ = last
}
