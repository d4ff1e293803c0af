// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPackedEventsAreUnpacked(t *testing.T) {
	events := []Event{
		{Meta: Meta{ID: "i", Name: "n", Time: 5, Category: "c", Destination: "d", VendorID: "v", Key: "k"}, Payload: []byte("payload")},
		{Meta: Meta{}, Payload: []byte{}},
		{Meta: Meta{ID: strings.Repeat("i", maxText), Key: strings.Repeat("k", maxText)}, Payload: make([]byte, 70_000)},
	}
	b := Of(events)
	assert.Equal(t, events, b.Events())
	assert.Equal(t, 3, b.Count())

	long := Of([]Event{{Meta: Meta{ID: strings.Repeat("i", maxText+1)}}})
	assert.Len(t, long.Events()[0].ID, maxText)
}

func TestWriterSetsVendorIDAndKeyFromBytes(t *testing.T) {
	var w Writer
	dst := w.Begin(Meta{ID: "a"})
	w.SetVendorID([]byte("vendor"))
	w.SetKey([]byte("key"))
	w.End(append(dst, "first"...))
	w.End(append(w.Begin(Meta{ID: "b"}), "second"...))
	assert.Equal(t, []Event{
		{Meta: Meta{ID: "a", VendorID: "vendor", Key: "key"}, Payload: []byte("first")},
		{Meta: Meta{ID: "b"}, Payload: []byte("second")},
	}, w.Take().Events())
	assert.Zero(t, w.Take().Count())
}

func TestWriterRollsBackToAMark(t *testing.T) {
	var w Writer
	w.End(append(w.Begin(Meta{ID: "a"}), "first"...))
	w.Skip("kept")
	mark := w.Mark()
	w.End(append(w.Begin(Meta{ID: "b"}), "second"...))
	w.Skip("taken back")
	w.Begin(Meta{ID: "c"}) // which is not ended
	w.Rollback(mark, false)
	assert.Equal(t, []Skip{"kept"}, w.TakeSkips())
	w.Skip("left out on purpose")
	w.Rollback(mark, true)
	assert.Equal(t, []Skip{"left out on purpose"}, w.TakeSkips())
	assert.Equal(t, []Event{{Meta: Meta{ID: "a"}, Payload: []byte("first")}}, w.Take().Events())
}

// random has up to n events of up to size bytes, each with an id of its own.
func random(r *rand.Rand, next *int, n, size int) *Batch {
	var events []Event
	for range 1 + r.IntN(n) {
		*next++
		events = append(events, Event{Meta: Meta{ID: string(rune(*next))}, Payload: bytes.Repeat([]byte{'x'}, 1+r.IntN(size))})
	}
	return Of(events)
}

func idsOf(batches ...*Batch) string {
	var ids strings.Builder
	for _, b := range batches {
		for _, e := range b.Events() {
			ids.WriteString(e.ID)
		}
	}
	return ids.String()
}

func TestMergeAndSplitKeepOrderAndLimits(t *testing.T) {
	for seed := range uint64(2000) {
		r, next := rand.New(rand.NewPCG(seed, 7)), 0
		b := random(r, &next, 10, 50)
		want := idsOf(b)
		if r.IntN(3) > 0 {
			other := random(r, &next, 10, 50)
			want += idsOf(other)
			b.Append(other)
		}
		maxEvents, maxBytes := 1+r.IntN(12), 40+40*r.IntN(12)
		all := b.Split(maxEvents, maxBytes)
		// twice, since what was split is merged and split again
		last := all[len(all)-1]
		all = append(all[:len(all)-1], last.Split(maxEvents, maxBytes)...)

		require.Equal(t, want, idsOf(all...), "seed %d", seed)
		for _, piece := range all {
			require.Positive(t, piece.Count(), "seed %d", seed)
			require.LessOrEqual(t, piece.Count(), maxEvents, "seed %d", seed)
			if piece.Count() > 1 {
				require.LessOrEqual(t, piece.Size(), maxBytes, "seed %d", seed)
			}
		}
	}
}

