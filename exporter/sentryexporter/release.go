// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"strings"
	"unicode"
)

// Limits of these names in bytes (Relay's protocol/event.rs and getsentry/sentry-release-parser).
const (
	maxRelease     = 200
	maxEnvironment = 64
	maxDist        = 64
)

// releaseOf returns the release of a service (Sentry's documentation, "Releases"). With the format
// name@version, a version that contains an @ is already such a release.
func releaseOf(format ReleaseFormat, service, version string) string {
	service, version = strings.TrimSpace(service), strings.TrimSpace(version)
	if service == "" || format == ReleaseVersion || version == "" || isReservedRelease(version) || strings.Contains(version, "@") {
		return releaseName(version)
	}
	// Sentry looks for the version after the first @. One before the name is that of npm's scopes.
	name := service[:1] + strings.ReplaceAll(service[1:], "@", "-")
	return releaseName(name + "@" + version)
}

// releaseName returns a release without the characters that Sentry refuses, and nothing if it refuses
// the name as such.
func releaseName(release string) string {
	release = withoutRunes(strings.TrimSpace(release), func(r rune) bool { return r == '/' || r == '\\' || unicode.IsControl(r) })
	if len(release) > maxRelease || isReservedRelease(release) {
		return ""
	}
	return release
}

func isReservedRelease(name string) bool {
	return name == "." || name == ".." || strings.EqualFold(name, "latest")
}

// environmentName returns an environment without the characters that Sentry refuses, and nothing if it
// refuses the name as such (Sentry's documentation, "Environments").
func environmentName(environment string) string {
	environment = withoutRunes(strings.TrimSpace(environment), func(r rune) bool {
		return r == '/' || unicode.IsSpace(r) || unicode.IsControl(r)
	})
	if len(environment) > maxEnvironment || environment == "." || environment == ".." || strings.EqualFold(environment, "none") {
		return ""
	}
	return environment
}

// distName returns a distribution without the characters that Sentry refuses, and nothing if it is too
// long.
func distName(dist string) string {
	dist = withoutRunes(strings.TrimSpace(dist), func(r rune) bool { return !isAlphanumeric(r) && r != '_' && r != '.' && r != '-' })
	if len(dist) > maxDist {
		return ""
	}
	return dist
}

func isAlphanumeric(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}

// withoutRunes replaces each odd character with a dash.
func withoutRunes(s string, odd func(rune) bool) string {
	return strings.Map(func(r rune) rune {
		if odd(r) {
			return '-'
		}
		return r
	}, s)
}
