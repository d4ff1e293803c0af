// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensiontest"
)

var storageID = component.MustNewID("file_storage")

// startStorage starts the file_storage extension over a directory.
func startStorage(t *testing.T, directory string) extension.Extension {
	t.Helper()
	factory := filestorage.NewFactory()
	cfg := factory.CreateDefaultConfig().(*filestorage.Config)
	cfg.Directory = directory
	e, err := factory.Create(t.Context(), extensiontest.NewNopSettings(factory.Type()), cfg)
	require.NoError(t, err)
	require.NoError(t, e.Start(t.Context(), componenttest.NewNopHost()))
	return e
}

func durable(t *testing.T, directory string, configure func(*Config)) (options, func()) {
	t.Helper()
	storage := startStorage(t, directory)
	o := options{
		most: 10, extensions: map[component.ID]component.Component{storageID: storage},
		configure: func(cfg *Config) {
			cfg.QueueConfig.Get().StorageID = &storageID
			cfg.RetryConfig.MaxElapsedTime = 0
			if configure != nil {
				configure(cfg)
			}
		},
	}
	return o, func() { assert.NoError(t, storage.Shutdown(context.Background())) }
}

func TestADurableQueueKeepsWhatWasNotDelivered(t *testing.T) {
	for name, respond := range map[string]int{"hangs": 0, "is down": http.StatusServiceUnavailable} {
		t.Run("where the backend "+name, func(t *testing.T) {
			directory := t.TempDir()
			o, closeStorage := durable(t, directory, func(cfg *Config) { cfg.ShutdownTimeout = 200 * time.Millisecond })
			first := newFixture(t, o)
			first.server.always(respond)
			names := numbered(300)
			for i := range 30 {
				require.NoError(t, first.ConsumeLogs(t.Context(), records(names[10*i:10*i+10]...)))
			}
			begun := time.Now()
			first.stop()
			closeStorage()
			assert.Less(t, time.Since(begun), 5*time.Second)
			assert.Empty(t, first.store.all(), "the queue has them")

			o, closeStorage = durable(t, directory, nil)
			o.server = first.server
			second := newFixture(t, o)
			first.server.always(http.StatusOK)
			require.Eventually(t, func() bool { return len(first.server.takenOnce()) == 300 }, 20*time.Second, 5*time.Millisecond)
			assert.Equal(t, names, first.server.takenOnce())
			second.stop()
			closeStorage()
		})
	}
}

func TestADurableQueueForgetsWhatIsGivenUp(t *testing.T) {
	directory := t.TempDir()
	o, closeStorage := durable(t, directory, func(cfg *Config) { cfg.RetryConfig.MaxElapsedTime = 20 * time.Millisecond })
	f := newFixture(t, o)
	f.server.always(http.StatusServiceUnavailable)
	f.send("a", "b")
	assert.Equal(t, []string{"a:exhausted", "b:exhausted"}, f.store.reasons())
	f.stop()
	closeStorage()

	o, closeStorage = durable(t, directory, nil)
	again := newFixture(t, o)
	again.stop()
	closeStorage()
	assert.Zero(t, again.server.requestCount())
}

func TestTheOperatorIsToldWhatADurableQueueSurvives(t *testing.T) {
	o, closeStorage := durable(t, t.TempDir(), nil)
	f := newFixture(t, o)
	told := f.logs.FilterMessageSnippet("The queue is on disk").All()
	require.Len(t, told, 1)
	assert.Contains(t, told[0].Message, "fsync: true")
	f.stop()
	closeStorage()
}

func TestAutoIsAsyncWithStorage(t *testing.T) {
	o, closeStorage := durable(t, t.TempDir(), func(cfg *Config) {
		cfg.Dispatch = DispatchAuto
		cfg.ShutdownTimeout = 50 * time.Millisecond
	})
	f := newFixture(t, o)
	f.server.always(http.StatusServiceUnavailable)
	for i := range 20 {
		require.NoError(t, f.ConsumeLogs(t.Context(), records(fmt.Sprint(i))))
	}
	f.stop()
	closeStorage()
}
