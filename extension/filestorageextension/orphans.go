// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package filestorageextension

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/otelcol-fanout/otelcol-fanout/internal/queuefile"
)

// Ready implements extensioncapabilities.PipelineWatcher. All exporters have opened their queues by
// now; the other files of queues are those of exporters that were renamed or switched off.
func (f *fileStorage) Ready() error {
	ctx, stop := context.WithCancel(context.Background())
	f.stop = stop
	f.counting.Go(func() { f.reportOrphans(ctx) })
	return nil
}

// NotReady implements extensioncapabilities.PipelineWatcher.
func (*fileStorage) NotReady() error { return nil }

// reportOrphans logs each queue with events that no exporter uses, and observes their number.
func (f *fileStorage) reportOrphans(ctx context.Context) {
	var orphans []queuefile.Report
	reports, err := queuefile.List(ctx, f.cfg.Directory, f.isExporter, f.isOpened)
	if err != nil && ctx.Err() == nil && !errors.Is(err, fs.ErrNotExist) {
		f.logger.Warn("Queues that no exporter uses cannot be looked for", zap.Error(err))
	}
	for _, report := range reports {
		if _, inUse := errors.AsType[*queuefile.InUseError](report.Problem); inUse {
			continue // it is another collector's
		}
		if report.Problem == nil && report.Requests == 0 {
			continue
		}
		f.warn(report)
		if report.Problem == nil {
			orphans = append(orphans, report)
		}
	}
	err = f.telemetry.RegisterFanoutOrphanedQueueEventsCallback(func(_ context.Context, observer metric.Int64Observer) error {
		for _, orphan := range orphans {
			observer.Observe(int64(orphan.Events), metric.WithAttributes(attribute.String("file", filepath.Base(orphan.File))))
		}
		return nil
	})
	if err != nil {
		f.logger.Warn("Queues that no exporter uses cannot be observed", zap.Error(err))
	}
}

func (f *fileStorage) warn(orphan queuefile.Report) {
	fields := []zap.Field{zap.String("file", orphan.File), zap.Stringer("exporter", orphan.Exporter), zap.String("signal", orphan.Signal)}
	if orphan.Problem != nil {
		f.logger.Warn("A queue file belongs to no exporter of the configuration, and cannot be read", append(fields, zap.Error(orphan.Problem),
			zap.String("what_to_do", "drop it with: queues drop "+orphan.Exporter.String()))...)
		return
	}
	f.logger.Warn("A queue belongs to no exporter of the configuration: its events are not delivered", append(fields, zap.Int("events", orphan.Events),
		zap.String("what_to_do", "configure the exporter again; or stop the collector and use: queues move "+orphan.Exporter.String()+" NEW_NAME, or queues drop "+orphan.Exporter.String()))...)
}

// isOpened reports whether a component asked for the file.
func (f *fileStorage) isOpened(path string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.opened[path]
}

// isExporter reports whether the binary has exporters of a type.
func (f *fileStorage) isExporter(kind component.Type) bool {
	host, ok := f.host.(interface {
		GetFactory(kind component.Kind, componentType component.Type) component.Factory
	})
	return ok && host.GetFactory(component.KindExporter, kind) != nil
}
