// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	bolt "go.etcd.io/bbolt"

	moengageintake "github.com/otelcol-fanout/otelcol-fanout/test/intake/moengage"
	posthogintake "github.com/otelcol-fanout/otelcol-fanout/test/intake/posthog"
	sentryintake "github.com/otelcol-fanout/otelcol-fanout/test/intake/sentry"
)

// restoreQueues writes the queues of testdata/queue_v1.json in file_storage's format. A collector
// with queue format 1 filled them with 18 records and 6 spans, and was then killed.
func restoreQueues(t *testing.T, directory string) {
	t.Helper()
	raw, err := os.ReadFile("testdata/queue_v1.json")
	require.NoError(t, err)
	var queues map[string]map[string][]byte // by file and key
	require.NoError(t, json.Unmarshal(raw, &queues))
	for file, entries := range queues {
		db, err := bolt.Open(filepath.Join(directory, file), 0o600, nil)
		require.NoError(t, err)
		require.NoError(t, db.Update(func(tx *bolt.Tx) error {
			bucket, err := tx.CreateBucketIfNotExists([]byte("default"))
			if err != nil {
				return err
			}
			for _, key := range slices.Sorted(maps.Keys(entries)) {
				if err := bucket.Put([]byte(key), entries[key]); err != nil {
					return err
				}
			}
			return nil
		}))
		require.NoError(t, db.Close())
	}
}

func TestQueueOfPreviousVersionIsDelivered(t *testing.T) {
	t.Parallel()
	spans, transactions := sentryintake.New(t), sentryintake.New(t)
	batch, v1 := posthogintake.New(t), posthogintake.New(t)
	moengage, hook := moengageintake.New(t), newBackend(t, accepting)

	s := newDataFolders(t)
	restoreQueues(t, s.storage)
	const onDisk = "dead_letter: dead_letter, sending_queue: {storage: file_storage, batch: {flush_timeout: 20ms}}, retry_on_failure: {initial_interval: 20ms, max_interval: 50ms, max_elapsed_time: 0}"
	p := startInstrumentedWith(t, s, func(configuration string) string {
		exporters := fmt.Sprintf("  sentry: {dsn: %q, %s}\n", spans.DSN(), onDisk) +
			fmt.Sprintf("  sentry/transactions: {dsn: %q, traces: {format: transactions}, %s}\n", transactions.DSN(), onDisk) +
			fmt.Sprintf("  posthog: {endpoint: %q, api_key: %s, %s}\n", batch.URL(), posthogintake.Key, onDisk) +
			fmt.Sprintf("  posthog/v1: {endpoint: %q, api_key: %s, protocol: v1, %s}\n", v1.URL(), posthogintake.Key, onDisk) +
			fmt.Sprintf("  moengage: {endpoint: %q, workspace_id: %s, api_key: %s, data_center: 1, dead_letter: dead_letter, "+
				"sending_queue: {storage: file_storage, num_consumers: 1}}\n", moengage.URL(), moengageintake.Workspace, moengageintake.Key) +
			fmt.Sprintf("  webhook: {endpoint: %q, %s}\n", hook.URL, onDisk)
		configuration = replace(t, configuration, "exporters:\n", "exporters:\n"+exporters)
		return replace(t, configuration, "exporters: []}", `exporters: [sentry, posthog, posthog/v1, moengage, webhook]}
    traces: {receivers: [otlp], exporters: [sentry, sentry/transactions, posthog]}`)
	}, nil)

	for exporter, want := range map[string]int{
		"sentry": 18 + 7, "sentry/transactions": 7, "posthog": 17 + 2, "posthog/v1": 17, "moengage": 16, "webhook": 18,
	} {
		p.waitFor("the events queued for "+exporter, func() bool {
			time.Sleep(20 * time.Millisecond)
			books := p.eventCounts(exporter)
			return books.withOutcome() >= want
		})
		assert.Equal(t, map[string]int{"delivered": want}, p.eventCounts(exporter).outcomes, exporter)
	}
	p.stop()
	assert.Empty(t, s.text(t), "dead letters")

	assert.Len(t, batch.Events(), 17+2)
	assert.Len(t, v1.Events(), 17)
	taken := moengage.Taken()
	assert.Len(t, taken.Actions, 14)
	assert.Len(t, taken.Users, 1)
	assert.Len(t, taken.Merges, 1)
	different, again := hook.tally()
	assert.Equal(t, 18, different)
	assert.Zero(t, again)
}
