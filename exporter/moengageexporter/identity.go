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

// identity is whom an event is about, and what they use.
type identity struct {
	customer string
	// device and platform are empty where they are not known.
	device, platform string
}

// identify finds whom an event is about, and reports whether it tells. What the record does not say, its resource may.
func (enc *encoder) identify(e *appevent.Event) (identity, bool) {
	enc.read(e.Source)
	enc.record.read(e.Attributes(), &enc.telling)
	who := identity{device: enc.record.device, platform: enc.record.platform}
	if who.device == "" {
		who.device = enc.source.device
	}
	if who.platform == "" {
		who.platform = enc.source.platform
	}
	who.customer = enc.customerOf(&enc.record)
	if who.customer == "" {
		who.customer = enc.customerOf(&enc.source.told)
	}
	if who.customer == "" && enc.cfg.WithoutCustomer == WithoutCustomerDeviceID && !isRefused(who.device) {
		who.customer = who.device
	}
	return who, who.customer != ""
}

// customerOf is the best id that MoEngage takes for a customer.
func (enc *encoder) customerOf(t *told) string {
	for _, id := range t.customers {
		switch {
		case id == "":
		case isRefused(id):
			enc.noted[correctedCustomerID]++
		default:
			return id
		}
	}
	return ""
}

// told is what attributes tell of who and where.
type told struct {
	customers                []string // for each attribute that may hold an id
	device, platform         string
	installation, osPlatform string
}

// telling is the names of attributes that tell something, and a bit for the shape of each, by which most others are passed by.
type telling struct {
	from   []string
	shapes uint64
}

func newTelling(from []string) telling {
	names := telling{from: from}
	for _, name := range append([]string{attrDeviceID, attrInstallationID, attrOSName, attrSDKLanguage}, from...) {
		names.shapes |= shapeOf(name)
	}
	return names
}

func shapeOf(name string) uint64 { return 1 << ((uint(len(name))*5 + uint(name[0])) % 64) }

// has reports false for most names that tell nothing.
func (names *telling) has(name string) bool {
	return name != "" && (names.shapes&shapeOf(name) != 0 || name[0] == prefixBrowser[0])
}

// read walks the attributes once.
func (t *told) read(attributes pcommon.Map, names *telling) {
	from := names.from
	*t = told{customers: append(t.customers[:0], make([]string, len(from))...)}
	for name, v := range attributes.All() {
		if !names.has(name) {
			continue
		}
		if at := slices.Index(from, name); at >= 0 && t.customers[at] == "" {
			t.customers[at] = idText(v)
		}
		switch name {
		case attrDeviceID:
			t.device = idText(v)
		case attrInstallationID:
			t.installation = idText(v)
		case attrOSName:
			t.osPlatform = platformOfSystem(v)
		case attrSDKLanguage:
			if v.AsString() == "webjs" {
				t.platform = platformWeb
			}
		default:
			if strings.HasPrefix(name, prefixBrowser) {
				t.platform = platformWeb
			}
		}
	}
	if t.device == "" {
		t.device = t.installation
	}
	if t.osPlatform != "" {
		t.platform = t.osPlatform
	}
}

// idText is a value as an id, without the separator of ids.
func idText(v pcommon.Value) string { return cleanID(appevent.IDText(v)) }

// cleanID is s as UTF-8, without the separator of ids.
func cleanID(s string) string {
	if strings.Contains(s, separator) {
		s = strings.ReplaceAll(s, separator, "\uFFFD")
	}
	return appevent.ValidText(s)
}

// refusedIDs are customer ids, in any case, that MoEngage refuses, since many users would share them (moengage.com/docs/api,
// Data overview). The last are of the same sort, and stand in the lists of other vendors.
var refusedIDs = [...]string{
	"unknown", "guest", "null", "0", "1", "true", "false", "user_attribute_unique_id",
	"undefined", "none", "nan", "nil", "anonymous", "[object object]", "00000000-0000-0000-0000-000000000000",
}

// isRefused reports whether MoEngage refuses an id: one of the list, or one shorter than two characters.
func isRefused(id string) bool {
	id = strings.TrimSpace(id)
	if len(id) <= utf8.UTFMax && utf8.RuneCountInString(id) < 2 {
		return true
	}
	for _, refused := range refusedIDs {
		if len(id) == len(refused) && strings.EqualFold(id, refused) {
			return true
		}
	}
	return false
}
