// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package jsonread reads JSON that is in memory, value by value, without making anything of it: strings and numbers are
// given as the bytes they were written in. It takes what RFC 8259 allows in the stricter form of RFC 7493: strings are
// UTF-8, and escaped surrogates come in pairs. Names that are given twice are for the caller to find.
//
// [Reader] checks all that it passes, skipped values too. Its errors are of type [SyntaxError] and repeat nothing of the
// text.
package jsonread
