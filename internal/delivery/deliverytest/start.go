// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deliverytest

import (
	"context"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// Setup describes an exporter and its environment. It may be started more than once.
type Setup struct {
	// Factory creates the exporter (required). Its ID is the factory's type, without a name.
	Factory exporter.Factory

	// Config is the exporter's configuration (required). It must be valid.
	Config component.Config

	// Credentials are strings that only the backend may get. They must not be in the log, component
	// status, metrics, traces, dead letters, or errors to callers.
	Credentials []string

	// Values are strings of the events. They may be in dead letters, but in none of the others.
	Values []string

	// Letters is the dead letter store; nil means a new one. The configuration refers to it as
	// [DeadLetterID].
	Letters *Letters

	// Storage is a directory for queues. If it is set, the extension [StorageID] exists; the
	// configuration refers to it in sending_queue::storage.
	Storage string

	// StorageFails, unless it is nil, is called with the operations of each batch. If it returns an
	// error, the storage executes none of them.
	StorageFails func(ops []*storage.Operation) error

	// Paused says that an operator has paused the exporter before it starts.
	Paused bool

	// Extensions are further extensions. The test starts and stops them.
	Extensions map[component.ID]component.Component
}

// DeadLetterID is the ID of the dead letter store, for the key dead_letter.
func DeadLetterID() *component.ID { return newID("dead_letter") }

// StorageID is the ID of the storage extension, for the key sending_queue::storage.
func StorageID() *component.ID { return newID("file_storage") }

func newID(text string) *component.ID {
	id := component.MustNewID(text)
	return &id
}

// Hasten makes a configuration flush batches after one millisecond, and retry after one to five. It
// does not change how long it retries.
func Hasten(queue *configoptional.Optional[exporterhelper.QueueBatchConfig], retry *configretry.BackOffConfig) {
	if queue.HasValue() && queue.Get().Batch.HasValue() {
		queue.Get().Batch.Get().FlushTimeout = time.Millisecond
	}
	retry.InitialInterval, retry.MaxInterval = time.Millisecond, 5*time.Millisecond
}

// StartLogs starts the factory's logs exporter. The end of the test stops it.
func (s Setup) StartLogs(t testing.TB) *Exporter[plog.Logs] {
	t.Helper()
	e, set := s.prepare(t)
	logs, err := s.Factory.CreateLogs(t.Context(), set, s.Config)
	require.NoError(t, err)
	return run(&Exporter[plog.Logs]{equipment: e, Component: logs, consume: logs.ConsumeLogs}, logs.Capabilities())
}

// StartTraces is StartLogs for traces.
func (s Setup) StartTraces(t testing.TB) *Exporter[ptrace.Traces] {
	t.Helper()
	e, set := s.prepare(t)
	traces, err := s.Factory.CreateTraces(t.Context(), set, s.Config)
	require.NoError(t, err)
	return run(&Exporter[ptrace.Traces]{equipment: e, Component: traces, consume: traces.ConsumeTraces}, traces.Capabilities())
}

func (s Setup) prepare(t testing.TB) (*equipment, exporter.Settings) {
	t.Helper()
	require.NoError(t, confmap.Validate(s.Config))
	core, logs := observer.New(zap.DebugLevel)
	e := &equipment{
		Letters: s.Letters, Logs: logs, Status: &Status{t: t, paused: s.Paused},
		t: t, telemetry: componenttest.NewTelemetry(), credentials: s.Credentials, values: s.Values,
	}
	if e.Letters == nil {
		e.Letters = &Letters{}
	}
	extensions := map[component.ID]component.Component{*DeadLetterID(): e.Letters, *newID("status"): e.Status}
	maps.Copy(extensions, s.Extensions)
	if s.Storage != "" {
		e.storage = startStorage(t, s.Storage, s.StorageFails)
		extensions[*StorageID()] = e.storage
	}
	e.host = &host{extensions: extensions}

	set := exportertest.NewNopSettings(s.Factory.Type())
	set.ID = component.NewID(s.Factory.Type()) // names the queue on disk
	set.TelemetrySettings = e.telemetry.NewTelemetrySettings()
	set.Logger = zap.New(core)
	set.BuildInfo.Command, set.BuildInfo.Version = "otelcol-fanout", "1.2.3"
	return e, set
}

// Signal is the pdata that an exporter takes.
type Signal interface {
	plog.Logs | ptrace.Traces
	MarkReadOnly()
}

// Exporter is a running exporter of a signal, with its environment.
type Exporter[Data Signal] struct {
	*equipment

	// Component is the exporter itself.
	Component component.Component

	consume func(context.Context, Data) error
	stop    sync.Once
}

func run[Data Signal](e *Exporter[Data], capabilities consumer.Capabilities) *Exporter[Data] {
	e.t.Helper()
	assert.False(e.t, capabilities.MutatesData, "the collector would clone the pdata for this exporter")
	require.NoError(e.t, e.Component.Start(e.t.Context(), e.host))
	e.t.Cleanup(e.Stop)
	return e
}

// Consume passes data to the exporter, and returns the exporter's error. The data is read-only from
// then on.
func (e *Exporter[Data]) Consume(ctx context.Context, data Data) error {
	e.t.Helper()
	data.MarkReadOnly()
	err := e.consume(ctx, data)
	if err != nil {
		e.keepsToItself("the error to the caller", err.Error(), e.credentials, e.values)
	}
	return err
}

// Send passes data to the exporter, which must take it, and waits until each event has an outcome.
func (e *Exporter[Data]) Send(data Data) {
	e.t.Helper()
	require.NoError(e.t, e.Consume(e.t.Context(), data))
	e.Settle()
}

// Stop stops the exporter and the storage of its queue, unless it is stopped, and checks what every
// exporter promises.
func (e *Exporter[Data]) Stop() {
	e.t.Helper()
	e.stop.Do(func() {
		assert.NoError(e.t, e.Component.Shutdown(context.Background()))
		if e.storage != nil {
			assert.NoError(e.t, e.storage.Shutdown(context.Background()))
		} else {
			assert.True(e.t, e.Balanced(), "events are unaccounted for: %d accepted, %v", e.Accepted(), e.Outcomes())
		}
		e.reportsAll()
		e.keepsSecrets()
	})
}
