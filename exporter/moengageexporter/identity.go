// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageexporter

import (
	"slices"
	"strings"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
)

// Attributes of the device (semantic conventions v1.44.0, device and app registries).
const (
	attrDeviceID       = "device.id"
	attrInstallationID = "app.installation.id"
)

// identify finds whom an event is about, and reports whether it tells. What the record does not say, its resource may.
func (enc *encoder) identify(e *appevent.Event) (customer string, ok bool) {
	enc.read(e.Source)
	customer = enc.usualCustomer(e)
	if customer == "" {
		customer = enc.customerOf(e.Attributes())
	}
	if customer == "" {
		customer = enc.customerOf(e.Source.Resource.Attributes())
	}
	if customer == "" && enc.cfg.WithoutCustomer == WithoutCustomerDeviceID {
		if device := enc.deviceOf(e).id; !isRefused(device) {
			customer = device
		}
	}
	return customer, customer != ""
}

// usualCustomer is what customerOf comes to for most records: they tell their user, and nothing that would be better. It is empty for
// others.
func (enc *encoder) usualCustomer(e *appevent.Event) string {
	if !enc.usualIDs || e.User.ID == "" {
		return ""
	}
	if _, better := e.Attribute(attrCustomerID); better {
		return ""
	}
	id := cleanID(e.User.ID)
	if isRefused(id) {
		return ""
	}
	return id
}

// customerOf is the best id among the attributes that MoEngage takes for a customer.
func (enc *encoder) customerOf(attributes pcommon.Map) string {
	for _, name := range enc.cfg.CustomerID.From {
		v, ok := attributes.Get(name)
		if !ok {
			continue
		}
		switch id := idText(v); {
		case id == "":
		case isRefused(id):
			enc.noted[correctedCustomerID]++
		default:
			return id
		}
	}
	return ""
}

// device is what somebody uses. Its members are empty where they are not known.
type device struct{ id, platform string }

// deviceOf is the device that an event tells of.
func (enc *encoder) deviceOf(e *appevent.Event) device {
	var t told
	t.read(e.Attributes())
	return t.device(&enc.source.device)
}

// told is what attributes tell of a device.
type told struct{ id, installation, system, platform string }

// device is the device that a record tells of or, where it does not, its resource.
func (t *told) device(ofResource *device) device {
	d := *ofResource
	for _, id := range [...]string{t.installation, t.id} {
		if id != "" {
			d.id = id
		}
	}
	for _, platform := range [...]string{t.platform, t.system} {
		if platform != "" {
			d.platform = platform
		}
	}
	return d
}

func (t *told) read(attributes pcommon.Map) {
	for name, v := range attributes.All() {
		t.note(name, v)
	}
}

// note reads an attribute, and reports whether it has a place of its own, so that it is none of an event.
func (t *told) note(name string, v pcommon.Value) bool {
	switch name {
	case attrDeviceID:
		t.id = idText(v)
		return true
	case attrInstallationID:
		t.installation = idText(v)
		return true
	case attrCustomerID, attrPushID, attrPushPreference:
		return true
	case attrOSName:
		t.system = platformOfSystem(v)
	case appevent.AttrSDKLanguage:
		if v.AsString() == "webjs" {
			t.platform = platformWeb
		}
	default:
		if strings.HasPrefix(name, prefixBrowser) {
			t.platform = platformWeb
		}
	}
	return false
}

// tells reports whether note may read an attribute of that name.
func tells(name string) bool {
	switch name {
	case attrDeviceID, attrInstallationID, attrCustomerID, attrPushID, attrPushPreference, attrOSName, appevent.AttrSDKLanguage:
		return true
	}
	return strings.HasPrefix(name, prefixBrowser)
}

// idText is a value as an id, without the separator of ids.
func idText(v pcommon.Value) string { return withoutSeparator(appevent.IDText(v)) }

// cleanID is s as UTF-8, without the separator of ids.
func cleanID(s string) string { return withoutSeparator(appevent.ValidText(s)) }

func withoutSeparator(s string) string {
	if strings.IndexByte(s, separator[0]) < 0 {
		return s
	}
	return strings.ReplaceAll(s, separator, "\uFFFD")
}

// refusedIDs are customer ids, in any case, that MoEngage refuses, since many users would share them (moengage.com/docs/api,
// Data overview), by their length. Those of the second half stand in the lists of other vendors, and are of the same sort.
var refusedIDs = [...][]string{
	1: {"0", "1"}, 4: {"null", "true", "none"}, 5: {"guest", "false"}, 7: {"unknown"}, 24: {"user_attribute_unique_id"},
	3: {"nan", "nil"}, 9: {"undefined", "anonymous"}, 15: {"[object object]"}, 36: {"00000000-0000-0000-0000-000000000000"},
}

// isRefused reports whether MoEngage refuses an id: one of the list, or one shorter than two characters.
func isRefused(id string) bool {
	id = strings.TrimSpace(id)
	switch {
	case len(id) <= utf8.UTFMax && utf8.RuneCountInString(id) < 2:
		return true
	case len(id) >= len(refusedIDs):
		return false
	}
	return slices.ContainsFunc(refusedIDs[len(id)], func(refused string) bool { return strings.EqualFold(id, refused) })
}
