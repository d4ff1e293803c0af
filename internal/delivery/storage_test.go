// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/deliverytest"
)

// disk is that of a queue, which fails as real ones do.
type disk struct {
	full, unreadable atomic.Bool
	// unreadableLeft is for what an earlier run was sending.
	unreadableLeft atomic.Bool
}

// isAllReads reports whether the queue reads what an earlier run was sending.
func isAllReads(ops []*storage.Operation) bool {
	return !slices.ContainsFunc(ops, func(op *storage.Operation) bool { return op.Type != storage.Get })
}

// isNumber reports whether the queue keeps a request under the key.
func isNumber(key string) bool {
	_, err := strconv.Atoi(key)
	return err == nil
}

func (d *disk) fails(ops []*storage.Operation) error {
	for _, op := range ops {
		switch {
		case op.Type != storage.Get && d.full.Load():
			return fmt.Errorf("write /queue/exporter_line__logs: %w", syscall.ENOSPC)
		case op.Type == storage.Get && (d.unreadable.Load() || d.unreadableLeft.Load() && isAllReads(ops) && isNumber(op.Key)):
			return fmt.Errorf("read /queue/exporter_line__logs: %w", syscall.EIO)
		}
	}
	return nil
}

// onDisk keeps the queue in the directory, one call a batch, and sends one batch at a time.
func (d *disk) onDisk(directory string) options {
	o := durable(directory, func(cfg *Config) {
		queue := cfg.QueueConfig.Get()
		queue.NumConsumers, queue.Batch = 1, configoptional.None[exporterhelper.BatchConfig]()
		cfg.ShutdownTimeout = 200 * time.Millisecond
	})
	o.storageFails = d.fails
	return o
}

// fill hands over 20 events and waits until the first of them is being sent, in vain.
func (f *fixture) fill() {
	f.server.always(http.StatusServiceUnavailable)
	for _, name := range numbered(20) {
		require.NoError(f.server.t, f.Consume(f.server.t.Context(), records(name)))
	}
	f.WaitFor("the first attempt", func() bool { return f.server.requestCount() > 0 })
}

func TestEventOnFullDiskHasOneOutcome(t *testing.T) {
	var d disk
	f := newFixture(t, d.onDisk(t.TempDir()))
	f.fill()
	d.full.Store(true)
	for range 30 {
		require.NoError(t, f.Consume(t.Context(), records("unstored")), "the caller never hears of it")
	}
	assert.Equal(t, map[string]int64{"dead_lettered/storage_failed": 30}, f.Outcomes())

	d.full.Store(false)
	f.server.always(http.StatusOK)
	f.send("later") // which is read after those that were not stored
	assert.Equal(t, append(numbered(20), "later"), f.server.takenOnce())
	assert.Equal(t, map[string]int64{"dead_lettered/storage_failed": 30, "delivered": 21}, f.Outcomes())
	f.Stop()

	told := f.Logs.FilterMessage("Events were not delivered and are kept as dead letters").All()
	require.Len(t, told, 2, "one line immediately, and one at shutdown for the rest")
	assert.Equal(t, "file_storage: write /queue/exporter_line__logs: no space left on device", told[0].ContextMap()["storage_error"])
	assert.Contains(t, told[0].ContextMap()["what_to_do"], "free disk space")
	assert.NotContains(t, told[0].ContextMap()["what_to_do"], "queue_size")
	assert.Zero(t, f.Logs.FilterMessage("Events were not delivered and are lost").Len())
}

func TestStoredBatchIsDeliveredFromFullDisk(t *testing.T) {
	var d disk
	f := newFixture(t, d.onDisk(t.TempDir()))
	f.fill()
	d.full.Store(true)
	f.server.always(http.StatusOK)
	f.Settle()
	assert.Equal(t, numbered(20), f.server.takenOnce())
	assert.Equal(t, map[string]int64{"delivered": 20}, f.Outcomes())
	f.Stop()
	for _, said := range []string{"Error deleting item from queue", "Failed updating currently dispatched items"} {
		assert.LessOrEqual(t, f.Logs.FilterMessageSnippet(said).Len(), 2, "%s: once, and the others together at shutdown", said)
	}
}

