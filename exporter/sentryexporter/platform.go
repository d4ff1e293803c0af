// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import "github.com/otelcol-fanout/otelcol-fanout/internal/stacktrace"

// otherPlatform is Sentry's name for all platforms without a name of their own.
const otherPlatform = "other"

// platformOf returns Sentry's name of the platform for a value of telemetry.sdk.language, or for
// a language of package stacktrace other than javascript (Relay's VALID_PLATFORMS).
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

// issuePlatform returns the platform of the resource or, if that is unknown, of the stack.
func (s *source) issuePlatform(stack *stacktrace.Stack) string {
	switch {
	case s.platform != otherPlatform:
		return s.platform
	case stack.IsNode():
		return "node"
	case stack.Language == stacktrace.JavaScript:
		return "javascript"
	}
	return platformOf(stack.Language.String())
}
