// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"encoding/binary"
	"errors"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// A record holds the Meta of one event, and the size of its payload. Numbers of fixed size are little
// endian:
//
//	size of the fields (4 bytes) | size of the payload (4 bytes) | fields
//	field: tag (1 byte) | size (uvarint) | value
//
// Empty fields are left out; of two fields with the same tag the last one counts; fields with an
// unknown tag are skipped, so that fields can be added.
const recordHead = 4 + 4

// Tags of fields. They are stored on disk: a number is never reused for something else.
const (
	tagID byte = 1 + iota
	tagName
	tagTime // 8 bytes, nanoseconds since 1970
	tagCategory
	tagDestination
	tagVendorID
	tagKey
)

const maxText = 1<<16 - 1 // bytes

// ErrCorrupt is the error of a stored batch that cannot be read.
var ErrCorrupt = errors.New("the stored batch is corrupt")

// appendMeta appends a record without its sizes.
func appendMeta(dst []byte, m *Meta) []byte {
	dst = append(dst, 0, 0, 0, 0, 0, 0, 0, 0)
	dst = appendField(dst, tagID, m.ID)
	dst = appendField(dst, tagName, m.Name)
	if m.Time != 0 {
		dst = binary.LittleEndian.AppendUint64(append(dst, tagTime, 8), uint64(m.Time))
	}
	dst = appendField(dst, tagCategory, m.Category)
	dst = appendField(dst, tagDestination, m.Destination)
	dst = appendField(dst, tagVendorID, m.VendorID)
	return appendField(dst, tagKey, m.Key)
}

// setSizes completes a record.
func setSizes(record []byte, payload int) {
	binary.LittleEndian.PutUint32(record, uint32(len(record)-recordHead)) //nolint:gosec // a few texts are far below 4 GiB
	binary.LittleEndian.PutUint32(record[4:], uint32(payload))            //nolint:gosec // far below 4 GiB
}

func appendField[T string | []byte](dst []byte, tag byte, value T) []byte {
	if len(value) == 0 {
		return dst
	}
	if len(value) > maxText {
		value = value[:maxText]
	}
	dst = binary.AppendUvarint(append(dst, tag), uint64(len(value)))
	return append(dst, value...)
}

// recordSizes returns the sizes of the first record and of its payload.
func recordSizes(records string) (record, payload int, err error) {
	if len(records) < recordHead {
		return 0, 0, ErrCorrupt
	}
	record = recordHead + int(readUint32(records))
	if record > len(records) {
		return 0, 0, ErrCorrupt
	}
	return record, int(readUint32(records[4:])), nil
}

// readUint32 is binary.LittleEndian.Uint32 for a string.
func readUint32(s string) uint32 {
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}

// readFields reads the fields of a record. The texts are parts of it.
func readFields(m *Meta, fields string) error {
	for len(fields) > 0 {
		tag := fields[0]
		size, n := uvarint(fields[1:])
		begin := 1 + n
		if n == 0 || size > maxText || int(size) > len(fields)-begin {
			return ErrCorrupt
		}
		end := begin + int(size)
		value := fields[begin:end]
		fields = fields[end:]
		switch tag {
		case tagID:
			m.ID = value
		case tagName:
			m.Name = value
		case tagTime:
			if len(value) != 8 {
				return ErrCorrupt
			}
			for i := 7; i >= 0; i-- {
				m.Time = m.Time<<8 | pcommon.Timestamp(value[i])
			}
		case tagCategory:
			m.Category = value
		case tagDestination:
			m.Destination = value
		case tagVendorID:
			m.VendorID = value
		case tagKey:
			m.Key = value
		}
	}
	return nil
}

// uvarint is binary.Uvarint for a string. It returns the number of bytes read, 0 if there is no
// number.
func uvarint(s string) (value uint64, read int) {
	if len(s) > 0 && s[0] < 0x80 { // as in most records
		return uint64(s[0]), 1
	}
	for i := range min(len(s), binary.MaxVarintLen64) {
		value |= uint64(s[i]&0x7f) << (7 * i)
		if s[i] < 0x80 {
			return value, i + 1
		}
	}
	return 0, 0
}
