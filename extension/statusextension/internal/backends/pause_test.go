// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// pausable adds an exporter that may be paused, and returns whether it is.
func pausable(t *testing.T, r *Registry, id, signal string) *bool {
	t.Helper()
	paused := new(bool)
	e := exporterOf(t, id, signal)
	e.SetPaused = func(now bool) { *paused = now }
	r.AddExporter(e)
	return paused
}

func TestPauseAndResume(t *testing.T) {
	c := newClock()
	r := New(Settings{Now: c.Now})
	logs, traces, other := pausable(t, r, "webhook/a", "logs"), pausable(t, r, "webhook/a", "traces"), pausable(t, r, "webhook", "logs")
	first := c.Now()
	require.NoError(t, r.SetPaused("webhook/a", true))
	assert.True(t, *logs)
	assert.True(t, *traces)
	assert.False(t, *other)
	c.advance(time.Minute)
	require.NoError(t, r.SetPaused("webhook/a", true), "it is already")
	b, _ := r.Backend("webhook/a")
	assert.Equal(t, first, b.PausedAt)
	paused := map[string]bool{}
	r.EachPaused(func(id string, is bool) { paused[id] = is })
	assert.Equal(t, map[string]bool{"webhook": false, "webhook/a": true}, paused)

	late := pausable(t, r, "webhook/a", "metrics")
	assert.True(t, *late, "an exporter that starts later")

	require.NoError(t, r.SetPaused("webhook/a", false))
	assert.False(t, *logs || *traces || *late)
	b, _ = r.Backend("webhook/a")
	assert.Equal(t, Starting, b.State)
	assert.Zero(t, b.PausedAt)
}

func TestExporterThatCannotBePaused(t *testing.T) {
	r := New(Settings{})
	pausable(t, r, "webhook", "logs")
	r.AddExporter(exporterOf(t, "webhook", "traces"))
	require.ErrorIs(t, r.SetPaused("webhook", true), ErrCannotPause)
	require.EqualError(t, r.SetPaused("sentry", true), "sentry: no exporter with this id has started")
	b, _ := r.Backend("webhook")
	assert.False(t, b.CanPause)
	assert.NotEqual(t, Paused, b.State)
}

func TestPauseSurvivesARestart(t *testing.T) {
	directory := filepath.Join(t.TempDir(), "status")
	c := newClock()
	start := func() *Registry {
		core, _ := observer.New(zap.InfoLevel)
		r := New(Settings{Directory: directory, Now: c.Now, Logger: zap.New(core)})
		require.NoError(t, r.Start())
		return r
	}
	r := start()
	pausable(t, r, "webhook", "logs")
	pausable(t, r, "posthog", "logs")
	require.NoError(t, r.SetPaused("webhook", true))
	require.NoError(t, r.SetPaused("posthog", true))
	since := c.Now()
	c.advance(time.Hour)

	r = start()
	paused, sentry := pausable(t, r, "webhook", "logs"), pausable(t, r, "sentry", "logs")
	assert.True(t, *paused)
	assert.False(t, *sentry)
	b, _ := r.Backend("webhook")
	assert.Equal(t, since, b.PausedAt.UTC())
	require.NoError(t, r.SetPaused("webhook", false))

	r = start()
	assert.False(t, *pausable(t, r, "webhook", "logs"))
	assert.True(t, *pausable(t, r, "posthog", "logs"), "it is kept while the exporter is not configured")

	files, err := os.ReadDir(directory)
	require.NoError(t, err)
	assert.Len(t, files, 1, "no temporary file is left")
}

func TestRestoredPauseIsLogged(t *testing.T) {
	directory := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(directory, pausesFile), []byte(`{"paused":{"webhook":"2026-01-02T03:04:05Z"}}`), 0o600))
	core, logs := observer.New(zap.InfoLevel)
	r := New(Settings{Directory: directory, Logger: zap.New(core)})
	early := pausable(t, r, "webhook", "traces")
	require.NoError(t, r.Start())
	assert.True(t, *early, "an exporter that started before")
	pausable(t, r, "webhook", "logs")
	require.Equal(t, 1, logs.Len())
	assert.Equal(t, "webhook", logs.All()[0].ContextMap()["exporter"])
}

func TestBadFileOfPausesIsAnError(t *testing.T) {
	for name, prepare := range map[string]func(t *testing.T, path string){
		"not JSON": func(t *testing.T, path string) {
			t.Helper()
			require.NoError(t, os.WriteFile(path, []byte("{"), 0o600))
		},
		"empty": func(t *testing.T, path string) {
			t.Helper()
			require.NoError(t, os.WriteFile(path, nil, 0o600))
		},
		"other JSON": func(t *testing.T, path string) {
			t.Helper()
			require.NoError(t, os.WriteFile(path, []byte(`{"paused":["webhook"]}`), 0o600))
		},
		"no time": func(t *testing.T, path string) {
			t.Helper()
			require.NoError(t, os.WriteFile(path, []byte(`{"paused":{"webhook":null}}`), 0o600))
		},
		"a directory": func(t *testing.T, path string) {
			t.Helper()
			require.NoError(t, os.Mkdir(path, 0o700))
		},
	} {
		t.Run(name, func(t *testing.T) {
			directory := t.TempDir()
			path := filepath.Join(directory, pausesFile)
			prepare(t, path)
			err := New(Settings{Directory: directory}).Start()
			require.ErrorContains(t, err, path)
			require.ErrorContains(t, err, "delete it to resume all exporters")
		})
	}
}

func TestDirectoryThatCannotBeWrittenIsAnError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	err := New(Settings{Directory: filepath.Join(file, "status")}).Start()
	require.ErrorContains(t, err, file)
	require.ErrorContains(t, err, "directory: ")
}

func TestPauseThatCannotBeStoredWorksAndSaysSo(t *testing.T) {
	directory := filepath.Join(t.TempDir(), "status")
	r := New(Settings{Directory: directory})
	require.NoError(t, r.Start())
	paused := pausable(t, r, "webhook", "logs")
	require.NoError(t, os.RemoveAll(directory))
	require.NoError(t, os.WriteFile(directory, nil, 0o600))
	err := r.SetPaused("webhook", true)
	require.ErrorIs(t, err, ErrNotKept)
	require.ErrorContains(t, err, directory)
	assert.True(t, *paused)
	require.ErrorIs(t, r.SetPaused("webhook", true), ErrNotKept, "it is paused, but still not stored")
	require.NoError(t, os.Remove(directory))
	require.NoError(t, r.SetPaused("webhook", true))
	restarted := New(Settings{Directory: directory})
	require.NoError(t, restarted.Start())
	assert.True(t, *pausable(t, restarted, "webhook", "logs"), "the second request stored it")
}
