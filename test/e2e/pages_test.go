// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// pages returns the Markdown files of the repository by path.
func pages(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains([]string{"node_modules", ".venv", ".git"}, entry.Name()):
			return filepath.SkipDir
		case filepath.Ext(path) != ".md":
			return nil
		}
		text, err := os.ReadFile(path)
		found[path] = string(text)
		return err
	}))
	require.Contains(t, found, filepath.Join(root, "README.md"))
	return found
}

var pageLink = regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)

func TestPageLinksResolve(t *testing.T) {
	t.Parallel()
	for page, text := range pages(t) {
		for _, link := range pageLink.FindAllStringSubmatch(text, -1) {
			_, err := os.Stat(filepath.Join(filepath.Dir(page), link[1]))
			assert.NoError(t, err, "a link of %s", page)
		}
	}
}

var pageHeading = regexp.MustCompile(`(?m)^#+ (.*)$`)

func TestHeadingLinksResolve(t *testing.T) {
	t.Parallel()
	all := pages(t)
	for page, text := range all {
		for _, link := range regexp.MustCompile(`\]\(([^)#:]*)#([^)]+)\)`).FindAllStringSubmatch(text, -1) {
			to := page
			if link[1] != "" {
				to = filepath.Join(filepath.Dir(page), link[1])
			}
			var anchors []string
			for _, heading := range pageHeading.FindAllStringSubmatch(all[to], -1) {
				anchors = append(anchors, anchorOf(heading[1]))
			}
			assert.Contains(t, anchors, link[2], "a link of %s", page)
		}
	}
}

// anchorOf returns GitHub's anchor for a heading.
func anchorOf(heading string) string {
	kept := regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(strings.ToLower(heading), "")
	return strings.ReplaceAll(kept, " ", "-")
}

// shownVariables are the variables that configurations on pages read.
var shownVariables = []string{
	"SENTRY_ENABLED=true", "SENTRY_DSN=http://key@127.0.0.1:1/42", "POSTHOG_API_KEY=phc_0123456789abcdefghij",
	"MOENGAGE_WORKSPACE_ID=w", "MOENGAGE_API_KEY=k", "AUDIT_ENABLED=true", "AUDIT_URL=" + aURL, "CRM_ENABLED=true", "CRM_URL=" + aURL,
	"WEBHOOK_URL=" + aURL, "WEBHOOK_SECRET=" + "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "FANOUT_DATA_DIR=/tmp",
	"GITHUB_WEBHOOK_SECRET=s", "SLACK_SIGNING_SECRET=s", "ZOOM_SECRET_TOKEN=s", "TWITCH_EVENTSUB_SECRET=s", "META_APP_SECRET=s", "META_VERIFY_TOKEN=s", "X_CONSUMER_SECRET=s",
	"DROPBOX_APP_SECRET=s", "GRAPH_CLIENT_STATE=s", "PRIVACY_KEY=0123456789abcdef0123456789abcdef",
}

var yamlBlock = regexp.MustCompile("(?s)```yaml\n(.*?)\n```")

// Only complete configurations, with receivers and a service, are checked.
func TestConfigurationsOnPagesAreValid(t *testing.T) {
	t.Parallel()
	for page, text := range pages(t) {
		for i, block := range yamlBlock.FindAllStringSubmatch(text, -1) {
			whole := strings.Contains("\n"+block[1], "\nreceivers:") && strings.Contains(block[1], "\nservice:")
			if !whole || strings.Contains(page, filepath.Join("examples", "backend")) || strings.HasSuffix(page, "adding-a-backend.md") {
				continue // of an exporter that is not in the binary
			}
			t.Run(page+" "+strconv.Itoa(i+1), func(t *testing.T) {
				t.Parallel()
				end := run(t, shownVariables, "validate", "--config", writeConfig(t, block[1]))
				assert.Zero(t, end.code)
				assert.Empty(t, end.stderr, block[1])
			})
		}
	}
}

