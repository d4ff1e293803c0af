// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package queuefile

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// Storage is a storage extension that checks each file before it opens it. The file_storage extension
// of this distribution implements it.
type Storage interface {
	storage.Extension

	// GetChecked is GetClient, for a component that decides what becomes of a damaged file. It returns
	// a [DamagedError] for one, or an [InUseError]; after the file is set aside it can be called again.
	GetChecked(ctx context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error)
}
