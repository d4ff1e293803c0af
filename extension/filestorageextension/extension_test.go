// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package filestorageextension

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-fanout/otelcol-fanout/extension/filestorageextension/internal/metadatatest"
	"github.com/otelcol-fanout/otelcol-fanout/internal/queuefile"
)

func exporterID() component.ID { return component.MustNewIDWithName("otlp_http", "b") }

// fixture is a started extension.
type fixture struct {
	*fileStorage

	t         *testing.T
	directory string
	logs      *observer.ObservedLogs
	telemetry *componenttest.Telemetry
	stopped   bool
}

func start(t *testing.T, directory string, change func(*filestorage.Config)) *fixture {
	t.Helper()
	factory := NewFactory()
	cfg := factory.CreateDefaultConfig().(*filestorage.Config)
	cfg.Directory, cfg.Timeout = directory, 200*time.Millisecond
	if change != nil {
		change(cfg)
	}
	core, logs := observer.New(zap.InfoLevel)
	telemetry := componenttest.NewTelemetry()
	set := extension.Settings{ID: component.NewID(factory.Type()), TelemetrySettings: telemetry.NewTelemetrySettings()}
	set.Logger = zap.New(core)
	e, err := factory.Create(t.Context(), set, cfg)
	require.NoError(t, err)
	f := &fixture{fileStorage: e.(*fileStorage), t: t, directory: directory, logs: logs, telemetry: telemetry}
	require.NoError(t, f.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(f.stopNow)
	return f
}

func (f *fixture) stopNow() {
	if !f.stopped {
		f.stopped = true
		require.NoError(f.t, f.Shutdown(f.t.Context()))
	}
}

// open opens the file of exporterID, and closes it again.
func (f *fixture) open() error {
	client, err := f.GetClient(f.t.Context(), component.KindExporter, exporterID(), "logs")
	if err == nil {
		require.NoError(f.t, client.Close(f.t.Context()))
	}
	return err
}

// write writes a queue of n records.
func (f *fixture) write(id component.ID, n int) string {
	f.t.Helper()
	client, err := f.Extension.GetClient(f.t.Context(), component.KindExporter, id, "logs")
	require.NoError(f.t, err)
	ld := plog.NewLogs()
	records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for range n {
		records.AppendEmpty().Body().SetStr("a")
	}
	data, err := (&plog.ProtoMarshaler{}).MarshalLogs(ld)
	require.NoError(f.t, err)
	if n > 0 {
		require.NoError(f.t, client.Batch(f.t.Context(), storage.SetOperation("0", data)))
	}
	require.NoError(f.t, client.Close(f.t.Context()))
	return queuefile.Path(f.directory, component.KindExporter, id, "logs")
}

func cutShort(t *testing.T, path string) {
	t.Helper()
	require.NoError(t, os.Truncate(path, 9000))
}

func TestConfigurationIsThatOfContrib(t *testing.T) {
	assert.Equal(t, filestorage.NewFactory().Type(), NewFactory().Type())
	assert.Equal(t, filestorage.NewFactory().CreateDefaultConfig(), NewFactory().CreateDefaultConfig())
}

func TestDamagedFileIsAnErrorThatNamesIt(t *testing.T) {
	f := start(t, t.TempDir(), nil)
	path := f.write(exporterID(), 3)
	require.NoError(t, f.open())
	cutShort(t, path)
	err := f.open()
	require.ErrorContains(t, err, "opening the file of the exporter otlp_http/b: the queue file "+path+" is damaged (it has 9000 bytes")
	require.ErrorContains(t, err, "; move it away from there, or set recreate: true on the storage to start with a new file")
	assert.NotContains(t, err.Error(), "\n")
	assert.FileExists(t, path)
}

func TestRecreateSetsADamagedFileAside(t *testing.T) {
	f := start(t, t.TempDir(), func(cfg *filestorage.Config) { cfg.Recreate = true })
	path := f.write(exporterID(), 3)
	cutShort(t, path)
	require.NoError(t, f.open())
	logged := f.logs.FilterMessageSnippet("is damaged").All()
	require.Len(t, logged, 1)
	fields := logged[0].ContextMap()
	assert.Equal(t, "otlp_http/b", fields["component"])
	assert.Equal(t, path, fields["file"])
	assert.True(t, strings.HasPrefix(fields["new_name"].(string), path+".damaged-"))
	assert.FileExists(t, fields["new_name"].(string))
	require.NoError(t, f.open())

	cutShort(t, path)
	_, err := f.GetChecked(t.Context(), component.KindExporter, exporterID(), "logs")
	var damaged *queuefile.DamagedError
	require.ErrorAs(t, err, &damaged)
	assert.True(t, damaged.Recreate, "a component that decides itself learns of it")
}

func TestFileOfAnotherCollectorIsInUse(t *testing.T) {
	directory := t.TempDir()
	first, second := start(t, directory, nil), start(t, directory, nil)
	client, err := first.GetClient(t.Context(), component.KindExporter, exporterID(), "logs")
	require.NoError(t, err)
	err = second.open()
	require.ErrorContains(t, err, "opening the file of the exporter otlp_http/b: the queue file ")
	require.ErrorContains(t, err, "is in use by another collector")
	require.NoError(t, client.Close(t.Context()))
	require.NoError(t, second.open())
}

func TestQueuesWithoutAnExporterAreReported(t *testing.T) {
	f := start(t, t.TempDir(), nil)
	f.write(exporterID(), 4)
	old := component.MustNewIDWithName("otlp_http", "old")
	path := f.write(old, 5)
	f.write(component.MustNewIDWithName("otlp_http", "empty"), 0)
	damaged := f.write(component.MustNewIDWithName("otlp_http", "damaged"), 5)
	cutShort(t, damaged)
	require.NoError(t, os.WriteFile(filepath.Join(f.directory, "receiver_file_log_"), []byte("x"), 0o600))
	require.NoError(t, f.open())
	require.NoError(t, f.Ready())
	f.counting.Wait()

	logged := f.logs.FilterMessageSnippet("belongs to no exporter of the configuration").All()
	require.Len(t, logged, 2)
	assert.Equal(t, damaged, logged[0].ContextMap()["file"])
	assert.Contains(t, logged[0].ContextMap()["error"], "is damaged")
	fields := logged[1].ContextMap()
	assert.Equal(t, zap.WarnLevel, logged[1].Level)
	assert.Equal(t, path, fields["file"])
	assert.Equal(t, int64(5), fields["events"])
	assert.Equal(t, "logs", fields["signal"])
	metadatatest.AssertEqualFanoutOrphanedQueueEvents(t, f.telemetry, []metricdata.DataPoint[int64]{
		{Value: 5, Attributes: attribute.NewSet(attribute.String("file", filepath.Base(path)))},
	}, metricdatatest.IgnoreTimestamp())
	require.NoError(t, f.NotReady())
}

func TestFactoryRefusesAnInvalidType(t *testing.T) {
	_, err := NewFactory().Create(t.Context(), extensiontest.NewNopSettings(component.MustNewType("other")), NewFactory().CreateDefaultConfig())
	require.Error(t, err)
}
