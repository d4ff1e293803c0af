// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package queuefile

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
)

// host has one extension, file_storage.
type host struct{ storage component.Component }

func storageID() component.ID { return component.MustNewID("file_storage") }

func (h host) GetExtensions() map[component.ID]component.Component {
	return map[component.ID]component.Component{storageID(): h.storage}
}

func newHost(t *testing.T, directory string) host {
	t.Helper()
	factory := filestorage.NewFactory()
	cfg := factory.CreateDefaultConfig().(*filestorage.Config)
	cfg.Directory = directory
	extension, err := factory.Create(t.Context(), extensiontest.NewNopSettings(factory.Type()), cfg)
	require.NoError(t, err)
	return host{extension}
}

func durable() exporterhelper.Option {
	queue, id := exporterhelper.NewDefaultQueueConfig(), storageID()
	queue.StorageID, queue.NumConsumers, queue.Batch = &id, 1, configoptional.None[exporterhelper.BatchConfig]()
	return exporterhelper.WithQueue(configoptional.Some(queue))
}

// TestQueuesOfExporterhelperAreCounted pins the file names of file_storage, and the keys, the state and
// the formats of exporterhelper's persistent queue.
func TestQueuesOfExporterhelperAreCounted(t *testing.T) {
	directory := t.TempDir()
	h := newHost(t, directory)
	set := exportertest.NewNopSettings(component.MustNewType("otlp_http"))
	set.ID = component.MustNewIDWithName("otlp_http", "eu_1/ü")
	sending := make(chan struct{}, 10)
	hang := func(ctx context.Context) error {
		sending <- struct{}{}
		<-ctx.Done()
		return errors.New("ended")
	}
	logs, err := exporterhelper.NewLogs(t.Context(), set, &struct{}{}, func(ctx context.Context, _ plog.Logs) error { return hang(ctx) }, durable(),
		exporterhelper.WithTimeout(exporterhelper.TimeoutConfig{Timeout: 300 * time.Millisecond}))
	require.NoError(t, err)
	traces, err := exporterhelper.NewTraces(t.Context(), set, &struct{}{}, func(ctx context.Context, _ ptrace.Traces) error { return hang(ctx) }, durable(),
		exporterhelper.WithTimeout(exporterhelper.TimeoutConfig{Timeout: 300 * time.Millisecond}))
	require.NoError(t, err)
	metrics, err := exporterhelper.NewMetrics(t.Context(), set, &struct{}{}, func(ctx context.Context, _ pmetric.Metrics) error { return hang(ctx) }, durable(),
		exporterhelper.WithTimeout(exporterhelper.TimeoutConfig{Timeout: 300 * time.Millisecond}))
	require.NoError(t, err)
	for _, e := range []component.Component{logs, traces, metrics} {
		require.NoError(t, e.Start(t.Context(), h))
	}
	for range 4 {
		require.NoError(t, logs.ConsumeLogs(t.Context(), records(3)))
		require.NoError(t, traces.ConsumeTraces(t.Context(), spans(5)))
		require.NoError(t, metrics.ConsumeMetrics(t.Context(), points(7)))
	}
	for range 3 {
		<-sending
	}
	// A crash: the files as they are while one request of each queue is being sent.
	crashed := t.TempDir()
	require.NoError(t, os.CopyFS(crashed, os.DirFS(directory)))
	reports, err := List(t.Context(), crashed, func(t component.Type) bool { return t == set.ID.Type() }, nil)
	require.NoError(t, err)
	require.Len(t, reports, 3)
	for i, want := range []Report{
		{Queue: Queue{set.ID, "logs"}, Contents: Contents{Requests: 4, Events: 12}},
		{Queue: Queue{set.ID, "metrics"}, Contents: Contents{Requests: 4, Events: 28}},
		{Queue: Queue{set.ID, "traces"}, Contents: Contents{Requests: 4, Events: 20}},
	} {
		assert.NoError(t, reports[i].Problem)
		assert.Equal(t, want.Queue, reports[i].Queue)
		assert.Equal(t, want.Path(crashed), reports[i].File)
		assert.Equal(t, want.Events, reports[i].Events)
		assert.Equal(t, want.Requests, reports[i].Requests)
		assert.Positive(t, reports[i].Bytes)
	}
	inUse, err := List(t.Context(), directory, nil, nil)
	require.NoError(t, err)
	for _, report := range inUse {
		var locked *InUseError
		assert.ErrorAs(t, report.Problem, &locked)
	}
	for _, e := range []component.Component{logs, traces, metrics} {
		require.NoError(t, e.Shutdown(t.Context()))
	}
	after, err := List(t.Context(), directory, nil, nil)
	require.NoError(t, err)
	for _, report := range after {
		assert.NoError(t, report.Problem)
		assert.Less(t, report.Requests, 4, "some failed, and left the queue")
	}
}