func TestEnvironmentPageListsAllVariables(t *testing.T) {
	t.Parallel()
	read := func(path string) string {
		text, err := os.ReadFile(filepath.Join(root, path))
		require.NoError(t, err)
		return string(text)
	}
	inConfig, onPage := map[string]string{}, map[string]string{}
	shipped := regexp.MustCompile(`(?m)#.*$`).ReplaceAllString(read("config.yaml"), "")
	for _, found := range regexp.MustCompile(`\$\{env:(\w+):-([^}]*)\}`).FindAllStringSubmatch(shipped, -1) {
		inConfig[found[1]] = found[2]
	}
	for _, row := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\| (?:`([^`]*)`)?").FindAllStringSubmatch(read("docs/environment.md"), -1) {
		onPage[row[1]] = row[2]
	}
	assert.Equal(t, inConfig, onPage)
	assert.Equal(t, strings.Count(shipped, "${env:"), strings.Count(shipped, ":-"), "every variable has a default, even if it is empty")
}

var provenBy = regexp.MustCompile(`\[(Test\w+)\]\(([^)]+)\)`)

func TestPromisesNameExistingTests(t *testing.T) {
	t.Parallel()
	page := filepath.Join(root, "docs", "promises.md")
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	for _, row := range regexp.MustCompile(`(?m)^\| P\d+ \|.*$`).FindAllString(string(text), -1) {
		assert.Regexp(t, provenBy, row, "a promise without a test")
	}
	for _, test := range provenBy.FindAllStringSubmatch(string(text), -1) {
		file, err := os.ReadFile(filepath.Join(filepath.Dir(page), test[2]))
		require.NoError(t, err)
		assert.Contains(t, string(file), "func "+test[1]+"(", test[2])
	}
}

// TestMetricsOnPagesExist compares the metrics that pages name with those that components document.
// Prometheus adds _bucket, _sum and _count to the names of histograms.
func TestMetricsOnPagesExist(t *testing.T) {
	t.Parallel()
	heading := regexp.MustCompile(`(?m)^### (otelcol_\w+)$`)
	var documented []string
	for path, text := range pages(t) {
		if filepath.Base(path) == "documentation.md" {
			documented = append(documented, allMatches(heading, text)...)
		}
	}
	require.Contains(t, documented, "otelcol_fanout_events_total")
	for _, file := range []string{"exporter/posthogexporter/notices.go", "exporter/moengageexporter/corrections.go"} { // without metadata.yaml
		documented = append(documented, namesIn(t, regexp.MustCompile(`"(otelcol_fanout_\w+)"`), filepath.Join(root, file))...)
	}
	for _, module := range []string{"exporter/exporterhelper", "receiver/receiverhelper", "service"} {
		folder := strings.TrimSpace(runIn(t, root, nil, "go", "list", "-m", "-f", "{{.Dir}}", "go.opentelemetry.io/collector/"+module))
		text, err := os.ReadFile(filepath.Join(folder, "documentation.md"))
		require.NoError(t, err)
		documented = append(documented, allMatches(heading, string(text))...)
	}
	for path, text := range pages(t) {
		for _, name := range allMatches(regexp.MustCompile(`\b(otelcol_[a-z_]+)[^*a-z_]`), text) {
			base := regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(name, "")
			assert.True(t, slices.Contains(documented, name) || slices.Contains(documented, base), "%s names %s, which does not exist", path, name)
		}
	}
}

// allMatches returns the first group of each match.
func allMatches(pattern *regexp.Regexp, text string) []string {
	var found []string
	for _, match := range pattern.FindAllStringSubmatch(text, -1) {
		found = append(found, match[1])
	}
	return found
}

// TestGlossaryTermsAreSortedAndUsed checks that other pages use each term.
func TestGlossaryTermsAreSortedAndUsed(t *testing.T) {
	t.Parallel()
	terms := allMatches(regexp.MustCompile(`(?m)^\| ([a-z- ]+) \| [A-Z]`), page(t, "glossary.md"))
	require.NotEmpty(t, terms)
	assert.True(t, slices.IsSorted(terms))
	var others strings.Builder
	for path, text := range pages(t) {
		if filepath.Base(path) != "glossary.md" {
			others.WriteString(strings.ToLower(text))
		}
	}
	for _, term := range terms {
		assert.Contains(t, others.String(), term, "no other page has it")
	}
}
