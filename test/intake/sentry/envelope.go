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

// Envelope is the content of a request: a header and items. Its numbers are json.Number, which keeps
// their text.
type Envelope struct {
	// Raw is the unchanged envelope, after decompression.
	Raw []byte
	// Header is the first line.
	Header map[string]any
	// Items are in their order in the envelope.
	Items []Item

	// Project is the id in the request's path, and Key the public key in X-Sentry-Auth. Both are
	// empty without a request.
	Project, Key string
	// Request is the request's header; nil without a request.
	Request http.Header
	// Arrived is the start of the request by the intake's clock. If it is zero, times are not
	// compared with it.
	Arrived time.Time
}

// Item is one item of an envelope.
type Item struct {
	// Type is the type in the item's header.
	Type string
	// Header is the item's header.
	Header map[string]any
	// Payload is the unchanged payload.
	Payload []byte
}

// EventID returns the header's event_id, or an empty string.
func (e *Envelope) EventID() string {
	id, _ := e.Header["event_id"].(string)
	return id
}

// Of returns the items of a type.
func (e *Envelope) Of(itemType string) []Item {
	var items []Item
	for _, item := range e.Items {
		if item.Type == itemType {
			items = append(items, item)
		}
	}
	return items
}

// ParseEnvelope parses an envelope. Its error is a *Violation. The grammar is
//
//	Envelope = Headers { "\n" Item } [ "\n" ] ;
//	Item     = Headers "\n" Payload ;
//
// where Headers is a JSON object on a line of its own (sentry-docs: data-model/envelopes.mdx). The
// result refers to b.
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

// parseItem parses an item. more reports whether a line feed follows it; rest begins after that.
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
		return Item{}, nil, false, standin.Violate(RuleItemLength, where, "has a header, but no line feed and payload")
	}
	payload, rest, more, violation := cutPayload(header, rest, where)
	return Item{Type: itemType, Header: header, Payload: payload}, rest, more, violation
}

// cutPayload returns the payload, whose length is in the header. Without a length, the payload ends
// at the line feed.
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
		return nil, nil, false, standin.Violate(RuleItemLength, where, "has a length of %d, but the envelope ends after %d bytes", length, len(b))
	}
	payload, rest = b[:length], b[length:]
	if len(rest) == 0 {
		return payload, nil, false, nil
	}
	if rest[0] != '\n' {
		return nil, nil, false, standin.Violate(RuleItemLength, where, "has a length of %d, but no line feed follows", length)
	}
	return payload, rest[1:], true, nil
}

// parseHeader parses a header, a JSON object that fills its line.
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