func records(n int) plog.Logs {
	ld := plog.NewLogs()
	logs := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for range n {
		logs.AppendEmpty().Body().SetStr("a")
	}
	return ld
}

func spans(n int) ptrace.Traces {
	td := ptrace.NewTraces()
	spans := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
	for range n {
		spans.AppendEmpty().SetName("a")
	}
	return td
}

func points(n int) pmetric.Metrics {
	md := pmetric.NewMetrics()
	points := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty().SetEmptyGauge().DataPoints()
	for range n {
		points.AppendEmpty().SetIntValue(1)
	}
	return md
}

// stored is a batch of n events, as this project's exporters store it.
func stored(n int) []byte {
	var w batch.Writer
	for i := range n {
		w.End(append(w.Begin(batch.Meta{ID: strconv.Itoa(i)}), "{}"...))
	}
	return w.Take().Marshal()
}

// queueState is the state of a queue, as exporterhelper stores it.
func queueState(read, write uint64, sending ...uint64) []byte {
	data := append([]byte{3<<3 | 1}, order.AppendUint64(nil, read)...)
	data = append(append(data, 4<<3|1), order.AppendUint64(nil, write)...)
	if len(sending) > 0 {
		data = append(data, 5<<3|2, byte(8*len(sending)))
		for _, index := range sending {
			data = order.AppendUint64(data, index)
		}
	}
	return data
}

// writeQueue writes a queue's file.
func writeQueue(t *testing.T, directory string, queue Queue, ops ...*storage.Operation) string {
	t.Helper()
	client, err := newHost(t, directory).storage.(storage.Extension).GetClient(t.Context(), component.KindExporter, queue.Exporter, queue.Signal)
	require.NoError(t, err)
	require.NoError(t, client.Batch(t.Context(), ops...))
	require.NoError(t, client.Close(t.Context()))
	return queue.Path(directory)
}

func contents(t *testing.T, path string) (Contents, error) {
	t.Helper()
	file, err := Open(path)
	require.NoError(t, err)
	defer file.Close()
	return file.Contents(t.Context(), "logs")
}

