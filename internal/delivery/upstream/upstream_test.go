// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configmiddleware"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/yamlprovider"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/collector/service/telemetry/otelconftelemetry"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// TestLastMiddlewareIsNextToTheTransport pins what WithTransport relies on: were another
// middleware nearer to the transport, or the transport no *http.Transport, adapt would not see it.
func TestLastMiddlewareIsNextToTheTransport(t *testing.T) {
	cfg := confighttp.NewDefaultClientConfig()
	outer := component.MustNewID("outer")
	cfg.Middlewares = []configmiddleware.Config{{ID: outer}}
	var adapted *http.Transport
	var seen http.RoundTripper
	extensions := WithTransport(&cfg, map[component.ID]component.Component{outer: middleware{&seen}}, func(transport *http.Transport) { adapted = transport })
	_, err := cfg.ToClient(t.Context(), extensions, componenttest.NewNopTelemetrySettings())
	require.NoError(t, err)
	require.NotNil(t, adapted)
	assert.Same(t, adapted, seen, "what is around it is built on it")
}

// middleware is one of the user's.
type middleware struct{ seen *http.RoundTripper }

func (middleware) Start(context.Context, component.Host) error { return nil }
func (middleware) Shutdown(context.Context) error              { return nil }

func (m middleware) GetHTTPRoundTripper(context.Context) (func(context.Context, http.RoundTripper) (http.RoundTripper, error), error) {
	return func(_ context.Context, next http.RoundTripper) (http.RoundTripper, error) {
		*m.seen = next
		return next, nil
	}, nil
}

func TestUnknownTransportIsAnError(t *testing.T) {
	adapt, err := transportMiddleware{adapt: func(*http.Transport) { t.Error("adapted") }}.GetHTTPRoundTripper(t.Context())
	require.NoError(t, err)
	_, err = adapt(t.Context(), roundTripper(nil))
	require.ErrorContains(t, err, "is built on a upstream.roundTripper")
}

type roundTripper func(*http.Request) (*http.Response, error)

func (r roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return r(req) }

// newExporter is an exporter of exporterhelper's.
func newExporter(t *testing.T, logger *zap.Logger, push func(context.Context, plog.Logs) error, options ...exporterhelper.Option) exporter.Logs {
	t.Helper()
	set := exportertest.NewNopSettings(component.MustNewType("line"))
	set.Logger = logger
	e, err := exporterhelper.NewLogs(t.Context(), set, &struct{}{}, push, options...)
	require.NoError(t, err)
	return e
}

func records(n int) plog.Logs {
	ld := plog.NewLogs()
	logs := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for range n {
		logs.AppendEmpty().Body().SetStr("a")
	}
	return ld
}

// TestExporterhelperLogsEachFailure pins the text that Quiet leaves out, and that it comes at
// all.
func TestExporterhelperLogsEachFailure(t *testing.T) {
	fail := func(context.Context, plog.Logs) error { return errors.New("no") }
	for name, tt := range map[string]struct {
		quiet bool
		want  int
	}{"as it is": {false, 3}, "quiet": {true, 0}} {
		t.Run(name, func(t *testing.T) {
			core, logs := observer.New(zap.DebugLevel)
			logger := zap.New(core)
			if tt.quiet {
				var closeLog func()
				logger, closeLog = Quiet(logger)
				defer closeLog()
			}
			e := newExporter(t, logger, fail, exporterhelper.WithRetry(configretry.BackOffConfig{}))
			require.NoError(t, e.Start(t.Context(), componenttest.NewNopHost()))
			for range 3 {
				require.Error(t, e.ConsumeLogs(t.Context(), records(1)))
			}
			require.NoError(t, e.Shutdown(t.Context()))
			assert.Equal(t, tt.want, logs.FilterMessageSnippet(failedExport).Len())
		})
	}
}

func TestQuietLogsOtherLinesOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.InfoLevel)
		quiet, closeLog := Quiet(zap.New(core))
		logger := quiet.With(zap.String("a", "b"))
		for i := range 3 {
			logger.Error("Error deleting item from queue", zap.Int("item", i))
			logger.Error("Exporting failed. Dropping data.")
			logger.Debug("details")
		}
		logger.Error("Failed updating currently dispatched items")
		assert.Equal(t, 2, logs.Len())
		time.Sleep(time.Hour)
		require.Equal(t, 3, logs.Len(), "the others a minute later")
		logger.Error("Error deleting item from queue", zap.Int("item", 3))
		logger.Error("Error deleting item from queue", zap.Int("item", 4))
		closeLog()
		var fields []map[string]any
		for _, line := range logs.FilterMessage("Error deleting item from queue").All() {
			context := line.ContextMap()
			delete(context, "first")
			delete(context, "last")
			fields = append(fields, context)
		}
		assert.Equal(t, []map[string]any{
			{"a": "b", "item": int64(0)}, {"a": "b", "item": int64(2), "times": int64(2)}, {"a": "b", "item": int64(3)}, {"a": "b", "item": int64(4)},
		}, fields)
	})
}

