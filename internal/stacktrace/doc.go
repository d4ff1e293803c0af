// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package stacktrace parses the text of exceptions, as runtimes print it, into exceptions and
// frames.
//
// A [Parser] turns the attribute exception.stacktrace, with exception.type and exception.message,
// into a [Stack]: the exception that was thrown, its causes, and the frames of each, in the order
// that Sentry expects. It supports Java and Kotlin, Python, JavaScript, Go, .NET, PHP, Ruby, Rust,
// Elixir and Erlang, Dart and Flutter, and Swift.
//
// It also reads thread dumps: the thread that crashed, else the main one, becomes the exception, and
// the others become [Stack].Threads.
//
// A line among the frames that is not itself a frame ends the exception or begins another one. Frames
// below it never join the exception above, because a missing stack is better than a wrong one.
//
// parser.go detects the language (sniff.go) and calls its reader, which is in the file named for the
// language; where one line of a language takes many forms, *_frame.go or *_call.go parse it. A reader looks
// at one line after another (lines.go) and adds exceptions, threads and frames to
// the builder (builder.go), which orders and bounds them. inapp.go decides which frames are the
// application's.
//
// Parsing never fails. If a part of the text matches no rule, [Stack].Unparsed holds the whole
// text, so that nothing is lost. Parsing takes linear time for any text, and the result is bounded:
//
//   - An exception or a thread has at most 1,000 frames. A longer stack is usually a recursion; the
//     500 frames at each end are kept, as in Sentry's SDKs.
//   - A stack has at most 50 exceptions and 100 threads. Beyond that, Unparsed holds the text.
//
// Terminal color codes are removed first. Frames need no allocation: their strings are substrings of
// the remaining text, except for Windows paths. Text with logcat's prefixes or Monolog's JSON is
// copied once.
package stacktrace
