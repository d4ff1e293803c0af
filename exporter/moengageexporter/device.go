// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageexporter

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// Attributes of the device (semantic conventions v1.44.0, device registry). This project defines the
// two for push notifications, because OpenTelemetry has none.
const (
	attrManufacturer   = "device.manufacturer"
	attrModelName      = "device.model.name"
	attrModelID        = "device.model.identifier"
	attrPushID         = "device.push_id"
	attrPushPreference = "device.push_preference"
)

// deviceAttributes lists MoEngage's attributes of a device (Track Device), and for each the event
// attributes that may hold its value, the preferred one first.
var deviceAttributes = [...]struct {
	name string
	from [2]string
}{
	{"push_id", [2]string{attrPushID}},
	{"push_preference", [2]string{attrPushPreference}},
	{"brand", [2]string{attrManufacturer}},
	{"model", [2]string{attrModelName, attrModelID}},
	{"os_version", [2]string{attrOSVersion}},
}

// encodeDevice writes a user's device when the event says more about it than its ID.
func (enc *encoder) encodeDevice(w *delivery.Writer, e *appevent.Event, customer string) {
	device := enc.deviceOf(e)
	if device.id == "" || !isDescribed(e) {
		return
	}
	dst := appendHead(w.Begin(metaOf(e, kindDevice, customer)), kindDevice, customer, device.id)
	dst = append(append(dst, attributesOpen...), '{')
	a := enc.object(maxAttributes, nil)
	if device.platform != "" {
		dst = a.text(dst, "platform", device.platform)
		dst = a.text(dst, "app_version", e.Source.ServiceVersion)
	}
	for i := range deviceAttributes {
		if v, ok := deviceAttribute(e, &deviceAttributes[i].from); ok {
			dst = a.value(dst, deviceAttributes[i].name, v)
		}
	}
	a.end()
	w.End(append(dst, "}}"...))
}

func isDescribed(e *appevent.Event) bool {
	for i := range deviceAttributes {
		if _, ok := deviceAttribute(e, &deviceAttributes[i].from); ok {
			return true
		}
	}
	return false
}

// deviceAttribute returns the first of the attributes that the record has or, if it has none, that
// the resource has.
func deviceAttribute(e *appevent.Event, from *[2]string) (pcommon.Value, bool) {
	for _, attributes := range [...]pcommon.Map{e.Attributes(), e.Source.Resource.Attributes()} {
		for _, name := range from {
			if v, ok := attributes.Get(name); ok && name != "" {
				return v, true
			}
		}
	}
	return pcommon.Value{}, false
}