func TestQuietLeavesTheLastWordToItsCore(t *testing.T) {
	core, logs := observer.New(zap.InfoLevel)
	never := zapcore.NewSamplerWithOptions(core, time.Hour, 0, 0)
	logger, closeLog := Quiet(zap.New(never))
	logger.Info("Initializing new persistent queue")
	closeLog()
	assert.Zero(t, logs.Len())
}

// memoryStorage is a storage extension that remembers which operations came together.
type memoryStorage struct {
	component.StartFunc
	component.ShutdownFunc

	mu      sync.Mutex
	values  map[string][]byte
	batches [][]string // such as set 0
	fail    func(ops []*storage.Operation) error
}

// failWith sets the error of later operations, or none; the queue may be reading already.
func (s *memoryStorage) failWith(fail func(ops []*storage.Operation) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = fail
}

func (s *memoryStorage) GetClient(context.Context, component.Kind, component.ID, string) (storage.Client, error) {
	return s, nil
}

func (s *memoryStorage) Get(ctx context.Context, key string) ([]byte, error) {
	op := storage.GetOperation(key)
	err := s.Batch(ctx, op)
	return op.Value, err
}

func (s *memoryStorage) Set(ctx context.Context, key string, value []byte) error {
	return s.Batch(ctx, storage.SetOperation(key, value))
}

func (s *memoryStorage) Delete(ctx context.Context, key string) error {
	return s.Batch(ctx, storage.DeleteOperation(key))
}

func (s *memoryStorage) Close(context.Context) error { return nil }

func (s *memoryStorage) Batch(_ context.Context, ops ...*storage.Operation) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		if err := s.fail(ops); err != nil {
			return err
		}
	}
	var names []string
	for _, op := range ops {
		switch op.Type {
		case storage.Get:
			op.Value = s.values[op.Key]
			names = append(names, "get "+op.Key)
		case storage.Set:
			s.values[op.Key] = op.Value
			names = append(names, "set "+op.Key)
		case storage.Delete:
			delete(s.values, op.Key)
			names = append(names, "delete "+op.Key)
		}
	}
	s.batches = append(s.batches, names)
	return nil
}

func (s *memoryStorage) numbers() (keys []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key := range s.values {
		if isRequestKey(key) {
			keys = append(keys, key)
		}
	}
	return keys
}

// extensions are a host that has nothing else.
type extensions map[component.ID]component.Component

func (e extensions) GetExtensions() map[component.ID]component.Component { return e }

func durable(id component.ID) exporterhelper.Option {
	queue := exporterhelper.NewDefaultQueueConfig()
	queue.StorageID, queue.NumConsumers, queue.Batch = &id, 1, configoptional.None[exporterhelper.BatchConfig]()
	return exporterhelper.WithQueue(configoptional.Some(queue))
}

// TestPersistentQueueKeysRequestsByNumber pins what WithQueueStorage knows of the
// queue's keys and of what it does at once.
func TestPersistentQueueKeysRequestsByNumber(t *testing.T) {
	id := component.MustNewID("memory")
	s := &memoryStorage{values: map[string][]byte{}}
	sending := make(chan struct{}, 10)
	release := make(chan struct{})
	e := newExporter(t, zap.NewNop(), func(context.Context, plog.Logs) error {
		sending <- struct{}{}
		<-release
		return nil
	}, durable(id))
	require.NoError(t, e.Start(t.Context(), extensions{id: s}))
	require.NoError(t, e.ConsumeLogs(t.Context(), records(1)))
	<-sending
	require.NoError(t, e.ConsumeLogs(t.Context(), records(1)))
	assert.ElementsMatch(t, []string{"0", "1"}, s.numbers(), "a request that is being sent stays")
	close(release)
	<-sending
	require.NoError(t, e.Shutdown(t.Context()))
	assert.Empty(t, s.numbers())

	stored, taken := false, false
	for _, batch := range s.batches {
		has := func(word string) bool {
			for _, name := range batch {
				if kind, key, _ := cutSpace(name); kind == word && isRequestKey(key) {
					return true
				}
			}
			return false
		}
		stored = stored || has("set") && !has("get")
		taken = taken || has("get") && len(batch) > 1 // together with a note
	}
	assert.True(t, stored, "a request is stored by a batch without reads: %v", s.batches)
	assert.True(t, taken, "a request is taken out by a batch that notes it: %v", s.batches)
}

func cutSpace(s string) (before, after string, found bool) {
	for i := range s {
		if s[i] == ' ' {
			return s[:i], s[i+1:], true
		}
	}
	return s, "", false
}

