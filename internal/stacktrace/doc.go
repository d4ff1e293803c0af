// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package stacktrace reads the text of exceptions, as runtimes print it, into exceptions and frames.
//
// A [Parser] takes the attribute exception.stacktrace, with exception.type and exception.message beside it, and makes a [Stack] of
// it: the exception that was thrown, its causes, and the frames of each, in the order that Sentry wants. It knows the forms of Java
// and Kotlin, Python, JavaScript, Go, .NET, PHP, Ruby, Rust, and Elixir and Erlang.
//
// Reading never fails. What no rule could read is not lost either: [Stack].Unparsed is then the text as it came. The time
// is linear in the length of the text whatever the text is, and what comes out is bounded:
//
//   - an exception, or a thread, has at most 1,000 frames. Of a longer one, which is a recursion as a rule, the 500 at
//     each end are kept, as Sentry's SDKs do.
//   - a stack has at most 50 exceptions and 100 threads. With more than that, the text is kept in Unparsed.
//
// Nothing is allocated for a frame: its strings are parts of the text, but for paths of Windows.
package stacktrace
