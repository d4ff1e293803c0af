// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/otelcol"
)

// executeQueues runs the command queues in a binary that has file_storage. It returns its error and
// what it printed.
func executeQueues(defaultConfig string, args ...string) (printed string, err error) {
	set := settings()
	factories := set.Factories
	set.Factories = func() (otelcol.Factories, error) {
		all, err := factories()
		files := filestorage.NewFactory()
		all.Extensions[files.Type()] = files
		return all, err
	}
	cmd := NewCommand(set, defaultConfig)
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SetArgs(append([]string{"queues"}, args...))
	err = cmd.Execute()
	return out.String(), err
}

func withStorage(directories ...string) string {
	config := validConfig + "extensions:\n"
	for i, directory := range directories {
		config += fmt.Sprintf("  file_storage/%d: {directory: %q}\n", i, directory)
	}
	return config
}

// folderWithQueues is a folder with an empty queue and a damaged one.
func folderWithQueues(t *testing.T) string {
	t.Helper()
	directory := t.TempDir()
	for name, content := range map[string]string{"exporter_otlp_http_old_logs": "", "exporter_otlp_http__traces": "no database", "other": ""} {
		require.NoError(t, os.WriteFile(filepath.Join(directory, name), []byte(content), 0o600))
	}
	return directory
}

func TestQueuesAreListed(t *testing.T) {
	directory := folderWithQueues(t)
	const want = "EXPORTER       SIGNAL  EVENTS  BYTES  STATE    FILE\n" +
		"otlp_http      traces  -       -      damaged  exporter_otlp_http__traces\n" +
		"otlp_http/old  logs    0       0      ok       exporter_otlp_http_old_logs\n"
	for name, args := range map[string][]string{
		"of a directory":                 {"list", "--directory", directory},
		"of a configuration":             {"list", "--config", "yaml:" + withStorage(directory)},
		"of two storages in one place":   {"list", "--config", "yaml:" + withStorage(directory, directory)},
		"of a configuration in two":      {"list", "--config", "yaml:" + withStorage(), "--config", "yaml:" + withStorage(directory)},
		"of the built-in configuration":  {"list"},
		"with --directory over --config": {"list", "--directory", directory, "--config", "yaml:" + withStorage("/none")},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := executeQueues(withStorage(directory), args...)
			require.NoError(t, err)
			assert.Equal(t, want, out)
		})
	}
}

func TestQueuesAreMovedAndDropped(t *testing.T) {
	directory := folderWithQueues(t)
	out, err := executeQueues("", "move", "otlp_http/old", "otlp_http/new", "--directory", directory)
	require.NoError(t, err)
	assert.Equal(t, "moved logs of otlp_http/old to otlp_http/new: 0 events\n", out)
	assert.FileExists(t, filepath.Join(directory, "exporter_otlp_http_new_logs"))
	out, err = executeQueues("", "drop", "otlp_http/new", "--directory", directory)
	require.NoError(t, err)
	assert.Equal(t, "dropped logs of otlp_http/new: 0 events\n", out)
	out, err = executeQueues("", "drop", "otlp_http", "--directory", directory)
	require.NoError(t, err)
	assert.Equal(t, "dropped traces of otlp_http: the file was damaged\n", out)
}

func TestMistakesInQueuesAreOneLine(t *testing.T) {
	directory := folderWithQueues(t)
	for name, tt := range map[string]struct {
		args []string
		want string
	}{
		"no file_storage":   {[]string{"list", "--config", "yaml:" + validConfig}, "the configuration has no file_storage, or it is off; name its directory with --directory"},
		"two directories":   {[]string{"list", "--config", "yaml:" + withStorage("/a", "/b")}, "the configuration has several directories (/a, /b); name one with --directory"},
		"an unknown key":    {[]string{"list", "--config", "yaml:" + validConfig + "extensions: {nop: {a: 1}}"}, `invalid configuration: extensions::nop: unknown key "a"; this block has no keys`},
		"no directory":      {[]string{"list", "--directory", "/none"}, "open /none: no such file or directory"},
		"no queue":          {[]string{"drop", "nop", "--directory", directory}, "nop has no queue in " + directory + "; see: queues list"},
		"another type":      {[]string{"move", "otlp_http/old", "nop", "--directory", directory}, "otlp_http/old and nop are exporters of two types: what is queued is in the format of otlp_http; deliver it with an exporter of that type"},
		"the same exporter": {[]string{"move", "nop", "nop", "--directory", directory}, "nop: is both; name two exporters"},
		"a damaged queue":   {[]string{"move", "otlp_http", "otlp_http/new", "--directory", directory}, "the queue file " + filepath.Join(directory, "exporter_otlp_http__traces") + " is damaged (it has only 11 bytes)"},
		"no name":           {[]string{"drop", "1/", "--directory", directory}, `"1/" is not the name of an exporter, such as webhook/audit: in "1/" id: the part after / should not be empty`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := executeQueues("", tt.args...)
			require.EqualError(t, err, tt.want)
		})
	}
}
