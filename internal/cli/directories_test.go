// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWritableDirectories(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))

	require.NoError(t, checkWritable(folder))
	require.NoError(t, checkWritable(filepath.Join(folder, "a", "b")))
	assert.NoDirExists(t, filepath.Join(folder, "a"))
	require.EqualError(t, checkWritable(file), file+" is not a folder; choose another directory")
	require.EqualError(t, checkWritable(filepath.Join(file, "a", "b")), file+" is not a folder; choose another directory")

	require.NoError(t, os.Chmod(folder, 0o500))
	t.Cleanup(func() { _ = os.Chmod(folder, 0o700) })
	err := checkWritable(filepath.Join(folder, "a"))
	if os.Getuid() <= 0 { // root may write anywhere, and Windows has no such users
		assert.NoError(t, err)
		return
	}
	assert.ErrorContains(t, err, "cannot write in the folder "+folder+" (permission denied); grant it access, or choose another directory")
}
