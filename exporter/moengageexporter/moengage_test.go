// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageexporter

import (
	"fmt"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-fanout/otelcol-fanout/exporter/moengageexporter/internal/metadata"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/deliverytest"
	moengageintake "github.com/otelcol-fanout/otelcol-fanout/test/intake/moengage"
)

// bodySecret is in every event, and must not be in any log line.
const bodySecret = "s3cr3t-of-the-event"

// validConfig returns a minimal valid configuration.
func validConfig() *Config {
	cfg := createDefaultConfig().(*Config)
	cfg.WorkspaceID, cfg.APIKey, cfg.DataCenter = moengageintake.Workspace, moengageintake.Key, 1
	return cfg
}

// testConfig returns a configuration that retries and flushes fast.
func testConfig(in *moengageintake.Intake) *Config {
	cfg := validConfig()
	cfg.ClientConfig.Endpoint = in.URL()
	cfg.ClientConfig.Timeout = 10 * time.Second
	cfg.Delivery.DeadLetter = deliverytest.DeadLetterID()
	cfg.Delivery.RetryConfig.MaxElapsedTime = 20 * time.Second
	deliverytest.Hasten(&cfg.Delivery.QueueConfig, &cfg.Delivery.RetryConfig)
	return cfg
}

func setup(cfg *Config) deliverytest.Setup {
	return deliverytest.Setup{
		Factory: NewFactory(), Config: cfg, Values: []string{bodySecret},
		Credentials: []string{moengageintake.Key, cfg.WorkspaceID, "Basic "},
	}
}

func start(t testing.TB, cfg *Config) *deliverytest.Exporter[plog.Logs] {
	t.Helper()
	return setup(cfg).StartLogs(t)
}

// newTestBackend returns a backend whose clock stands still.
func newTestBackend(t testing.TB, cfg *Config) *backend {
	t.Helper()
	b, err := newBackend(cfg, exporter.Settings{
		ID: component.NewID(metadata.Type), TelemetrySettings: componenttest.NewNopTelemetrySettings(),
	})
	require.NoError(t, err)
	b.now = func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }
	return b
}

// record adds an event of a customer, and returns it for the test to change.
func record(ld plog.Logs, name, customer, id string) plog.LogRecord {
	if ld.ResourceLogs().Len() == 0 {
		rl := ld.ResourceLogs().AppendEmpty()
		rl.Resource().Attributes().PutStr("service.name", "shop")
		rl.ScopeLogs().AppendEmpty()
	}
	r := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().AppendEmpty()
	r.SetEventName(name)
	r.SetTimestamp(1700000000123456789)
	r.Attributes().PutStr("log.record.uid", id)
	r.Attributes().PutStr("note", bodySecret)
	if customer != "" {
		r.Attributes().PutStr("user.id", customer)
	}
	return r
}

// events makes one event per name, all of one customer.
func events(names ...string) plog.Logs {
	ld := plog.NewLogs()
	for _, name := range names {
		record(ld, name, "u1", "id-"+name)
	}
	return ld
}

// numbered makes events e00000, e00001, ... of this many customers in turn.
func numbered(n, customers int) plog.Logs {
	ld := plog.NewLogs()
	for i := range n {
		record(ld, "order_placed", fmt.Sprintf("user-%d", i%customers), fmt.Sprintf("e%05d", i))
	}
	return ld
}

// ids returns the IDs of the actions that the intake took, in their order.
func ids(in *moengageintake.Intake) []string {
	var all []string
	for _, action := range in.Actions() {
		all = append(all, action.ID)
	}
	return all
}

func TestStatusShowsTheHost(t *testing.T) {
	cfg := validConfig()
	cfg.Delivery.DeadLetter = deliverytest.DeadLetterID()
	require.Equal(t, "https://api-01.moengage.com", setup(cfg).StartLogs(t).Status.Exporter().Endpoint)
}