func TestEventsOfThisProjectsExportersAreCounted(t *testing.T) {
	queue := Queue{queueID(), "logs"}
	for name, tt := range map[string]struct {
		ops    []*storage.Operation
		events int
	}{
		"waiting and in flight": {[]*storage.Operation{
			storage.SetOperation("9", stored(3)), storage.SetOperation("10", stored(5)), storage.SetOperation("11", stored(7)), storage.SetOperation(stateKey, queueState(10, 12, 9)),
		}, 15},
		"no longer in the queue": {[]*storage.Operation{
			storage.SetOperation("1", stored(3)), storage.SetOperation("2", stored(5)), storage.SetOperation(stateKey, queueState(2, 3)),
		}, 5},
		"settled in part": {[]*storage.Operation{
			storage.SetOperation("0", stored(9)), storage.SetOperation("settled/0", []byte{8: 0b1011, 9: 1}), storage.SetOperation(stateKey, queueState(1, 1, 0)),
		}, 5},
		"a batch that cannot be read": {[]*storage.Operation{
			storage.SetOperation("0", stored(9)[:40]), storage.SetOperation("1", stored(2)), storage.SetOperation(stateKey, queueState(0, 2)),
		}, 3},
		"settled without being stored": {[]*storage.Operation{storage.SetOperation("1", stored(2)), storage.SetOperation(stateKey, queueState(0, 2))}, 2},
		"without a state":              {[]*storage.Operation{storage.SetOperation("1", stored(2))}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := contents(t, writeQueue(t, t.TempDir(), queue, tt.ops...))
			require.NoError(t, err)
			assert.Equal(t, tt.events, got.Events)
		})
	}
}

func TestUnreadableStateOfAQueueIsDamage(t *testing.T) {
	for name, state := range map[string][]byte{
		"no message":                     []byte("x"),
		"cut short":                      queueState(1, 2)[:12],
		"a list that is cut short":       append(queueState(1, 2), 5<<3|2, 4, 0, 0, 0, 0),
		"read after it is written":       queueState(9, 2),
		"more requests than a queue has": queueState(0, 1<<50),
	} {
		t.Run(name, func(t *testing.T) {
			path := writeQueue(t, t.TempDir(), Queue{queueID(), "logs"}, storage.SetOperation(stateKey, state))
			_, err := contents(t, path)
			require.ErrorContains(t, err, "the queue file "+path+" is damaged (the ")
		})
	}
}

func TestFileNamesAreThoseOfFileStorage(t *testing.T) {
	for _, id := range []component.ID{
		component.MustNewID("webhook"), component.MustNewIDWithName("webhook", "a_b"), component.MustNewIDWithName("otlp_http", "x/1"),
		component.MustNewIDWithName("webhook", strings.Repeat("n", 400)),
	} {
		directory := t.TempDir()
		path := writeQueue(t, directory, Queue{id, "logs"}, storage.SetOperation("a", nil))
		assert.FileExists(t, path)
		if len(id.Name()) > 255 {
			continue
		}
		got, ok := ParseName(filepath.Base(path), func(t component.Type) bool { return t == id.Type() })
		assert.True(t, ok)
		assert.Equal(t, Queue{id, "logs"}, got)
	}
	assert.Equal(t, filepath.Join("d", "receiver_file_log_x"), Path("d", component.KindReceiver, component.MustNewIDWithName("file_log", "x"), ""))
}

func TestOwnersAreRecognizedWithoutTheirTypes(t *testing.T) {
	for file, want := range map[string]string{
		"exporter_webhook__logs":                           "webhook logs",
		"exporter_otlp_http__traces":                       "otlp_http traces",
		"exporter_webhook_a_b_logs":                        "webhook/a_b logs",
		"exporter_webhook_a~002Fb_foo":                     "",
		"exporter_webhook_logs":                            "",
		"exporter_webhook_b_logs.damaged-20260102T030405Z": "",
		"receiver_file_log_":                               "",
		"tempdb123":                                        "",
	} {
		got, ok := ParseName(file, nil)
		text := ""
		if ok {
			text = got.Exporter.String() + " " + got.Signal
		}
		assert.Equal(t, want, text, file)
	}
}

func TestFileIsSetAsideWithoutOverwriting(t *testing.T) {
	path := filepath.Join(t.TempDir(), "exporter_webhook_b_logs")
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for i, want := range []string{".damaged-20260102T030405Z", ".damaged-20260102T030405Z-2", ".damaged-20260102T030405Z-3"} {
		require.NoError(t, os.WriteFile(path, []byte{byte(i)}, 0o600))
		target, err := SetAside(path, now)
		require.NoError(t, err)
		assert.Equal(t, path+want, target)
		assert.NoFileExists(t, path)
		content, err := os.ReadFile(target)
		require.NoError(t, err)
		assert.Equal(t, []byte{byte(i)}, content)
	}
}

