// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package filestorageextension

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	bbolterrors "go.etcd.io/bbolt/errors"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensioncapabilities"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/otelcol-fanout/otelcol-fanout/extension/filestorageextension/internal/metadata"
	"github.com/otelcol-fanout/otelcol-fanout/internal/queuefile"
)

// fileStorage is contrib's file_storage with checks.
type fileStorage struct {
	storage.Extension

	cfg       *Config
	logger    *zap.Logger
	telemetry *metadata.TelemetryBuilder
	host      component.Host

	mu     sync.Mutex
	opened map[string]bool // the paths of files that components asked for

	// counting counts the events of orphans after the start.
	counting sync.WaitGroup
	stop     context.CancelFunc
}

var (
	_ queuefile.Storage                     = (*fileStorage)(nil)
	_ extensioncapabilities.PipelineWatcher = (*fileStorage)(nil)
)

func newExtension(set extension.Settings, cfg *Config, files storage.Extension, telemetry *metadata.TelemetryBuilder) *fileStorage {
	return &fileStorage{
		Extension: files, cfg: cfg, telemetry: telemetry, opened: map[string]bool{},
		// A stack trace would always show the same place in the code.
		logger: set.Logger.WithOptions(zap.AddStacktrace(zapcore.FatalLevel)),
	}
}

// Start implements component.Component.
func (f *fileStorage) Start(ctx context.Context, host component.Host) error {
	f.host = host
	return f.Extension.Start(ctx, host)
}

// GetClient implements storage.Extension. A damaged file is an error, or, with recreate, set aside.
func (f *fileStorage) GetClient(ctx context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error) {
	client, err := f.GetChecked(ctx, kind, id, name)
	damaged, ok := errors.AsType[*queuefile.DamagedError](err)
	if !ok || !damaged.Recreate {
		return client, describe(kind, id, err)
	}
	path, err := queuefile.SetAside(damaged.File, time.Now())
	if err != nil {
		return nil, describe(kind, id, fmt.Errorf("%w, and cannot be set aside: %w", damaged, err))
	}
	f.logger.Error("The queue file is damaged: it was renamed, and the component starts with a new one",
		zap.Stringer("component", id), zap.String("file", damaged.File), zap.String("new_name", path), zap.String("damage", damaged.Problem))
	return f.GetChecked(ctx, kind, id, name)
}

// describe adds whose file it is, and what to do.
func describe(kind component.Kind, id component.ID, err error) error {
	if err == nil {
		return nil
	}
	remedy := ""
	if damaged, ok := errors.AsType[*queuefile.DamagedError](err); ok && !damaged.Recreate {
		remedy = "; move it away from there, or set recreate: true on the storage to start with a new file"
	}
	return fmt.Errorf("opening the file of the %s %s: %w%s", kindName(kind), id, err, remedy)
}

func kindName(kind component.Kind) string {
	if kind == component.KindExporter {
		return "exporter"
	}
	return "component"
}

// GetChecked implements queuefile.Storage.
func (f *fileStorage) GetChecked(ctx context.Context, kind component.Kind, id component.ID, name string) (storage.Client, error) {
	path := queuefile.Path(f.cfg.Directory, kind, id, name)
	f.mu.Lock()
	f.opened[path] = true
	f.mu.Unlock()
	if err := f.check(ctx, path); err != nil {
		return nil, err
	}
	client, err := f.Extension.GetClient(ctx, kind, id, name)
	if errors.Is(err, bbolterrors.ErrTimeout) {
		return nil, &queuefile.InUseError{File: path} // it was locked after the check
	}
	return client, err
}

// check checks the file of a component, which may not exist yet.
func (f *fileStorage) check(ctx context.Context, path string) error {
	file, err := queuefile.OpenWithin(ctx, path, f.cfg.Timeout)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	err = file.Check()
	if damaged, ok := errors.AsType[*queuefile.DamagedError](err); ok {
		damaged.Recreate = f.cfg.Recreate
	}
	return errors.Join(err, file.Close())
}

// Shutdown implements component.Component.
func (f *fileStorage) Shutdown(ctx context.Context) error {
	if f.stop != nil {
		f.stop()
	}
	f.counting.Wait()
	f.telemetry.Shutdown()
	return f.Extension.Shutdown(ctx)
}
