// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageexporter

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// Attributes of the device (semantic conventions v1.44.0, device registry), and two of ours, since OpenTelemetry has none for them.
const (
	attrManufacturer   = "device.manufacturer"
	attrModelName      = "device.model.name"
	attrModelID        = "device.model.identifier"
	attrPushID         = "device.push_id"
	attrPushPreference = "device.push_preference"
)

// deviceAttributes is what is sent of a device: MoEngage's names (Track Device), and where their values are found, the best place
// first.
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

// encodeDevice writes what somebody uses, where the event tells more of it than its id.
func (enc *encoder) encodeDevice(w *delivery.Writer, e *appevent.Event, customer string) {
	device := enc.deviceOf(e)
	if device.id == "" || !isDescribed(e) {
		return
	}
	dst := enc.begin(w, e, kindDevice, customer, device.id)
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

// deviceAttribute looks into the record, and then into the resource.
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
