// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package backend

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestNewBackendHasNoTraceOfExample runs new.sh in a copy of the repository, and the tests of the
// exporter that it makes, with other limits than the example's.
func TestNewBackendHasNoTraceOfExample(t *testing.T) {
	repository := linkedRepository(t)
	assert.Contains(t, runIn(t, repository, "examples/backend/new.sh", "beacon"), "exporter/beaconexporter is a copy for Beacon")

	exporter := filepath.Join(repository, "exporter", "beaconexporter")
	require.NoError(t, filepath.WalkDir(exporter, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		assert.NotContains(t, strings.ToLower(path+read(t, path)), "acme")
		return nil
	}))
	assert.Contains(t, read(t, filepath.Join(exporter, "README.md")), "](../../docs/adding-a-backend.md")

	replace(t, filepath.Join(exporter, "encode.go"), "const maxName = 100", "const maxName = 64")
	replace(t, filepath.Join(exporter, "requests.go"), "maxEvents = 500", "maxEvents = 120")
	replace(t, filepath.Join(exporter, "requests.go"), "maxBody   = 1 << 20", "maxBody   = 1 << 19")
	assert.Contains(t, runIn(t, repository, "go", "test", "-count=1", "./exporter/beaconexporter"), "ok")
}

func TestNewBackendRefusesBadNames(t *testing.T) {
	repository := linkedRepository(t)
	for _, name := range []string{"", "Beacon", "be-acon", "../beacon", "4ever"} {
		cmd := exec.CommandContext(t.Context(), "examples/backend/new.sh", name)
		cmd.Dir = repository
		printed, err := cmd.CombinedOutput()
		require.Error(t, err, name)
		assert.Contains(t, string(printed), "such as NAME=beacon", name)
	}
	cmd := exec.CommandContext(t.Context(), "examples/backend/new.sh", "webhook")
	cmd.Dir = repository
	printed, err := cmd.CombinedOutput()
	require.Error(t, err)
	assert.Contains(t, string(printed), "exporter/webhookexporter exists")
}

// linkedRepository returns a folder with links to everything in the repository. Only the folder of
// exporters and the example are its own.
func linkedRepository(t *testing.T) string {
	t.Helper()
	from, err := filepath.Abs(root)
	require.NoError(t, err)
	to := t.TempDir()
	linkAll(t, from, to, "exporter", "examples")
	linkAll(t, filepath.Join(from, "exporter"), filepath.Join(to, "exporter"))
	linkAll(t, filepath.Join(from, "examples"), filepath.Join(to, "examples"), "backend")
	require.NoError(t, os.CopyFS(filepath.Join(to, "examples", "backend"), os.DirFS(filepath.Join(from, "examples", "backend"))))
	return to
}

// linkAll links the entries of a folder, except some.
func linkAll(t *testing.T, from, to string, except ...string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(to, 0o700))
	entries, err := os.ReadDir(from)
	require.NoError(t, err)
	for _, entry := range entries {
		if name := entry.Name(); name != ".git" && !slices.Contains(except, name) {
			require.NoError(t, os.Symlink(filepath.Join(from, name), filepath.Join(to, name)))
		}
	}
}

func replace(t *testing.T, file, text, with string) {
	t.Helper()
	before := read(t, file)
	require.Contains(t, before, text)
	require.NoError(t, os.WriteFile(file, []byte(strings.Replace(before, text, with, 1)), 0o600))
}

func runIn(t *testing.T, folder, program string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = folder
	printed, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", printed)
	return string(printed)
}
