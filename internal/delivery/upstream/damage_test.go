// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/otelcol-fanout/otelcol-fanout/internal/queuefile"
)

// checkedStorage is a storage that finds a problem with its file, as long as the file is there.
type checkedStorage struct {
	*memoryStorage

	problem error
	file    string
}

func (s checkedStorage) GetChecked(context.Context, component.Kind, component.ID, string) (storage.Client, error) {
	if _, err := os.Stat(s.file); err == nil {
		return nil, s.problem
	}
	return s.memoryStorage, nil
}

func TestDamagedFileIsAnErrorOrSetAside(t *testing.T) {
	for name, tt := range map[string]struct {
		setAside, recreate, inUse bool
		want                      string // of the error; none if the file is set aside
	}{
		"fail":                          {want: "is damaged (cut short); move it away from there, or set on_queue_damage: set_aside to start with a new queue"},
		"set aside":                     {setAside: true},
		"recreate of the storage":       {recreate: true},
		"a file in use is not damaged":  {setAside: true, inUse: true, want: "is in use by another collector; stop that collector, or give each its own directory"},
		"a file in use, without policy": {inUse: true, want: "is in use by another collector; stop that collector, or give each its own directory"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "queue")
			require.NoError(t, os.WriteFile(file, []byte("x"), 0o600))
			s := checkedStorage{memoryStorage: &memoryStorage{values: map[string][]byte{}}, file: file, problem: &queuefile.DamagedError{File: file, Problem: "cut short", Recreate: tt.recreate}}
			if tt.inUse {
				s.problem = &queuefile.InUseError{File: file}
			}
			var renamed []string
			id := component.MustNewID("memory")
			host := WithQueueStorage(extensions{id: s}, id, QueueStorage{Open: same, SetAside: tt.setAside, Aside: func(damaged *queuefile.DamagedError, path string) {
				assert.Equal(t, file, damaged.File)
				renamed = append(renamed, path)
			}})
			e := newExporter(t, zap.NewNop(), func(context.Context, plog.Logs) error { return nil }, durable(id))
			err := e.Start(t.Context(), host)
			if tt.want != "" {
				require.ErrorContains(t, err, "sending_queue::storage: opening the queue of line/")
				require.ErrorContains(t, err, "for logs in memory: the queue file "+file+" "+tt.want)
				assert.FileExists(t, file)
				assert.Empty(t, renamed)
			} else {
				require.NoError(t, err)
				require.Len(t, renamed, 1)
				assert.FileExists(t, renamed[0])
				assert.NoFileExists(t, file)
			}
			require.NoError(t, e.Shutdown(t.Context()))
		})
	}
}
