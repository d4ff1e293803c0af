// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"slices"
	"strings"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// Resource attributes (semantic conventions v1.44.0, telemetry registry).
const (
	attrSDKName    = "telemetry.sdk.name"
	attrSDKVersion = "telemetry.sdk.version"
)

// Properties that events of one source share.
const (
	// propGeoIPDisable tells PostHog not to locate the person by the sender's address.
	propGeoIPDisable = "$geoip_disable"
	// propLib and propLibVersion identify this exporter. Capture v1 reads them from a header.
	propLib        = "$lib"
	propLibVersion = "$lib_version"
)

// source holds the encoded properties that all events of one resource and scope share.
type source struct {
	of *appevent.Source
	// batch and v1 are the last properties of each event of that protocol.
	batch, v1 suffix
	// client is the suffix clientOf without $is_server; see withoutServer.
	client   suffix
	clientOf *suffix

	sdkName, sdkVersion string
	// onDevice is set if the resource is a phone or a browser.
	onDevice bool
}

// suffix holds the properties of a source, which are appended to those of each event.
type suffix struct {
	properties []property
	// joined holds the encoded properties, for events that have no property of the same name. It is
	// nil if each name must be checked.
	joined []byte
	names  nameSet
}

// property is the name and the encoded value of a property.
type property struct{ name, value string }

// sourceOf returns the source of an event. It caches the last one.
func (enc *encoder) sourceOf(of *appevent.Source) *source {
	if enc.source == nil || enc.source.of != of {
		enc.source = enc.newSource(of)
	}
	return enc.source
}

func (b *backend) newSource(of *appevent.Source) *source {
	s := &source{of: of}
	var values jsonappend.Writer
	var properties []property
	for name, v := range of.Resource.Attributes().All() {
		switch name {
		case attrSDKName:
			s.sdkName = v.AsString()
		case attrSDKVersion:
			s.sdkVersion = v.AsString()
		}
		s.onDevice = s.onDevice || isOfDevice(name)
		if b.cfg.ResourceAttributes.Match(name) {
			properties = append(properties, property{name, string(values.Value(nil, v))})
		}
	}
	if b.cfg.IPAttribute == "" {
		properties = append(properties, property{propGeoIPDisable, "true"})
	}
	if s.isServer() {
		properties = append(properties, property{propIsServer, "true"})
	}
	s.v1 = newSuffix(properties)
	properties = append(slices.Clip(properties), property{propLib, `"` + libName + `"`}, property{propLibVersion, string(jsonappend.String(nil, b.version))})
	s.batch = newSuffix(properties)
	return s
}

// withoutServer returns the suffix for an event of a phone or a browser: without $is_server, if only
// the missing language is the reason for it.
func (s *source) withoutServer(of *suffix) *suffix {
	if s.of.Language != "" {
		return of
	}
	if s.clientOf != of {
		properties := slices.DeleteFunc(slices.Clone(of.properties), func(p property) bool { return p.name == propIsServer })
		s.client, s.clientOf = newSuffix(properties), of
	}
	return &s.client
}

// newSuffix joins the properties, unless a name occurs twice or the encoder may write a property of
// that name itself. Without joined, suffix.append checks each name.
func newSuffix(properties []property) suffix {
	s := suffix{properties: properties}
	var values jsonappend.Writer
	members := values.Members()
	var joined []byte
	unique := true
	for i := range properties {
		s.names |= nameBit(properties[i].name)
		var ok bool
		joined, ok = members.Name(joined, properties[i].name)
		unique = unique && ok && !isOwnName(properties[i].name)
		joined = append(joined, properties[i].value...)
	}
	if unique {
		s.joined = joined
	}
	return s
}

// isOwnName reports whether the encoder may write a property of the name itself, other than from an
// attribute.
func isOwnName(name string) bool {
	switch name {
	case propGeoIPDisable, propIsServer, propLib, propLibVersion:
		return false
	case "body", "subject", "severity", "name", "title", "alias", "trace_id", "span_id":
		return true
	}
	for _, prefix := range [...]string{"$", "user.", "enduser.", "exception."} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// has reports whether one of the properties has the name.
func (s *suffix) has(name string) bool {
	for i := range s.properties {
		if s.properties[i].name == name {
			return true
		}
	}
	return false
}

// append appends the properties whose names the event does not have. Call it after the event's own
// properties.
func (s *suffix) append(dst []byte, props *properties, overridden bool) []byte {
	if s.joined == nil || overridden {
		for i := range s.properties {
			var ok bool
			if dst, ok = props.Name(dst, s.properties[i].name); ok {
				dst = append(dst, s.properties[i].value...)
			}
		}
		return dst
	}
	if props.Len() > 0 {
		dst = append(dst, ',')
	}
	return append(dst, s.joined...)
}
