// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestReleaseIsOneThatSentryAccepts(t *testing.T) {
	for _, c := range []struct{ service, version, withName, versionOnly string }{
		{"shop", "1.2.3", "shop@1.2.3", "1.2.3"},
		{"shop", "", "", ""},
		{"", "1.2.3", "1.2.3", "1.2.3"},
		{" shop ", " 1.2.3\n", "shop@1.2.3", "1.2.3"},
		{"shop", "LATEST", "", ""},
		{"shop", ".", "", ""},
		{"shop", "..", "", ""},
		{"shop", "1/2\\3\t4\f5", "shop@1-2-3-4-5", "1-2-3-4-5"},
		{"shop", "till@1.2.3", "till@1.2.3", "till@1.2.3"},
		{"@acme/shop", "1.2.3", "@acme-shop@1.2.3", "1.2.3"},
		{"shop@eu", "1.2.3", "shop-eu@1.2.3", "1.2.3"},
		{"shop", strings.Repeat("1", 196), "", strings.Repeat("1", 196)},
		{"shop", strings.Repeat("é", 101), "", ""},
	} {
		assert.Equal(t, c.withName, releaseOf(ReleaseNameVersion, c.service, c.version), c)
		assert.Equal(t, c.versionOnly, releaseOf(ReleaseVersion, c.service, c.version), c)
	}
}

func TestEnvironmentIsOneThatSentryAccepts(t *testing.T) {
	for _, c := range [][2]string{
		{"production", "production"},
		{" qa ", "qa"},
		{"eu/prod one\t2", "eu-prod-one-2"},
		{"eu\\prod", "eu-prod"},
		{"none", ""},
		{"None", ""},
		{"nONE ", ""},
		{".", ""},
		{"..", ""},
		{"", ""},
		{strings.Repeat("e", 64), strings.Repeat("e", 64)},
		{strings.Repeat("e", 65), ""},
	} {
		assert.Equal(t, c[1], environmentName(c[0]), c[0])
	}
}

func TestDistIsOneThatSentryAccepts(t *testing.T) {
	for _, c := range [][2]string{
		{"77", "77"},
		{"a.B_c-9", "a.B_c-9"},
		{" build 7 ", "build-7"},
		{"7:1/ä", "7-1--"},
		{"", ""},
		{strings.Repeat("7", 64), strings.Repeat("7", 64)},
		{strings.Repeat("7", 65), ""},
	} {
		assert.Equal(t, c[1], distName(c[0]), c[0])
	}
}

func TestPlatformIsOneOfSentrys(t *testing.T) {
	for language, want := range map[string]string{
		"cpp": "native", "dotnet": "csharp", "elixir": "elixir", "erlang": "elixir", "go": "go", "java": "java", "kotlin": "java", "nodejs": "node",
		"php": "php", "python": "python", "ruby": "ruby", "rust": "native", "swift": "cocoa", "webjs": "javascript", "dart": "other", "cobol": "other", "": "other",
	} {
		assert.Equal(t, want, platformOf(language), language)
	}
}
