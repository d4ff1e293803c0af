// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package appevent

import (
	"strings"
	"unicode/utf8"

	"github.com/zeebo/xxh3"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// Source is what all events of one resource and scope have in common. An encoder that meets the same pointer
// again can use again what it made of it.
type Source struct {
	// Resource and Scope are the pdata that the source is a view of.
	Resource pcommon.Resource
	Scope    pcommon.InstrumentationScope

	// The parts of the resource that name the application; empty where absent.
	ServiceName, ServiceNamespace, ServiceVersion, Environment string
	// Language is that of the application, in the words of telemetry.sdk.language; empty where the resource does not tell.
	Language string

	digest   xxh3.Uint128
	digested bool
}

// NewSource returns the source of a resource and a scope.
func NewSource(resource pcommon.Resource, scope pcommon.InstrumentationScope) *Source {
	s := &Source{Resource: resource, Scope: scope}
	legacyEnvironment, runtime := "", ""
	for k, v := range resource.Attributes().All() {
		switch k {
		case AttrServiceName:
			s.ServiceName = text(v)
		case AttrServiceNamespace:
			s.ServiceNamespace = text(v)
		case AttrServiceVersion:
			s.ServiceVersion = text(v)
		case AttrEnvironment:
			s.Environment = text(v)
		case AttrLegacyEnvironment:
			legacyEnvironment = text(v)
		case AttrSDKLanguage:
			s.Language = text(v)
		case AttrRuntimeName:
			runtime = text(v)
		}
	}
	if s.Environment == "" {
		s.Environment = legacyEnvironment
	}
	if s.Language == "" {
		s.Language = languageOfRuntime(runtime)
	}
	return s
}

// languageOfRuntime is the language that a runtime of this name runs: a resource of the application's own often has its runtime, but
// not its SDK.
func languageOfRuntime(name string) string {
	switch name = strings.ToLower(name); name {
	case "nodejs", "node":
		return "nodejs"
	case "browser":
		return "webjs"
	case "cpython", "pypy", "python":
		return "python"
	case "go", "gc", "gccgo":
		return "go"
	case "php", "cli", "fpm-fcgi", "apache2handler": // PHP's SDK tells how it is run
		return "php"
	case "ruby", "jruby", "truffleruby":
		return "ruby"
	case "beam":
		return "erlang"
	case "mono":
		return "dotnet"
	}
	switch {
	case strings.HasPrefix(name, ".net"):
		return "dotnet"
	case strings.Contains(name, "jdk"), strings.Contains(name, "java"), strings.Contains(name, "jre"), strings.Contains(name, "graalvm"):
		return "java"
	}
	return ""
}

// text is a value as a string: itself without a copy, a number or a bool as its JSON.
func text(v pcommon.Value) string {
	if s := v.Str(); s != "" {
		return s
	}
	return v.AsString()
}

// IDText is a value as an id, which is a string or, with some producers, a number: valid UTF-8, and empty for any other value.
func IDText(v pcommon.Value) string {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return ValidText(v.Str())
	case pcommon.ValueTypeInt, pcommon.ValueTypeDouble, pcommon.ValueTypeBool:
		return v.AsString()
	default:
		return ""
	}
}

// ValidText is s as UTF-8, in which U+FFFD stands for bytes that are none. JSON holds it as it is, where s might become longer.
func ValidText(s string) string {
	if isShortASCII(s) || utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// isShortASCII is utf8.ValidString for what most ids and names are, in less time.
func isShortASCII(s string) bool {
	if len(s) > 24 {
		return false
	}
	var all byte
	for i := range len(s) {
		all |= s[i]
	}
	return all < utf8.RuneSelf
}
