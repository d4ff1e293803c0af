// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageexporter

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
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

// deviceAttributes lists MoEngage's attributes of a device (Track Device) other than its push ID, and
// for each the event attributes that may hold its value, the preferred one first.
var deviceAttributes = [...]struct {
	name string
	from [2]string
}{
	{"push_preference", [2]string{attrPushPreference}},
	{"brand", [2]string{attrManufacturer}},
	{"model", [2]string{attrModelName, attrModelID}},
	{"os_version", [2]string{attrOSVersion}},
}

// encodeDevice writes a user's device if the event says more about it than its ID. It skips devices
// without a push ID or a platform, which MoEngage accepts and drops.
func (enc *encoder) encodeDevice(w *delivery.Writer, e *appevent.Event, customer string) {
	device := enc.deviceOf(e)
	if device.id == "" || !isDescribed(e) {
		return
	}
	pushID := pushIDOf(e)
	switch {
	case pushID == "":
		w.Skip("device_without_push_id")
		return
	case device.platform == "":
		w.Skip("device_without_platform")
		return
	}
	dst := appendHead(w.Begin(metaOf(e, kindDevice, customer)), kindDevice, customer, device.id)
	dst = append(append(dst, attributesOpen...), '{')
	a := enc.object(maxAttributes, nil)
	dst = a.text(dst, "platform", device.platform)
	dst = a.text(dst, "app_version", e.Source.ServiceVersion)
	if named, ok := a.name(dst, enc.known.of("push_id")); ok {
		dst = jsonappend.String(named, pushID) // not truncated, because it would reach no device
	}
	for i := range deviceAttributes {
		if v, ok := deviceAttribute(e, &deviceAttributes[i].from); ok {
			dst = a.value(dst, deviceAttributes[i].name, v)
		}
	}
	a.end()
	w.End(append(dst, "}}"...))
}

// isDescribed reports whether the event says more about its device than the ID.
func isDescribed(e *appevent.Event) bool {
	if pushIDOf(e) != "" {
		return true
	}
	for i := range deviceAttributes {
		if _, ok := deviceAttribute(e, &deviceAttributes[i].from); ok {
			return true
		}
	}
	return false
}

func pushIDOf(e *appevent.Event) string {
	v, ok := deviceAttribute(e, &[2]string{attrPushID})
	if !ok {
		return ""
	}
	return strings.TrimSpace(appevent.IDText(v))
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
