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

// identify returns the customer ID of an event, and whether it has one. The record comes before
// its resource.
func (enc *encoder) identify(e *appevent.Event) (customer string, ok bool) {
	enc.readSource(e.Source)
	customer = enc.usualCustomer(e)
	if customer == "" {
		customer = enc.customerOf(e.Attributes())
	}
	if customer == "" {
		customer = enc.customerOf(e.Source.Resource.Attributes())
	}
	if customer == "" && enc.cfg.WithoutCustomer == WithoutCustomerDeviceID {
		if device := enc.deviceOf(e).id; !isSharedID(device) {
			customer = device
		}
	}
	return customer, customer != ""
}

// usualCustomer is a fast path: most records have a user ID, and none of the attributes that
// customer_id::from prefers. It returns the same as customerOf, or an empty string.
func (enc *encoder) usualCustomer(e *appevent.Event) string {
	if !enc.usualIDs || e.User.ID == "" {
		return ""
	}
	if _, better := e.Attribute(attrCustomerID); better {
		return ""
	}
	id := cleanID(e.User.ID)
	if isSharedID(id) {
		return ""
	}
	return id
}

// customerOf returns the first ID in the order of customer_id::from that MoEngage accepts.
func (enc *encoder) customerOf(attributes pcommon.Map) string {
	for _, name := range enc.cfg.CustomerID.From {
		v, ok := attributes.Get(name)
		if !ok {
			continue
		}
		switch id := idText(v); {
		case id == "":
		case isSharedID(id):
			enc.noted[correctedCustomerID]++
		default:
			return id
		}
	}
	return ""
}

// device is a user's device. Unknown fields are empty.
type device struct{ id, platform string }

// deviceOf returns the device of an event.
func (enc *encoder) deviceOf(e *appevent.Event) device {
	var h deviceHints
	h.addAll(e.Attributes())
	return h.device(&enc.source.device)
}

// deviceHints holds what attributes say about a device.
type deviceHints struct{ id, installation, system, platform string }

// device returns the device of a record. Fields that the record does not set come from its resource.
func (h *deviceHints) device(ofResource *device) device {
	d := *ofResource
	for _, id := range [...]string{h.installation, h.id} {
		if id != "" {
			d.id = id
		}
	}
	for _, platform := range [...]string{h.platform, h.system} {
		if platform != "" {
			d.platform = platform
		}
	}
	return d
}

func (h *deviceHints) addAll(attributes pcommon.Map) {
	for name, v := range attributes.All() {
		h.add(name, v)
	}
}

// add reads an attribute, and reports whether to leave it out of the event's attributes, because
// MoEngage has another place for it.
func (h *deviceHints) add(name string, v pcommon.Value) bool {
	switch name {
	case attrDeviceID:
		h.id = idText(v)
		return true
	case attrInstallationID:
		h.installation = idText(v)
		return true
	case attrCustomerID, attrPushID, attrPushPreference:
		return true
	case attrOSName:
		h.system = platformOfSystem(v)
	case appevent.AttrSDKLanguage:
		if v.AsString() == "webjs" {
			h.platform = platformWeb
		}
	default:
		if strings.HasPrefix(name, prefixBrowser) {
			h.platform = platformWeb
		}
	}
	return false
}

// addHint reads an attribute of a record that may describe the device or the time zone, and reports
// whether to leave it out of the event's attributes.
func (enc *encoder) addHint(name string, v pcommon.Value) bool {
	if slices.Contains(timezoneAttributes[:], name) {
		return enc.timezone.add(name, v)
	}
	return enc.hints.add(name, v)
}

// isDeviceHint reports whether addHint uses attributes of this name.
func isDeviceHint(name string) bool {
	switch name {
	case attrDeviceID, attrInstallationID, attrCustomerID, attrPushID, attrPushPreference, attrOSName, appevent.AttrSDKLanguage:
		return true
	}
	return strings.HasPrefix(name, prefixBrowser) || slices.Contains(timezoneAttributes[:], name)
}

// idText returns a value as an ID, without mergeSeparator.
func idText(v pcommon.Value) string { return withoutSeparator(appevent.IDText(v)) }

// cleanID returns s as UTF-8, without mergeSeparator.
func cleanID(s string) string { return withoutSeparator(appevent.ValidText(s)) }

func withoutSeparator(s string) string {
	if strings.IndexByte(s, mergeSeparator[0]) < 0 {
		return s
	}
	return strings.ReplaceAll(s, mergeSeparator, "\uFFFD")
}

// sharedIDs are placeholders that many users would share, in lower case and by their length.
// MoEngage refuses those in the first line (moengage.com/docs/api, Data overview); those in the
// second are on the lists of other vendors.
var sharedIDs = [...][]string{
	1: {"0", "1"}, 4: {"null", "true", "none"}, 5: {"guest", "false"}, 7: {"unknown"}, 24: {"user_attribute_unique_id"},
	3: {"nan", "nil"}, 9: {"undefined", "anonymous"}, 15: {"[object object]"}, 36: {"00000000-0000-0000-0000-000000000000"},
}

// isSharedID reports whether an ID is one of sharedIDs, in any case, or shorter than two characters.
func isSharedID(id string) bool {
	id = strings.TrimSpace(id)
	switch {
	case len(id) <= utf8.UTFMax && utf8.RuneCountInString(id) < 2:
		return true
	case len(id) >= len(sharedIDs):
		return false
	}
	return slices.ContainsFunc(sharedIDs[len(id)], func(shared string) bool { return strings.EqualFold(id, shared) })
}
