// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import (
	"slices"
	"strings"
)

// Language is the language of the program that printed a stack. The zero value lets the parser
// detect it.
type Language uint8

// The supported languages.
const (
	Unknown    Language = iota
	Java                // and Kotlin, Scala, Groovy, Clojure: every JVM language; Android
	Python              // CPython's traceback and faulthandler, IPython
	JavaScript          // V8 (Node, Chromium), Firefox, Safari, Hermes
	Go                  // panics, runtime.Stack, goroutine dumps, and the errors of libraries
	DotNet              // Exception.ToString of .NET, .NET Framework and Mono, and Unity
	PHP                 // PHP's own format, and the OpenTelemetry SDK's
	Ruby                // full_message in both orders, plain backtraces, Rails' log, and JRuby
	Rust                // panics, std::backtrace, and the reports of error libraries
	Elixir              // and Erlang, with the reports of crashed processes
	Dart                // and Flutter, on the web too
	Swift               // and Objective-C: crash reports, uncaught exceptions
)

// LanguageOf returns the language for a value of the resource attribute telemetry.sdk.language
// (https://opentelemetry.io/docs/specs/semconv/registry/attributes/telemetry/), and Unknown for any
// other value.
func LanguageOf(sdkLanguage string) Language {
	switch sdkLanguage {
	case "java":
		return Java
	case "python":
		return Python
	case "nodejs", "webjs":
		return JavaScript
	case "go":
		return Go
	case "dotnet":
		return DotNet
	case "php":
		return PHP
	case "ruby":
		return Ruby
	case "rust":
		return Rust
	case "erlang", "elixir":
		return Elixir
	case "dart":
		return Dart
	case "swift":
		return Swift
	default:
		return Unknown
	}
}

// String returns the language's name in lower case, "unknown" for Unknown.
func (l Language) String() string {
	switch l {
	case Java:
		return "java"
	case Python:
		return "python"
	case JavaScript:
		return "javascript"
	case Go:
		return "go"
	case DotNet:
		return "dotnet"
	case PHP:
		return "php"
	case Ruby:
		return "ruby"
	case Rust:
		return "rust"
	case Elixir:
		return "elixir"
	case Dart:
		return "dart"
	case Swift:
		return "swift"
	default:
		return "unknown"
	}
}

// Stack is a parsed stack trace.
type Stack struct {
	// Language is the language the text was parsed as. It is Unknown if no frame was found and the
	// caller gave no language.
	Language Language
	// Exceptions begins with the exception that was thrown; every other one follows its parent. It
	// is empty only if the type, message and text are all empty.
	Exceptions []Exception
	// Threads are the other threads of a dump, such as goroutines. Most stacks have none.
	Threads []Thread
	// Unparsed is the whole text, without colors, if a part of it was not understood, else empty.
	Unparsed string
}

// IsNode reports whether a JavaScript stack comes from Node.js: at least one frame is in a file or
// in Node.js itself. Frames in browsers are at URLs.
func (s *Stack) IsNode() bool {
	if s.Language != JavaScript {
		return false
	}
	for i := range s.Exceptions {
		if slices.ContainsFunc(s.Exceptions[i].Frames, func(f Frame) bool { return isNodePath(f.path()) }) {
			return true
		}
	}
	return false
}

// isNodePath reports whether the path is a file's or Node.js's own. React Native runs bundles in
// files too.
func isNodePath(path string) bool {
	if strings.HasSuffix(path, "bundle") || strings.HasSuffix(path, ".hbc") || strings.HasSuffix(path, "/InternalBytecode.js") {
		return false
	}
	return strings.HasPrefix(path, "node:") || strings.HasPrefix(path, "/") || len(path) > 2 && path[1] == ':' && (path[2] == '\\' || path[2] == '/')
}

// Exception is one exception of a chain or group.
type Exception struct {
	// Type is the full name, with its namespace: java.lang.IllegalStateException.
	Type string
	// Module is the namespace, package or module of the type: java.lang. It is empty if the
	// language does not print it.
	Module string
	// Message is the full message, which may have several lines.
	Message string
	// Frames begins with the oldest call and ends where the exception was thrown.
	Frames []Frame
	// Parent is the index in Stack.Exceptions of the exception this one belongs to, -1 for the one
	// that was thrown.
	Parent int
	// Relation is the exception's role in its parent, in the language's terms: cause,
	// suppressed[0], __context__, exceptions[1], InnerException. It is Sentry's mechanism.source,
	// and empty for the one that was thrown.
	Relation string
	// Group is true for an exception that holds several: ExceptionGroup, AggregateException,
	// AggregateError.
	Group bool
}

// Frame is one call.
type Frame struct {
	// Function has no arguments, and no module if Module is set. It is "?" for anonymous functions in
	// JavaScript and for frames with neither a function nor a file. Otherwise an unknown function is
	// empty, as in a frame that is only a location.
	Function string
	// Module contains the function: a class in Java, .NET and PHP, a package in Go, a path in
	// Rust, a module in Elixir, a file of Node.js ("express.lib:router").
	Module string
	// Package is the package that the code was distributed in, if the text names it: a jar, a
	// Java module, a gem, an Erlang application.
	Package string
	// Filename is relative to the package for libraries and webpack bundles. Otherwise it is the
	// base name if frames have a module (Java, Go, .NET, Rust), else the whole path, with slashes,
	// or the URL.
	Filename string
	// AbsPath is the path or URL as printed, without file://, if it differs from Filename.
	AbsPath string
	// Line and Column count from 1; 0 means unknown.
	Line, Column int
	// ContextLine is the source line without indentation, if the text has it.
	ContextLine string
	// InApp is true for the application's own code, false for libraries and the runtime. See
	// [Rules].
	InApp bool
	// Native is true if the frame has no source: native code or the runtime's.
	Native bool
}

// Thread is a thread in a dump that did not throw.
type Thread struct {
	// ID is the number of the thread or goroutine, Name its name or empty, State what it was doing:
	// "chan receive, 5 minutes".
	ID, Name, State string
	// Frames begins with the oldest call.
	Frames []Frame
}
