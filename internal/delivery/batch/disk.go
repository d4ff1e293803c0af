// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"encoding/binary"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// A stored batch begins with the version of its format. Version 2 holds the parts of the batch as they
// are in memory:
//
//	2 | part...    part: size of the records (uvarint) | size of the payloads (uvarint) | records | payloads
//
// Version 1 had neither VendorID nor Key. It is read, but no longer written.
const (
	version1 = 1
	version2 = 2
)

// Marshal returns the batch in its stored form.
func (b *Batch) Marshal() []byte {
	dst := make([]byte, 1, 1+b.size+2*binary.MaxVarintLen64*len(b.parts))
	dst[0] = version2
	for i := range b.parts {
		p := &b.parts[i]
		dst = binary.AppendUvarint(dst, uint64(len(p.records)))
		dst = binary.AppendUvarint(dst, uint64(len(p.payloads)))
		dst = append(append(dst, p.records...), p.payloads...)
	}
	return dst
}

// IsStored reports whether data begins like a stored batch. No protobuf message does.
func IsStored(data []byte) bool {
	return len(data) > 0 && (data[0] == version1 || data[0] == version2)
}

// Unmarshal reads a stored batch; its payloads are views of data. It returns [ErrCorrupt] if data
// cannot be read. Events of version 1 are passed to complete, which sets VendorID and Key and may
// replace the payload; complete may be nil.
func Unmarshal(data []byte, complete func(*Event)) (*Batch, error) {
	if len(data) == 0 {
		return nil, ErrCorrupt
	}
	switch data[0] {
	case version1:
		return unmarshalV1(data[1:], complete)
	case version2:
		return unmarshalV2(data[1:])
	default:
		return nil, ErrCorrupt
	}
}

func unmarshalV2(data []byte) (*Batch, error) {
	b := &Batch{}
	for len(data) > 0 {
		records, n := binary.Uvarint(data)
		payloads, m := binary.Uvarint(data[max(n, 0):])
		if n <= 0 || m <= 0 {
			return nil, ErrCorrupt
		}
		data = data[n+m:]
		left := uint64(len(data))
		if records == 0 || records > left || payloads > left-records {
			return nil, ErrCorrupt
		}
		p := part{records: string(data[:records]), payloads: data[records : records+payloads : records+payloads]}
		if err := p.check(); err != nil {
			return nil, err
		}
		b.add(p)
		data = data[records+payloads:]
	}
	return b, nil
}

// check counts the events of a part, and returns [ErrCorrupt] if they are not complete.
func (p *part) check() error {
	left := len(p.payloads)
	for records := p.records; len(records) > 0; p.count++ {
		record, payload, err := recordSizes(records)
		if err != nil {
			return err
		}
		if err := readFields(&Meta{}, records[recordHead:record]); err != nil {
			return err
		}
		records = records[record:]
		left -= payload
	}
	if left != 0 {
		return ErrCorrupt
	}
	return nil
}

// unmarshalV1 reads the events of version 1, one after another: its time (8 bytes), the sizes of
// its payload (4), id (2), name (2), category (1) and destination (2), then id, name, category,
// destination and payload.
func unmarshalV1(data []byte, complete func(*Event)) (*Batch, error) {
	const head = 8 + 4 + 2 + 2 + 1 + 2
	var w Writer
	for len(data) > 0 {
		if len(data) < head {
			return nil, ErrCorrupt
		}
		at := pcommon.Timestamp(binary.LittleEndian.Uint64(data))
		payload := int(binary.LittleEndian.Uint32(data[8:]))
		id, name := int(binary.LittleEndian.Uint16(data[12:])), int(binary.LittleEndian.Uint16(data[14:]))
		category, destination := int(data[16]), int(binary.LittleEndian.Uint16(data[17:]))
		data = data[head:]
		if id+name+category+destination+payload > len(data) {
			return nil, ErrCorrupt
		}
		take := func(n int) []byte {
			taken := data[:n:n]
			data = data[n:]
			return taken
		}
		event := Event{Meta: Meta{
			Time: at, ID: string(take(id)), Name: string(take(name)), Category: string(take(category)), Destination: string(take(destination)),
		}}
		event.Payload = take(payload)
		if complete != nil {
			complete(&event)
		}
		w.End(append(w.Begin(event.Meta), event.Payload...))
	}
	return w.Take(), nil
}
