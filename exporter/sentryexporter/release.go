// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"strings"
	"unicode"
)

// Limits of a release, an environment and a distribution in bytes (Relay's protocol/event.rs and
// getsentry/sentry-release-parser).
const (
	maxRelease     = 200
	maxEnvironment = 64
	maxDist        = 64
)

// releaseOf returns the release of a service (Sentry's documentation, "Releases"). A version that
// contains an @ already has the format name@version.
func releaseOf(format ReleaseFormat, service, version string) string {
	service, version = strings.TrimSpace(service), strings.TrimSpace(version)
	if service == "" || format == ReleaseVersion || version == "" || isReservedRelease(version) || strings.Contains(version, "@") {
		return releaseName(version)
	}
	// Sentry takes what follows the first @ for the version, except after a leading @ (npm's scopes).
	name := service[:1] + strings.ReplaceAll(service[1:], "@", "-")
	return releaseName(name + "@" + version)
}

// releaseName returns a release without the characters that Sentry refuses. It is empty if Sentry
// refuses the name itself.
func releaseName(release string) string {
	release = dashed(strings.TrimSpace(release), func(r rune) bool { return r == '/' || r == '\\' || unicode.IsControl(r) })
	if len(release) > maxRelease || isReservedRelease(release) {
		return ""
	}
	return release
}

func isReservedRelease(name string) bool {
	return name == "." || name == ".." || strings.EqualFold(name, "latest")
}

// environmentName returns an environment without the characters that Sentry refuses. It is empty if
// Sentry refuses the name itself (Sentry's documentation, "Environments").
func environmentName(environment string) string {
	environment = dashed(strings.TrimSpace(environment), func(r rune) bool {
		return r == '/' || r == '\\' || unicode.IsSpace(r) || unicode.IsControl(r)
	})
	if len(environment) > maxEnvironment || environment == "." || environment == ".." || strings.EqualFold(environment, "none") {
		return ""
	}
	return environment
}

// distName returns a distribution without the characters that Sentry refuses. It is empty if it is too
// long.
func distName(dist string) string {
	dist = dashed(strings.TrimSpace(dist), func(r rune) bool { return !isAlphanumeric(r) && r != '_' && r != '.' && r != '-' })
	if len(dist) > maxDist {
		return ""
	}
	return dist
}

func isAlphanumeric(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}

// dashed replaces each character for which isRefused is true with a dash.
func dashed(s string, isRefused func(rune) bool) string {
	return strings.Map(func(r rune) rune {
		if isRefused(r) {
			return '-'
		}
		return r
	}, s)
}
