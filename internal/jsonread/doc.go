// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package jsonread is a pull parser for JSON in memory. It decodes nothing: strings and numbers are
// returned as the bytes they are written in. It accepts RFC 8259 JSON within the limits of RFC 7493
// (I-JSON): strings are valid UTF-8, and surrogate escapes come in pairs. Unlike RFC 7493 it allows
// repeated names; detecting them is the caller's job.
//
// [Reader] validates everything it passes over, including skipped values. Its errors have the type
// [SyntaxError] and never repeat any of the input.
package jsonread
