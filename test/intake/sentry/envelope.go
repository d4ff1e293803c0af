// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryintake

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/otelcol-fanout/otelcol-fanout/test/intake/standin"
)

// Envelope is what one request holds: a header, and items. Its numbers are json.Number, so that they are what was written.
type Envelope struct {
	// Raw is the envelope as it was written, after decompression.
	Raw []byte
	// Header is the first line.
	Header map[string]any
	// Items are in the order in which they stand.
	Items []Item

	// Project is the id in the path of the request, and Key the public key in X-Sentry-Auth. Without a request both are
	// empty.
	Project, Key string
	// Request is the header of the request, nil without one.
	Request http.Header
	// Arrived is when the request began, by the intake's clock. Where it is zero, times are not held against it.
	Arrived time.Time
}

// Item is one of the things that an envelope carries.
type Item struct {
	// Type is the type in the item's header.
	Type string
	// Header is the item's header.
	Header map[string]any
	// Payload is as it was written.
	Payload []byte
}

// EventID is the event_id of the header, empty where it has none.
func (e *Envelope) EventID() string {
	id, _ := e.Header["event_id"].(string)
	return id
}

// Of are the items of a type.
func (e *Envelope) Of(itemType string) []Item {
	var items []Item
	for _, item := range e.Items {
		if item.Type == itemType {
			items = append(items, item)
		}
	}
	return items
}

// ParseEnvelope takes the bytes of an envelope apart. Its error is a *Violation. The grammar is
//
//	Envelope = Headers { "\n" Item } [ "\n" ] ;
//	Item     = Headers "\n" Payload ;
//
// where Headers is a JSON object on one line, without anything around it (sentry-docs: data-model/envelopes.mdx). The result
// refers to b.
func ParseEnvelope(b []byte) (Envelope, error) {
	line, rest, more := bytes.Cut(b, []byte{'\n'})
	header, violation := parseHeader(line, "envelope header")
	if violation != nil {
		return Envelope{Raw: b}, violation
	}
	envelope := Envelope{Raw: b, Header: header}
	for more && len(rest) > 0 {
		var item Item
		if item, rest, more, violation = parseItem(rest, "item "+strconv.Itoa(len(envelope.Items))); violation != nil {
			return envelope, violation
		}
		envelope.Items = append(envelope.Items, item)
	}
	return envelope, nil
}

// parseItem reads an item. More says that a line feed follows it, after which rest begins.
func parseItem(b []byte, where string) (item Item, rest []byte, more bool, violation *Violation) {
	line, rest, found := bytes.Cut(b, []byte{'\n'})
	header, violation := parseHeader(line, where+" header")
	if violation != nil {
		return Item{}, nil, false, violation
	}
	itemType, ok := header["type"].(string)
	if !ok || itemType == "" {
		return Item{}, nil, false, standin.Violate(RuleItemType, where, "has no type in its header")
	}
	where += " (" + itemType + ")"
	if !found {
		return Item{}, nil, false, standin.Violate(RuleItemLength, where, "has a header, but no line feed and payload after it")
	}
	payload, rest, more, violation := cutPayload(header, rest, where)
	return Item{Type: itemType, Header: header, Payload: payload}, rest, more, violation
}

// cutPayload cuts the payload off, which has the length that its header says, or runs to the line feed.
func cutPayload(header map[string]any, b []byte, where string) (payload, rest []byte, more bool, violation *Violation) {
	written, ok := header["length"]
	if !ok {
		payload, rest, more = bytes.Cut(b, []byte{'\n'})
		return payload, rest, more, nil
	}
	number, _ := written.(json.Number)
	length, err := strconv.ParseUint(string(number), 10, 31)
	if err != nil {
		return nil, nil, false, standin.Violate(RuleItemLength, where, "has the length %v, which is not a number of bytes", written)
	}
	if length > uint64(len(b)) {
		return nil, nil, false, standin.Violate(RuleItemLength, where, "says that it has %d bytes, but the envelope ends after %d", length, len(b))
	}
	payload, rest = b[:length], b[length:]
	if len(rest) == 0 {
		return payload, nil, false, nil
	}
	if rest[0] != '\n' {
		return nil, nil, false, standin.Violate(RuleItemLength, where, "says that it has %d bytes, but no line feed comes after them", length)
	}
	return payload, rest[1:], true, nil
}

// parseHeader reads a header, which is a JSON object that fills its line.
func parseHeader(line []byte, where string) (map[string]any, *Violation) {
	if len(line) < 2 || line[0] != '{' || line[len(line)-1] != '}' {
		return nil, standin.Violate(RuleHeader, where, "is not a JSON object that fills its line: %.200q", line)
	}
	value, violation := standin.Decode(line, RuleHeader, where)
	if violation != nil {
		return nil, violation
	}
	header, ok := value.(map[string]any)
	if !ok {
		return nil, standin.Violate(RuleHeader, where, "is not a JSON object: %.200q", line)
	}
	return header, nil
}
