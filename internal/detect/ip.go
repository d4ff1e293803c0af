// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"net/netip"
	"strings"
)

// maxIP is the length of the longest textual IP address without a zone.
const maxIP = len("0000:0000:0000:0000:0000:ffff:255.255.255.255")

// IPAddresses finds IPv4 addresses of four decimal numbers, and IPv6 addresses (RFC 4291) with at
// least one decimal digit, so that A::B of a programming language is none. A version of four numbers
// cannot be told from an address.
func IPAddresses(dst []Extent, text string) []Extent {
	for i := 0; i < len(text); i++ {
		if !isAddress(text[i]) {
			continue
		}
		end := i
		for end < len(text) && isAddress(text[end]) {
			end++
		}
		if start := addressStart(text, i, end); endsWord(text, end) && beginsWord(text, start) && !isProductVersion(text, start, end) {
			dst = addresses(dst, text, start, end)
		}
		i = end
	}
	return dst
}

func isAddress(c byte) bool {
	return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' || c == ':' || c == '.'
}

// addressStart returns where an address in a run of its characters may begin: after dots, and after a
// word and its colon, as in ipv4:192.0.2.7 of gRPC.
func addressStart(text string, start, end int) int {
	for start < end && text[start] == '.' {
		start++
	}
	run := text[start:end]
	colon := strings.IndexByte(run, ':')
	if colon < 0 || strings.HasPrefix(run[colon:], "::") && beginsWord(text, start) {
		return start
	}
	if !beginsWord(text, start) || isLetters(run[:colon]) && strings.Count(run, ".") >= 3 && strings.Count(run, ":") <= 2 {
		return start + colon + 1
	}
	return start
}

func isLetters(word string) bool {
	for i := range len(word) {
		if !isLetter(word[i]) {
			return false
		}
	}
	return true
}

// isProductVersion reports whether the run is a version such as Chrome/120.0.0.0 of the header User-Agent, or
// Version=8.0.0.0 of .NET's assemblies. As addresses, they would be those of networks.
func isProductVersion(text string, start, end int) bool {
	return start >= 2 && (text[start-1] == '/' || text[start-1] == '=') && isASCIIWord(text[start-2]) && strings.HasSuffix(text[start:end], ".0.0.0")
}

// addresses finds the address in a run of its characters. A full stop may follow it, and a port an IPv4
// address.
func addresses(dst []Extent, text string, start, end int) []Extent {
	for end > start && (text[end-1] == '.' || text[end-1] == ':' && !strings.HasSuffix(text[start:end], "::")) {
		end--
	}
	run := text[start:end]
	if colon := strings.IndexByte(run, ':'); colon > 0 && strings.Count(run[:colon], ".") == 3 { // a port
		end = start + colon
		run = text[start:end]
	}
	if len(run) > maxIP || !strings.ContainsAny(run, "0123456789") {
		return dst
	}
	if _, err := netip.ParseAddr(run); err != nil {
		return dst
	}
	return append(dst, Extent{start, end})
}