// TestSettledRequestIsHiddenFromTheQueue pins that the queue calls back with the context of
// the caller, and the bytes of the request.
func TestSettledRequestIsHiddenFromTheQueue(t *testing.T) {
	type key struct{}
	id := component.MustNewID("memory")
	s := &memoryStorage{values: map[string][]byte{}}
	for _, settled := range []bool{true, false} {
		t.Run(strconv.FormatBool(settled), func(t *testing.T) {
			var offered []any
			host := WithQueueStorage(extensions{id: s}, id, QueueStorage{Open: same,
				Lost: func(err error) { t.Errorf("lost: %v", err) },
				NotStored: func(ctx context.Context, stored []byte, err error) bool {
					assert.EqualError(t, err, "disk full")
					assert.NotEmpty(t, stored)
					offered = append(offered, ctx.Value(key{}))
					return settled
				},
			})
			e := newExporter(t, zap.NewNop(), func(context.Context, plog.Logs) error { return nil }, durable(id))
			require.NoError(t, e.Start(t.Context(), host))
			s.failWith(func(ops []*storage.Operation) error {
				if len(readsOf(ops)) == 0 {
					return errors.New("disk full")
				}
				return nil
			})
			err := e.ConsumeLogs(context.WithValue(t.Context(), key{}, "call"), records(1))
			assert.Equal(t, settled, err == nil)
			assert.Equal(t, []any{"call"}, offered)
			s.failWith(nil)
			require.NoError(t, e.Shutdown(t.Context()))
		})
	}
}

func TestStorageErrorNamesTheQueue(t *testing.T) {
	id := component.MustNewID("memory")
	host := WithQueueStorage(extensions{id: brokenStorage{}}, id, QueueStorage{Open: same})
	e := newExporter(t, zap.NewNop(), func(context.Context, plog.Logs) error { return nil }, durable(id))
	err := e.Start(t.Context(), host)
	require.ErrorContains(t, err, "sending_queue::storage: opening the queue of line/")
	require.ErrorContains(t, err, "for logs in memory: invalid database; if it is damaged, move it away from there")
	require.NoError(t, e.Shutdown(t.Context()))
}

type brokenStorage struct {
	component.StartFunc
	component.ShutdownFunc
}

func (brokenStorage) GetClient(context.Context, component.Kind, component.ID, string) (storage.Client, error) {
	return nil, errors.New("invalid database")
}

// asking is an exporter that asks its host for the exporters when it stops.
type asking struct {
	consumer.Logs

	host  component.Host
	found *[]component.Component
}

func (a *asking) Start(_ context.Context, host component.Host) error {
	a.host = host
	return nil
}

func (a *asking) Shutdown(context.Context) error {
	*a.found = Exporters(a.host)
	return nil
}

// TestHostListsItsExporters pins that the collector's own host knows its exporters, still
// when they are stopped.
func TestHostListsItsExporters(t *testing.T) {
	var found []component.Component
	asker := &asking{Logs: consumertest.NewNop(), found: &found}
	factories := func() (otelcol.Factories, error) {
		nop := receivertest.NewNopFactory()
		asking := exporter.NewFactory(component.MustNewType("asking"), func() component.Config { return &struct{}{} },
			exporter.WithLogs(func(context.Context, exporter.Settings, component.Config) (exporter.Logs, error) { return asker, nil }, component.StabilityLevelDevelopment))
		other := exportertest.NewNopFactory()
		return otelcol.Factories{
			Receivers: map[component.Type]receiver.Factory{nop.Type(): nop},
			Exporters: map[component.Type]exporter.Factory{asking.Type(): asking, other.Type(): other},
			Telemetry: otelconftelemetry.NewFactory(),
		}, nil
	}
	collector, err := otelcol.NewCollector(otelcol.CollectorSettings{
		Factories: factories, DisableGracefulShutdown: true,
		ConfigProviderSettings: otelcol.ConfigProviderSettings{ResolverSettings: confmap.ResolverSettings{
			URIs: []string{"yaml:{receivers: {nop: }, exporters: {asking: , nop: }, service: {telemetry: {metrics: {level: none}, logs: {level: error}}, " +
				"pipelines: {logs: {receivers: [nop], exporters: [asking, nop]}}}}"},
			ProviderFactories: []confmap.ProviderFactory{yamlprovider.NewFactory()},
		}},
	})
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- collector.Run(t.Context()) }()
	require.Eventually(t, func() bool { return collector.GetState() == otelcol.StateRunning }, time.Minute, 5*time.Millisecond)
	collector.Shutdown()
	require.NoError(t, <-ended)
	assert.Len(t, found, 2)
	assert.Contains(t, found, component.Component(asker))

	assert.Empty(t, Exporters(componenttest.NewNopHost()), "of a host that does not know them")
}

// same is a QueueStorage.Open that changes nothing.
func same(client storage.Client) storage.Client { return client }