func TestUnreadableBatchIsCounted(t *testing.T) {
	var d disk
	f := newFixture(t, d.onDisk(t.TempDir()))
	f.fill()
	d.unreadable.Store(true)
	f.server.always(http.StatusOK)
	f.Settle()
	outcomes := f.Outcomes()
	assert.Positive(t, outcomes["dropped/torn"])
	assert.EqualValues(t, 20, outcomes["dropped/torn"]+outcomes["delivered"])
	f.Stop()
	told := f.Logs.FilterMessage("Events were not delivered and are lost").All()
	assert.LessOrEqual(t, len(told), 2)
	assert.Contains(t, told[0].ContextMap()["storage_error"], "file_storage: read /queue/exporter_line__logs")
}

func TestBatchOfEarlierRunOnFullDiskIsKept(t *testing.T) {
	var d disk
	directory := t.TempDir()
	first := newFixture(t, d.onDisk(directory))
	first.fill()
	first.Stop()
	assert.Empty(t, first.Letters.All(), "the queue has them")

	o := d.onDisk(directory)
	o.server = first.server
	d.full.Store(true)
	first.server.always(http.StatusOK)
	second := newFixture(t, o)
	second.WaitFor("each event to have its end", func() bool {
		return len(first.server.takenOnce())+len(second.Letters.All()) == 20
	})
	// These were being sent when the collector stopped: the first one, and those that the one consumer
	// still tried until the stop. All others were delivered, and each has one end.
	var kept []string
	for _, reason := range second.Letters.Reasons() {
		name, of, _ := strings.Cut(reason, ":")
		assert.Equal(t, "storage_failed", of)
		kept = append(kept, name)
	}
	require.NotEmpty(t, kept)
	assert.Equal(t, numbered(20), append(kept, first.server.takenOnce()...))
	second.Stop()
}

func TestUnreadableBatchAtStartIsCounted(t *testing.T) {
	var d disk
	directory := t.TempDir()
	first := newFixture(t, d.onDisk(directory))
	first.fill()
	first.Stop()

	o := d.onDisk(directory)
	o.server = first.server
	d.unreadableLeft.Store(true)
	first.server.always(http.StatusOK)
	second := newFixture(t, o)
	second.WaitFor("each event to have its end", func() bool {
		outcomes := second.Outcomes()
		return outcomes["delivered"]+outcomes["dropped/torn"] == 20
	})
	assert.Positive(t, second.Outcomes()["dropped/torn"], "what was being sent when the collector stopped")
	second.Stop()
}

// damagedStorage fails as file_storage does when a queue's file is not a valid database.
type damagedStorage struct {
	component.StartFunc
	component.ShutdownFunc
}

func (damagedStorage) GetClient(context.Context, component.Kind, component.ID, string) (storage.Client, error) {
	return nil, errors.New("invalid database")
}

func TestDamagedQueueIsNamedAtStart(t *testing.T) {
	cfg := NewDefaultConfig(10)
	cfg.QueueConfig.Get().StorageID = deliverytest.StorageID()
	e := newUnstarted(t, &cfg)
	err := e.Start(t.Context(), extensions{*deliverytest.StorageID(): damagedStorage{}})
	require.ErrorContains(t, err, "sending_queue::storage: opening the queue of line/")
	require.ErrorContains(t, err, "for logs in file_storage: invalid database; if it is damaged, move it away from there")
	require.NoError(t, e.Shutdown(t.Context()))
}

// exporterhelper's queue counts what it could not store as queued, and nobody would be there to
// take it out.
func TestQueueRecoversAfterFullDisk(t *testing.T) {
	var d disk
	o := d.onDisk(t.TempDir())
	configure := o.configure
	o.configure = func(cfg *Config) {
		configure(cfg)
		cfg.QueueConfig.Get().QueueSize = 2000
	}
	f := newFixture(t, o)
	d.full.Store(true)
	for _, name := range numbered(300) {
		require.NoError(t, f.Consume(t.Context(), records(name)))
	}
	d.full.Store(false)
	f.WaitFor("room in the queue", func() bool {
		require.NoError(t, f.Consume(t.Context(), records("later")))
		f.Settle()
		return f.Outcomes()["delivered"] > 0
	})
}
