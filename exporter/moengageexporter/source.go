// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageexporter

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
)

// Attributes that identify the platform (semantic conventions v1.44.0, os, browser and telemetry
// registries).
const (
	attrOSName    = "os.name"
	attrOSVersion = "os.version"
	prefixBrowser = "browser."
)

// The platforms that MoEngage knows (Create Event, platform).
const (
	platformAndroid = "ANDROID"
	platformIOS     = "iOS"
	platformWeb     = "web"
)

// source holds the data that the events of one resource and scope share.
type source struct {
	of     *appevent.Source
	device device
	// attributes are the resource attributes that resource_attributes selects.
	attributes []resourceAttribute
}

type resourceAttribute struct {
	name  string
	value pcommon.Value
}

// readSource sets enc.source, unless it already holds this source.
func (enc *encoder) readSource(of *appevent.Source) {
	if enc.source.of == of {
		return
	}
	attributes := of.Resource.Attributes()
	var h deviceHints
	h.addAll(attributes)
	enc.source = source{of: of, device: h.device(&device{})}
	if len(enc.cfg.ResourceAttributes) == 0 {
		return
	}
	for name, value := range attributes.All() {
		if enc.cfg.ResourceAttributes.Match(name) {
			enc.source.attributes = append(enc.source.attributes, resourceAttribute{name, value})
		}
	}
}

// platformOfSystem returns the platform of an operating system. It is empty when in doubt: a wrong
// platform misleads campaigns (Create Event, platform).
func platformOfSystem(v pcommon.Value) string {
	switch name := v.AsString(); {
	case strings.EqualFold(name, "android"):
		return platformAndroid
	case strings.EqualFold(name, "ios"), strings.EqualFold(name, "ipados"), strings.EqualFold(name, "iphone os"):
		return platformIOS
	}
	return ""
}
