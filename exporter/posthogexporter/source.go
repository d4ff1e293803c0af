// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"slices"
	"strings"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
	"github.com/otelcol-fanout/otelcol-fanout/internal/pattern"
)

// Attributes of the resource (semantic conventions v1.44.0, telemetry registry).
const (
	attrSDKName    = "telemetry.sdk.name"
	attrSDKVersion = "telemetry.sdk.version"
)

// Properties that all events of a source have.
const (
	// propGeoIPDisable tells PostHog not to look up where the sender is.
	propGeoIPDisable = "$geoip_disable"
	// propIsServer tells PostHog that the operating system is not the person's.
	propIsServer = "$is_server"
	// propLib and propLibVersion identify this exporter. Capture v1 takes them from a header.
	propLib        = "$lib"
	propLibVersion = "$lib_version"
)

// source is what all events of one resource and scope have in common, written once.
type source struct {
	of *appevent.Source
	// batch and v1 end the properties of each event, by its protocol.
	batch, v1 ending

	sdkName, sdkVersion string
	// onDevice tells that the resource is a phone or a browser.
	onDevice bool
}

// ending is the properties that all events of a source have.
type ending struct {
	properties []property
	// joined are the properties as they are written where the event has none of their names. It is
	// nil where that is not to be known without looking at each.
	joined []byte
	// names has the bits of their names.
	names nameSet
}

// property is the name of a property, and its value as it is written.
type property struct{ name, value string }

// sourceOf returns the source of an event. It remembers the last one.
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
		if pattern.Any(b.cfg.ResourceAttributes, name) && !strings.HasPrefix(name, appevent.FanoutPrefix) {
			properties = append(properties, property{name, string(values.Value(nil, v))})
		}
	}
	if b.cfg.IPAttribute == "" {
		properties = append(properties, property{propGeoIPDisable, "true"})
	}
	if s.isServer() {
		properties = append(properties, property{propIsServer, "true"})
	}
	s.v1 = newEnding(properties)
	properties = append(slices.Clip(properties), property{propLib, `"` + libName + `"`}, property{propLibVersion, string(jsonappend.String(nil, b.version))})
	s.batch = newEnding(properties)
	return s
}

// isServer reports whether the resource is known not to be what a person has in front of them. Java
// runs on phones, too.
func (s *source) isServer() bool {
	if s.onDevice {
		return false
	}
	switch s.of.Language {
	case "cpp", "dotnet", "erlang", "go", "java", "nodejs", "php", "python", "ruby", "rust":
		return true
	}
	return false
}

// isOfDevice reports whether a resource that has the attribute is a device or a browser.
func isOfDevice(attribute string) bool {
	for _, prefix := range [...]string{"device.", "android.", "ios.", "browser."} {
		if strings.HasPrefix(attribute, prefix) {
			return true
		}
	}
	return false
}

// newEnding joins the properties, unless one of them is repeated, or has a name that an event may
// have without having it from an attribute.
func newEnding(properties []property) ending {
	end := ending{properties: properties}
	var values jsonappend.Writer
	members := values.Members()
	var joined []byte
	apart := false
	for i := range properties {
		end.names |= nameBit(properties[i].name)
		var ok bool
		joined, ok = members.Name(joined, properties[i].name)
		apart = apart || !ok || isOwnName(properties[i].name)
		joined = append(joined, properties[i].value...)
	}
	if !apart {
		end.joined = joined
	}
	return end
}

// isOwnName reports whether the encoder writes properties of the name itself.
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
func (end *ending) has(name string) bool {
	for i := range end.properties {
		if end.properties[i].name == name {
			return true
		}
	}
	return false
}

// append appends the properties, but for those that the event has itself. Nothing may follow.
func (end *ending) append(dst []byte, props *properties, overridden bool) []byte {
	if end.joined == nil || overridden {
		for i := range end.properties {
			var ok bool
			if dst, ok = props.Name(dst, end.properties[i].name); ok {
				dst = append(dst, end.properties[i].value...)
			}
		}
		return dst
	}
	if props.Len() > 0 {
		dst = append(dst, ',')
	}
	return append(dst, end.joined...)
}