func TestLockedFileIsInUse(t *testing.T) {
	directory := t.TempDir()
	client, err := openStorage(directory, nil)
	require.NoError(t, err)
	begun := time.Now()
	_, err = OpenWithin(t.Context(), queuePath(directory), 200*time.Millisecond)
	require.EqualError(t, err, "the queue file "+queuePath(directory)+" is in use by another collector")
	assert.Greater(t, time.Since(begun), 100*time.Millisecond, "it waits")
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = OpenWithin(canceled, queuePath(directory), 0)
	require.Error(t, err)

	go func() {
		time.Sleep(50 * time.Millisecond)
		_ = client.Close(context.Background())
	}()
	file, err := OpenWithin(t.Context(), queuePath(directory), 0)
	require.NoError(t, err)
	require.NoError(t, file.Check())

	_, err = openStorage(directory, func(cfg *filestorage.Config) { cfg.Timeout = 100 * time.Millisecond })
	require.Error(t, err, "file_storage sees this package's lock, too")
	require.NoError(t, file.Close())
}

func TestQueuesAreMoved(t *testing.T) {
	from, to := component.MustNewIDWithName("webhook", "old"), component.MustNewIDWithName("webhook", "new")
	full := []*storage.Operation{storage.SetOperation("0", stored(4)), storage.SetOperation("settled/0", []byte{8: 1}), storage.SetOperation(stateKey, queueState(0, 1))}
	empty := storage.SetOperation(stateKey, queueState(1, 1))
	directory := t.TempDir()
	logs := writeQueue(t, directory, Queue{from, "logs"}, full...)
	writeQueue(t, directory, Queue{from, "traces"}, empty)
	writeQueue(t, directory, Queue{to, "logs"}, empty)

	_, err := Move(t.Context(), directory, from, component.MustNewID("posthog"))
	require.ErrorContains(t, err, "webhook/old and posthog are exporters of two types")
	_, err = Move(t.Context(), directory, component.MustNewID("webhook"), to)
	require.ErrorContains(t, err, "webhook has no queue in "+directory)

	moved, err := Move(t.Context(), directory, from, to)
	require.NoError(t, err)
	assert.Equal(t, []Moved{{Signal: "logs", Events: 3, File: logs}, {Signal: "traces", File: Queue{from, "traces"}.Path(directory)}}, moved)
	assert.NoFileExists(t, logs)
	got, err := contents(t, Queue{to, "logs"}.Path(directory))
	require.NoError(t, err)
	assert.Equal(t, 3, got.Events)

	writeQueue(t, directory, Queue{from, "logs"}, full...)
	_, err = Move(t.Context(), directory, from, to)
	require.ErrorContains(t, err, "already holds 3 events")
	assert.FileExists(t, logs)
}

func TestQueuesAreDropped(t *testing.T) {
	directory := t.TempDir()
	path := writeQueue(t, directory, Queue{queueID(), "logs"}, storage.SetOperation("0", stored(4)))
	file, err := Open(path)
	require.NoError(t, err)
	_, err = Drop(t.Context(), directory, queueID())
	require.ErrorContains(t, err, "is in use by another collector")
	require.NoError(t, file.Close())
	dropped, err := Drop(t.Context(), directory, queueID())
	require.NoError(t, err)
	assert.Equal(t, []Moved{{Signal: "logs", Events: 4, File: path}}, dropped)
	assert.NoFileExists(t, path)

	require.NoError(t, os.WriteFile(path, []byte("no database"), 0o600))
	dropped, err = Drop(t.Context(), directory, queueID())
	require.NoError(t, err)
	assert.Equal(t, []Moved{{Signal: "logs", File: path, Damaged: true}}, dropped)
}
