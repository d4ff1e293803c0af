// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import (
	"slices"
	"strings"
)

// Language is that of the program which printed a stack. The zero value is for the parser to find out.
type Language uint8

// The languages whose stacks can be read.
const (
	Unknown    Language = iota
	Java                // and Kotlin, Scala, Groovy, Clojure: whatever runs on a JVM
	Python              // CPython's traceback
	JavaScript          // V8 (Node, Chromium), Firefox, Safari
	Go                  // panics, runtime.Stack, goroutine dumps
	DotNet              // Exception.ToString of .NET, .NET Framework and Mono
	PHP                 // PHP's own form, and the one of the OpenTelemetry SDK
	Ruby                // full_message in both orders, and plain backtraces
	Rust                // panics, std::backtrace, anyhow
	Elixir              // and Erlang
)

// LanguageOf is the language that the resource attribute telemetry.sdk.language names
// (https://opentelemetry.io/docs/specs/semconv/registry/attributes/telemetry/), and Unknown for all other words.
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
	default:
		return Unknown
	}
}

// String is the language's name in lower case, "unknown" for Unknown.
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
	default:
		return "unknown"
	}
}

// Stack is what the text of an exception says.
type Stack struct {
	// Language is the one that the text was read as; Unknown when no frame was found and no hint was given.
	Language Language
	// Exceptions begins with the one that was thrown. The others come after their parent. It is empty only for an exception of
	// which nothing is known: no type, no message, no text.
	Exceptions []Exception
	// Threads are the other threads of a dump, such as Go's goroutines; empty for most stacks.
	Threads []Thread
	// Unparsed is the whole text when some of it was not understood, and empty when all of it was.
	Unparsed string
}

// OfNode reports whether a stack of JavaScript is one of Node: a frame is in a file or in Node itself, where those of browsers are at
// URLs.
func (s *Stack) OfNode() bool {
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

func isNodePath(path string) bool {
	return strings.HasPrefix(path, "node:") || strings.HasPrefix(path, "/") || len(path) > 2 && path[1] == ':' && (path[2] == '\\' || path[2] == '/')
}

// Exception is one exception of a chain or a group.
type Exception struct {
	// Type is the whole one, with its namespace: java.lang.IllegalStateException.
	Type string
	// Module is the namespace, package or module of the type: java.lang. Empty where the language does not print it.
	Module string
	// Message is the whole one, with all its lines.
	Message string
	// Frames begins with the oldest call. The last one is where the exception was thrown.
	Frames []Frame
	// Parent is the place in Stack.Exceptions of the exception that this one belongs to; -1 for the one that was thrown.
	Parent int
	// Relation is what this one is to its parent, in the words of the language: cause, suppressed[0], __context__,
	// exceptions[1], InnerException. Sentry's mechanism.source. Empty for the one that was thrown.
	Relation string
	// Group tells that the exception stands for several: ExceptionGroup, AggregateException, AggregateError.
	Group bool
}

// Frame is one call.
type Frame struct {
	// Function is without its arguments, and without the module where that is known. A frame that has neither a function nor a
	// file has the function "?".
	Function string
	// Module is what the function belongs to: a class in Java, .NET and PHP, a package in Go, a path in Rust, a module in Elixir.
	Module string
	// Package is what the code was delivered in, where the text tells: a jar, a Java module, a gem, an application of Erlang.
	Package string
	// Filename is relative to the package for libraries, and for what webpack made. Else it is, where frames have a module that tells
	// them apart (Java, Go, .NET, Rust), short; where they have none the whole path, with slashes, or the URL.
	Filename string
	// AbsPath is the path or the URL as printed, without file://, where that is not Filename.
	AbsPath string
	// Line and Column count from 1; 0 is unknown.
	Line, Column int
	// ContextLine is the source line, without its indentation, where the text has it.
	ContextLine string
	// InApp tells the code of the application from that of its libraries and its runtime; see Rules.
	InApp bool
	// Native tells that the frame has no source: native code, or code of the runtime.
	Native bool
}

// Thread is one of the threads in a dump that did not throw.
type Thread struct {
	// ID is the number of the thread or goroutine, Name its name where it has one, State what it was doing: "chan receive, 5 minutes".
	ID, Name, State string
	// Frames begins with the oldest call.
	Frames []Frame
}
