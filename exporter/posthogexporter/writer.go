// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"encoding/hex"

	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// properties writes the properties of one event. The first property of a name wins.
type properties struct {
	jsonappend.Members
	// values writes the values of properties.
	values *jsonappend.Writer
}

// start begins the properties of an event.
func (p *properties) start(values *jsonappend.Writer) {
	p.Members, p.values = values.Members(), values
}

// text appends a property, unless the value is empty or the event already has the name.
func (p *properties) text(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	dst, ok := p.Name(dst, name)
	if !ok {
		return dst
	}
	return jsonappend.String(dst, value)
}

func (p *properties) boolean(dst []byte, name string, value bool) []byte {
	dst, ok := p.Name(dst, name)
	if !ok {
		return dst
	}
	return jsonappend.Bool(dst, value)
}

// hex appends bytes as hexadecimal text.
func (p *properties) hex(dst []byte, name string, value []byte) []byte {
	dst, ok := p.Name(dst, name)
	if !ok {
		return dst
	}
	dst = hex.AppendEncode(append(dst, '"'), value)
	return append(dst, '"')
}