func TestBatchSurvivesMarshaling(t *testing.T) {
	r, next := rand.New(rand.NewPCG(1, 2)), 0
	b := random(r, &next, 10, 50)
	b.Append(random(r, &next, 10, 50))
	data := b.Marshal()
	back, err := Unmarshal(data, nil)
	require.NoError(t, err)
	assert.Equal(t, b.Events(), back.Events())
	assert.Equal(t, b.Count(), back.Count())
	assert.Equal(t, b.Size(), back.Size())

	for _, bad := range [][]byte{nil, {}, {0}, {3, 0}, data[:len(data)-1], append(bytes.Clone(data), 1)} {
		_, err := Unmarshal(bad, nil)
		require.ErrorIs(t, err, ErrCorrupt)
	}
}

// appendV1 appends an event as version 1 of the format has it.
func appendV1(dst []byte, e Event) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, uint64(e.Time))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(e.Payload)))
	dst = binary.LittleEndian.AppendUint16(dst, uint16(len(e.ID)))
	dst = binary.LittleEndian.AppendUint16(dst, uint16(len(e.Name)))
	dst = append(dst, byte(len(e.Category)))
	dst = binary.LittleEndian.AppendUint16(dst, uint16(len(e.Destination)))
	return append(append(append(append(append(dst, e.ID...), e.Name...), e.Category...), e.Destination...), e.Payload...)
}

func TestBatchOfVersion1IsRead(t *testing.T) {
	events := []Event{
		{Meta: Meta{ID: "i", Name: "n", Time: 5, Category: "c", Destination: "d"}, Payload: []byte("payload")},
		{Meta: Meta{ID: "j"}, Payload: []byte{}},
	}
	data := []byte{version1}
	for _, e := range events {
		data = appendV1(data, e)
	}
	b, err := Unmarshal(data, nil)
	require.NoError(t, err)
	assert.Equal(t, events, b.Events())

	b, err = Unmarshal(data, func(e *Event) { e.VendorID, e.Key = "v-"+e.ID, string(e.Payload) })
	require.NoError(t, err)
	events[0].VendorID, events[0].Key, events[1].VendorID = "v-i", "payload", "v-j"
	assert.Equal(t, events, b.Events(), "they are completed")

	for cut := 2; cut < len(data); cut++ {
		if b, err := Unmarshal(data[:cut], nil); err == nil {
			assert.Equal(t, 1, b.Count(), "the first event alone is complete")
		}
	}
}

func TestUnknownFieldsAreSkipped(t *testing.T) {
	record := appendField(make([]byte, recordHead), tagID, "i")
	record = appendField(record, 200, "what a later version knows")
	record = appendField(record, tagName, "n")
	binary.LittleEndian.PutUint32(record, uint32(len(record)-recordHead))
	data := append([]byte{version2, byte(len(record)), 0}, record...)
	b, err := Unmarshal(data, nil)
	require.NoError(t, err)
	assert.Equal(t, Meta{ID: "i", Name: "n"}, b.Events()[0].Meta)
}

func TestSizeIsTheMemory(t *testing.T) {
	event := Event{Meta: Meta{ID: "0198c0de-0000-7000-8000-000000000001", Name: "order_placed"}, Payload: bytes.Repeat([]byte{'x'}, 300)}
	events := make([]Event, 1000)
	for i := range events {
		events[i] = event
	}
	b := Of(events)
	assert.Less(t, float64(b.Size()), 1.3*1000*300)
	assert.Equal(t, b.Size(), len(b.parts[0].records)+len(b.parts[0].memory.buf))
}

func FuzzUnmarshal(f *testing.F) {
	f.Add(Of([]Event{{Meta: Meta{ID: "i", Name: "n", Time: 1, Key: "k"}, Payload: []byte("p")}}).Marshal())
	f.Add(appendV1([]byte{version1}, Event{Meta: Meta{ID: "i", Name: "n"}, Payload: []byte("p")}))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := Unmarshal(data, nil)
		if err != nil {
			return
		}
		if len(b.Events()) != b.Count() {
			t.Fatalf("%d events of %d", len(b.Events()), b.Count())
		}
		again, err := Unmarshal(b.Marshal(), nil)
		if err != nil {
			t.Fatal(err)
		}
		assert.Equal(t, b.Events(), again.Events())
	})
}
