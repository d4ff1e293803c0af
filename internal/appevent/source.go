// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package appevent

import (
	"strings"
	"unicode/utf8"

	"github.com/zeebo/xxh3"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// Source is shared by all events of one resource and scope. The pointer identifies it: an encoder
// may cache what it built for a Source.
type Source struct {
	// Resource and Scope are the pdata that the source is a view of.
	Resource pcommon.Resource
	Scope    pcommon.InstrumentationScope

	// ServiceName, ServiceNamespace, ServiceVersion and Environment name the application; empty if
	// absent.
	ServiceName, ServiceNamespace, ServiceVersion, Environment string
	// Language is the application's language, as in telemetry.sdk.language; empty if unknown.
	Language string
	// Folder is that of the application's main script, else the one it runs in; empty if unknown.
	Folder string

	digest   xxh3.Uint128
	digested bool
}

// NewSource returns the source of a resource and a scope.
func NewSource(resource pcommon.Resource, scope pcommon.InstrumentationScope) *Source {
	s := &Source{Resource: resource, Scope: scope}
	legacyEnvironment, runtime, command := "", "", ""
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
		case AttrProcessCommand:
			command = text(v)
		case AttrWorkingDirectory:
			s.Folder = text(v)
		}
	}
	if s.Environment == "" {
		s.Environment = legacyEnvironment
	}
	if s.Language == "" {
		s.Language = languageOfRuntime(runtime)
	}
	if i := strings.LastIndexAny(command, `/\`); i > 0 && isAbsolute(command) {
		s.Folder = command[:i]
	}
	return s
}

// isAbsolute reports whether a path begins at the root, of Unix or of a drive of Windows.
func isAbsolute(path string) bool {
	return path[0] == '/' || len(path) > 2 && path[1] == ':' && (path[2] == '/' || path[2] == '\\')
}

// languageOfRuntime returns the language of a runtime (process.runtime.name). A resource that an
// application builds itself often names its runtime but no SDK.
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
	case "php", "cli", "fpm-fcgi", "apache2handler": // PHP's SDK reports the SAPI
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

// text returns a value as a string: a string without a copy, a number or bool as JSON.
func text(v pcommon.Value) string {
	if s := v.Str(); s != "" {
		return s
	}
	return v.AsString()
}

// IDText returns a value as an id: a string as valid UTF-8, a number or bool as text, and the empty
// string for any other type. Some producers use numbers as ids.
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

// ValidText returns s with bytes that are not UTF-8 replaced by U+FFFD. Use it to measure text as
// it is written to JSON.
func ValidText(s string) string {
	if isShortASCII(s) || utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// isShortASCII is a fast path of utf8.ValidString for most ids and names.
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
