// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deliverytest

import (
	"context"
	"testing"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// startStorage starts the extension file_storage over a directory, which fails as it is told.
func startStorage(t testing.TB, directory string, fails func(ops []*storage.Operation) error) component.Component {
	t.Helper()
	factory := filestorage.NewFactory()
	cfg := factory.CreateDefaultConfig().(*filestorage.Config)
	cfg.Directory = directory
	files, err := factory.Create(t.Context(), extensiontest.NewNopSettings(factory.Type()), cfg)
	require.NoError(t, err)
	require.NoError(t, files.Start(t.Context(), componenttest.NewNopHost()))
	if fails == nil {
		return files
	}
	return failingStorage{files.(storage.Extension), fails}
}

type failingStorage struct {
	storage.Extension

	fails func(ops []*storage.Operation) error
}

// GetClient implements storage.Extension.
func (s failingStorage) GetClient(ctx context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error) {
	client, err := s.Extension.GetClient(ctx, kind, id, name)
	return failingClient{client, s.fails}, err
}

type failingClient struct {
	storage.Client

	fails func(ops []*storage.Operation) error
}

// Batch implements storage.Client.
func (c failingClient) Batch(ctx context.Context, ops ...*storage.Operation) error {
	if err := c.fails(ops); err != nil {
		return err
	}
	return c.Client.Batch(ctx, ops...)
}

// Set implements storage.Client.
func (c failingClient) Set(ctx context.Context, key string, value []byte) error {
	return c.Batch(ctx, storage.SetOperation(key, value))
}
