// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package backend checks docs/adding-a-backend.md against the example that it walks through.
package backend

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"

	"github.com/otelcol-fanout/otelcol-fanout/examples/backend/acmeexporter"
)

const (
	root    = "../.."
	page    = root + "/docs/adding-a-backend.md"
	example = "acmeexporter"
)

// block is a fenced code block in a Markdown file.
type block struct{ language, text string }

func blocksOf(t *testing.T, file string) []block {
	t.Helper()
	var blocks []block
	for _, found := range regexp.MustCompile("(?s)```(\\w*)\n(.*?)\n```\n").FindAllStringSubmatch(read(t, file), -1) {
		blocks = append(blocks, block{language: found[1], text: found[2] + "\n"})
	}
	require.NotEmpty(t, blocks)
	return blocks
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(text)
}

var fileComment = regexp.MustCompile(`^(?://|#) (\S+\.(?:go|yaml))\n\n?`)

// TestPageQuotesExample checks that every Go block, and every other block that begins with a file
// name, is in that file word for word, and that the files are quoted in the order of the list
// below.
func TestPageQuotesExample(t *testing.T) {
	var quoted []string
	for _, b := range blocksOf(t, page) {
		comment := fileComment.FindStringSubmatch(b.text)
		if comment == nil {
			assert.NotEqual(t, "go", b.language, "a Go block must begin with the name of its file:\n%s", b.text)
			continue
		}
		file := comment[1]
		quote := strings.TrimPrefix(b.text, comment[0])
		assert.NotEmpty(t, strings.TrimSpace(quote), file)
		if !strings.Contains(read(t, filepath.Join(example, file)), quote) {
			t.Errorf("%s does not contain this block:\n%s", file, quote)
		}
		if len(quoted) == 0 || quoted[len(quoted)-1] != file {
			quoted = append(quoted, file)
		}
	}
	assert.Equal(t, []string{
		"metadata.yaml", "doc.go", "config.go", "factory.go", "encode.go", "requests.go", "response.go", "acme_test.go", "exporter_test.go",
	}, quoted)
}

// TestPageQuotesExportedDeclarations checks that no method of the contract is left out.
func TestPageQuotesExportedDeclarations(t *testing.T) {
	text := read(t, page)
	declaration := regexp.MustCompile(`(?m)^(?:func (?:\([^)]*\) )?|type )[A-Z]\w*.*$`)
	for _, file := range []string{"config.go", "factory.go", "encode.go", "requests.go", "response.go"} {
		for _, line := range declaration.FindAllString(read(t, filepath.Join(example, file)), -1) {
			if !strings.Contains(text, line) {
				t.Errorf("%s is not quoted: %s", file, line)
			}
		}
	}
}

func TestShownConfigurationsAreValid(t *testing.T) {
	shown := 0
	for _, file := range []string{page, example + "/README.md"} {
		for _, b := range blocksOf(t, file) {
			if b.language != "yaml" || !strings.Contains("\n"+b.text, "\nexporters:\n") {
				continue
			}
			shown++
			text := strings.ReplaceAll(b.text, "${env:ACME_API_KEY}", "a-key") // as the collector does
			retrieved, err := confmap.NewRetrievedFromYAML([]byte(text))
			require.NoError(t, err)
			conf, err := retrieved.AsConf()
			require.NoError(t, err)
			acme, err := conf.Sub("exporters::acme")
			require.NoError(t, err)
			cfg := acmeexporter.NewFactory().CreateDefaultConfig()
			require.NoError(t, acme.Unmarshal(cfg))
			assert.NoError(t, confmap.Validate(cfg), file)
		}
	}
	assert.Equal(t, 2, shown)
}

// TestBuilderLineIsCurrent compares the version on the page with the manifest's.
func TestBuilderLineIsCurrent(t *testing.T) {
	line := regexp.MustCompile(`(?m)^ *- gomod: .*$`).FindString(read(t, page))
	require.NotEmpty(t, line)
	assert.Contains(t, read(t, root+"/builder-config.yaml"), line+"\n    import: ")
}
