// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"slices"
	"strings"
	"unicode"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
)

// propIsServer tells PostHog that the operating system is the server's, not the person's
// (PostHog/posthog#61044).
const propIsServer = "$is_server"

// isServer reports whether the resource is a server, judging by its language. Programs in some of
// these languages also run on phones, which onDevice excludes. A resource without a language, such as
// that of events in JSON, counts as a server, unless an attribute of the record contradicts it (see
// isOfClient).
func (s *source) isServer() bool {
	return !s.onDevice && (s.of.Language == "" || isServerLanguage(s.of.Language))
}

func isServerLanguage(language string) bool {
	switch language {
	case "cpp", "dotnet", "erlang", "go", "java", "nodejs", "php", "python", "ruby", "rust":
		return true
	}
	return false
}

// isOfDevice reports whether the attribute identifies a device or a browser.
func isOfDevice(attribute string) bool {
	for _, prefix := range [...]string{"device.", "android.", "ios.", "browser."} {
		if strings.HasPrefix(attribute, prefix) {
			return true
		}
	}
	return false
}

// clientAttributes are the attributes with which libraries describe a phone or a browser, under
// OpenTelemetry's or PostHog's names.
var clientAttributes = [...]string{
	"device.id", "device.manufacturer", "device.model.identifier", "device.model.name", "device.type", "os.name", "os.version",
	"screen.width", "$os", "$browser", "$device_type", "$current_url", "$raw_user_agent",
}

// attrUserAgent is where track APIs put the user agent.
const attrUserAgent = "userAgent"

// clientNames is the set of the attributes that isOfClient reads.
func clientNames() nameSet {
	set := nameBit(attrUserAgent) | nameBit(appevent.AttrUserAgent) | nameBit(attrSDKName)
	for _, name := range clientAttributes {
		set |= nameBit(name)
	}
	return set
}

// isOfClient reports whether an attribute of a record shows that it comes from a phone or a browser.
func isOfClient(name string, v pcommon.Value) bool {
	switch name {
	case attrUserAgent, appevent.AttrUserAgent:
		return strings.HasPrefix(v.Str(), "Mozilla/")
	case attrSDKName:
		return !isServerLibrary(v.Str())
	}
	return slices.Contains(clientAttributes[:], name)
}

// isServerLibrary reports whether the library of a track API runs on servers: analytics-node,
// @rudderstack/rudder-sdk-node, Analytics.NET.
func isServerLibrary(name string) bool {
	for word := range strings.FieldsFuncSeq(strings.ToLower(name), func(r rune) bool { return !unicode.IsLetter(r) && r != '+' }) {
		switch word {
		case "node", "nodejs", "python", "ruby", "go", "golang", "java", "php", "net", "dotnet", "csharp", "rust", "elixir", "cpp", "c++":
			return true
		}
	}
	return false
}
