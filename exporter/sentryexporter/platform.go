// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import "github.com/otelcol-fanout/otelcol-fanout/internal/stacktrace"

// otherPlatform is Sentry's word for all other platforms.
const otherPlatform = "other"

// platformOf returns Sentry's word for a language (Relay's VALID_PLATFORMS). The language is named as
// in telemetry.sdk.language.
func platformOf(language string) string {
	switch language {
	case "java", "python", "go", "ruby", "php", "elixir", "perl", "haskell", "groovy":
		return language
	case "kotlin":
		return "java"
	case "nodejs":
		return "node"
	case "webjs":
		return "javascript"
	case "dotnet":
		return "csharp"
	case "erlang":
		return "elixir"
	case "cpp", "rust":
		return "native"
	case "swift":
		return "cocoa"
	}
	return otherPlatform
}

// platformOf returns the platform of the resource or, if that is unknown, of the stack.
func (s *source) platformOf(stack *stacktrace.Stack) string {
	if s.platform != otherPlatform {
		return s.platform
	}
	switch stack.Language {
	case stacktrace.Java:
		return "java"
	case stacktrace.Python:
		return "python"
	case stacktrace.JavaScript:
		if stack.IsNode() {
			return "node"
		}
		return "javascript"
	case stacktrace.Go:
		return "go"
	case stacktrace.DotNet:
		return "csharp"
	case stacktrace.PHP:
		return "php"
	case stacktrace.Ruby:
		return "ruby"
	case stacktrace.Rust:
		return "native"
	case stacktrace.Elixir:
		return "elixir"
	case stacktrace.Swift:
		return "cocoa"
	}
	return otherPlatform
}
