// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package analyticsconf

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
)

func TestLogsAreSkippedByDefault(t *testing.T) {
	logs := plog.NewLogs()
	resource := logs.ResourceLogs().AppendEmpty()
	records := resource.ScopeLogs().AppendEmpty().LogRecords()
	records.AppendEmpty().Body().SetStr("started")
	records.AppendEmpty().SetEventName("order_placed")

	var key Logs
	key.ApplyDefault()
	require.NoError(t, key.Check())
	var skipped, kept []bool
	for e := range appevent.Logs(logs) {
		skipped, kept = append(skipped, key.Skips(e)), append(kept, !LogsAsEvents.Skips(e))
	}
	assert.Equal(t, []bool{true, false}, skipped)
	assert.Equal(t, []bool{true, true}, kept)
}

func TestUnknownValueOfLogsIsRefused(t *testing.T) {
	require.ErrorContains(t, Logs("drop").Check(), "logs: ")
}

func TestIDAttributesNeedNames(t *testing.T) {
	for _, from := range [][]string{nil, {}, {""}, {"user.id", ""}} {
		require.ErrorContains(t, IDAttributes{From: from}.Check("distinct_id"), "distinct_id::from: is empty or contains an empty name")
	}
	require.NoError(t, IDAttributes{From: []string{"user.id"}}.Check("distinct_id"))
}

func TestEventNamesErrorNamesTheEvent(t *testing.T) {
	check := func(name string) error {
		if name == "" {
			return errors.New("is empty")
		}
		return nil
	}
	require.NoError(t, EventNames{"order_placed": "Order Placed"}.Check(check))
	require.NoError(t, EventNames(nil).Check(check))
	require.EqualError(t, EventNames{"a": "A", "c": "", "b": ""}.Check(check), "event_names::map::b: is empty")
}

func TestResourceAttributesNeverMatchFanoutAttributes(t *testing.T) {
	for name, want := range map[string]bool{"service.name": true, "host.name": true, "fanout.type": false} {
		assert.Equal(t, want, ResourceAttributes{"service.*", "*"}.Match(name), name)
	}
	assert.False(t, ResourceAttributes{"service.*"}.Match("host.name"))
	assert.False(t, ResourceAttributes(nil).Match("host.name"))
}
