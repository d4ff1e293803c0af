// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageexporter

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/pattern"
)

// Attributes that tell the platform (semantic conventions v1.44.0, os, browser and telemetry registries).
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

// source is what all events of one resource and scope have in common.
type source struct {
	of     *appevent.Source
	device device
	// attributes are those of the resource that are sent.
	attributes []resourceAttribute
}

type resourceAttribute struct {
	name  string
	value pcommon.Value
}

// read makes enc.source that of the event, unless it is.
func (enc *encoder) read(of *appevent.Source) {
	if enc.source.of == of {
		return
	}
	attributes := of.Resource.Attributes()
	var t told
	t.read(attributes)
	enc.source = source{of: of, device: t.device(&device{})}
	if len(enc.cfg.ResourceAttributes) == 0 {
		return
	}
	for name, value := range attributes.All() {
		if pattern.Any(enc.cfg.ResourceAttributes, name) {
			enc.source.attributes = append(enc.source.attributes, resourceAttribute{name, value})
		}
	}
}

// platformOfSystem is the platform, or empty where that is not certain: a wrong one misleads campaigns (Create Event, platform).
func platformOfSystem(v pcommon.Value) string {
	switch name := v.AsString(); {
	case strings.EqualFold(name, "android"):
		return platformAndroid
	case strings.EqualFold(name, "ios"), strings.EqualFold(name, "ipados"), strings.EqualFold(name, "iphone os"):
		return platformIOS
	}
	return ""
}
