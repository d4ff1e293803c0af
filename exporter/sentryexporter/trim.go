// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

// trim says how much to leave out of an item that is too large. Each step includes the previous ones.
type trim int

const (
	trimNothing trim = iota
	// trimFrames keeps the outermost exceptions, and the first and last frames of each.
	trimFrames
	// trimLong shortens long attributes, and leaves out breadcrumbs.
	trimLong
	// trimAttributes leaves out the attributes.
	trimAttributes
	// trimBody shortens every text.
	trimBody
)

// withinLimit appends an item. It trims the item step by step until it has at most limit bytes.
func withinLimit(dst []byte, limit int, write func(dst []byte, t trim) []byte) []byte {
	start := len(dst)
	for t := trimNothing; ; t++ {
		dst = write(dst[:start], t)
		if len(dst)-start <= limit || t == trimBody {
			return dst
		}
	}
}

// How much trimming keeps: so little that any item is below 32 KiB.
const (
	fewFrames     = 50
	fewExceptions = 10
	leastFrames   = 4
	leastCauses   = 2
	shortText     = 160
)

const fewStackBytes = 8 << 10

// Limits of an Issue that is not trimmed, as in Sentry's SDKs (Sentry's SDK documentation, "Stack
// Trace Interface").
const (
	maxExceptions = 50
	maxFrames     = 1000
)

// note returns text for the item itself that says what was left out. It is empty if nothing was.
func (t trim) note() string {
	return [...]string{"", "frames", "frames, long attributes", "frames, attributes", "frames, attributes, body"}[t]
}

// text returns the part of s that t keeps.
func (t trim) text(s string) string {
	if t < trimBody {
		return s
	}
	return cut(s, shortText)
}

// stack returns the part of a stack that t keeps, if the stack could not be parsed.
func (t trim) stack(s string) string {
	switch {
	case t >= trimBody:
		return cut(s, shortText)
	case t >= trimFrames:
		return cut(s, fewStackBytes)
	}
	return s
}

// exceptions returns how many exceptions t keeps, and frames how many frames of each.
func (t trim) exceptions() int {
	switch {
	case t >= trimBody:
		return leastCauses
	case t >= trimFrames:
		return fewExceptions
	}
	return maxExceptions
}

func (t trim) frames() int {
	switch {
	case t >= trimBody:
		return leastFrames
	case t >= trimFrames:
		return fewFrames
	}
	return maxFrames
}
