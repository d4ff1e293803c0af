// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package fanoutconnector

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/exporter/otlphttpexporter"
	"go.opentelemetry.io/collector/pipeline"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-fanout/otelcol-fanout/connector/fanoutconnector/internal/metadata"

	"github.com/otelcol-fanout/otelcol-fanout/internal/callresult"
)

const (
	asyncConfig = `{routes: [{events: [x], pipelines: [logs/a]}], default_pipelines: [logs/a, logs/b, logs/c]}`
	syncConfig  = `{default_pipelines: [logs/a, logs/b, logs/c], sync: [logs/a, logs/b]}`
)

func threeSinks() map[string]*sink {
	return map[string]*sink{"logs/a": {}, "logs/b": {}, "logs/c": {}}
}

func TestRefusalAffectsNoOtherPipelineOrCaller(t *testing.T) {
	for _, id := range []string{"logs/a", "logs/b", "logs/c"} {
		t.Run(id, func(t *testing.T) {
			sinks := threeSinks()
			sinks[id].refuses(consumererror.NewPermanent(errors.New("no")))
			r := newHarness(t, asyncConfig, sinks)
			require.NoError(t, r.logs.ConsumeLogs(context.Background(), newLogsOf("x", "y", "z")))
			assert.Equal(t, []string{"x", "y", "z"}, sinks["logs/a"].got())
			assert.Equal(t, []string{"y", "z"}, sinks["logs/b"].got())
			assert.Equal(t, []string{"y", "z"}, sinks["logs/c"].got())
		})
	}
}

func TestCallerGetsErrorsOfSyncPipelines(t *testing.T) {
	temporary, permanent := errors.New("come back later"), consumererror.NewPermanent(errors.New("never"))
	for _, tt := range []struct {
		name        string
		a, b, c     error
		want        string
		isPermanent bool
	}{
		{name: "none fails"},
		{name: "only an async pipeline fails", c: permanent},
		{name: "one fails", a: temporary, want: "logs/a: come back later"},
		{name: "one fails permanently", b: permanent, c: temporary, want: "logs/b: Permanent error: never", isPermanent: true},
		{name: "both fail", a: temporary, b: temporary, want: "logs/a: come back later\nlogs/b: come back later"},
		{name: "both fail permanently", a: permanent, b: permanent, want: "logs/a: Permanent error: never\nlogs/b: Permanent error: never", isPermanent: true},
		{name: "temporary error comes first", a: permanent, b: temporary, want: "logs/b: come back later\nlogs/a: Permanent error: never"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sinks := threeSinks()
			sinks["logs/a"].refuses(tt.a)
			sinks["logs/b"].refuses(tt.b)
			sinks["logs/c"].refuses(tt.c)
			r := newHarness(t, syncConfig, sinks)
			err := r.logs.ConsumeLogs(context.Background(), newLogsOf("x"))
			for _, s := range sinks {
				assert.Equal(t, []string{"x"}, s.got())
			}
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, tt.want)
			assert.Equal(t, tt.isPermanent, consumererror.IsPermanent(err))
		})
	}
}

func TestTemporaryErrorWinsAcrossGroups(t *testing.T) {
	sinks := map[string]*sink{"logs/a": {}, "logs/b": {}}
	calls := 0
	sinks["logs/a"].respond = func(context.Context) error {
		calls++
		return []error{consumererror.NewPermanent(errors.New("never")), errors.New("later")}[calls-1]
	}
	r := newHarness(t, `{routes: [{events: [x], pipelines: [logs/a]}], default_pipelines: [logs/a, logs/b], sync: [logs/a]}`, sinks)
	err := r.logs.ConsumeLogs(context.Background(), newLogsOf("x", "y", "z"))
	require.EqualError(t, err, "logs/a: later\nlogs/a: Permanent error: never")
	assert.False(t, consumererror.IsPermanent(err))
	assert.Equal(t, []string{"x", "y", "z"}, sinks["logs/a"].got())
}

func TestCallersContextReachesEveryPipeline(t *testing.T) {
	type key struct{}
	sinks := threeSinks()
	for _, s := range sinks {
		s.respond = func(ctx context.Context) error {
			if ctx.Value(key{}) != "value" {
				return errors.New("another context")
			}
			return nil
		}
	}
	r := newHarness(t, syncConfig, sinks)
	require.NoError(t, r.logs.ConsumeLogs(context.WithValue(context.Background(), key{}, "value"), newLogsOf("x")))
	assert.Empty(t, r.lines.All())
}

// TestSyncPipelinesRunConcurrentlyAfterAllOthers has two sync pipelines wait for each other.
func TestSyncPipelinesRunConcurrentlyAfterAllOthers(t *testing.T) {
	sinks := threeSinks()
	aCame, bCame := make(chan struct{}), make(chan struct{})
	meet := func(mine, other chan struct{}) func(context.Context) error {
		return func(context.Context) error {
			close(mine)
			<-other // hangs if they run one after another
			assert.Equal(t, []string{"x"}, sinks["logs/c"].got())
			return nil
		}
	}
	sinks["logs/a"].respond = meet(aCame, bCame)
	sinks["logs/b"].respond = meet(bCame, aCame)
	r := newHarness(t, syncConfig, sinks)
	require.NoError(t, r.logs.ConsumeLogs(context.Background(), newLogsOf("x")))
}

func TestMutatingSyncPipelinesShareNothing(t *testing.T) {
	sinks := threeSinks()
	for _, s := range sinks {
		s.mutates = true
	}
	r := newHarness(t, `{default_pipelines: [logs/a, logs/b, logs/c], sync: [logs/a, logs/b, logs/c]}`, sinks)
	require.NoError(t, r.logs.ConsumeLogs(context.Background(), newLogsOf("x", "y")))
	for _, s := range sinks {
		assert.Equal(t, []string{"x", "y"}, s.got())
	}
}

// TestHungBackendAffectsNobodyElse has a hung backend fill the queue of an otlp_http exporter.
func TestHungBackendAffectsNobodyElse(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer server.Close()

	hung := newHungExporter(t, server.URL)
	defer func() {
		close(release)
		require.NoError(t, hung.Shutdown(context.Background()))
	}()
	healthy := &sink{}
	cfg := readConfig(t, `{default_pipelines: [logs/hung, logs/healthy]}`)
	set := connectortest.NewNopSettings(metadata.Type)
	core, lines := observer.New(zap.DebugLevel)
	set.Logger = zap.New(core)
	c, err := NewFactory().CreateLogsToLogs(context.Background(), set, cfg, connector.NewLogsRouter(map[pipeline.ID]consumer.Logs{
		pipelineID(t, "logs/hung"): hung, pipelineID(t, "logs/healthy"): healthy,
	}))
	require.NoError(t, err)

	const requests = 200
	for i := range requests {
		require.NoError(t, c.ConsumeLogs(context.Background(), newLogsOf(fmt.Sprint(i), "again")))
	}
	assert.Len(t, healthy.got(), 2*requests)
	require.NoError(t, c.Shutdown(context.Background()))
	for _, line := range lines.All() {
		assert.Equal(t, "queue_full", line.ContextMap()["cause"])
	}
	assert.Equal(t, 2, lines.Len(), "the first refusal at once, and the others at shutdown")
}

func newHungExporter(t *testing.T, url string) consumerComponent {
	t.Helper()
	factory := otlphttpexporter.NewFactory()
	cfg := factory.CreateDefaultConfig().(*otlphttpexporter.Config)
	cfg.ClientConfig.Endpoint = url
	cfg.RetryConfig.Enabled = false
	queue := exporterhelper.NewDefaultQueueConfig()
	queue.QueueSize, queue.NumConsumers = 20, 1
	cfg.QueueConfig = configoptional.Some(queue)
	hung, err := factory.CreateLogs(context.Background(), exportertest.NewNopSettings(factory.Type()), cfg)
	require.NoError(t, err)
	require.NoError(t, hung.Start(context.Background(), componenttest.NewNopHost()))
	return hung
}

type consumerComponent interface {
	component.Component
	consumer.Logs
}

func TestRefusalsAreLoggedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, lines := observer.New(zap.DebugLevel)
		ids := []pipeline.ID{pipelineID(t, "logs/a"), pipelineID(t, "logs/b")}
		r := newRefusals(zap.New(core), ids)

		secret := errors.New("the body was: secret")
		r.add(0, 3, secret)
		r.add(0, 4, secret)
		r.add(1, 1, exporterhelper.ErrQueueIsFull)
		time.Sleep(59 * time.Second)
		r.add(0, 5, secret)
		time.Sleep(time.Second)
		synctest.Wait()
		r.add(0, 6, consumererror.NewPermanent(secret))
		r.add(0, 7, fmt.Errorf("after 1s: %w", context.DeadlineExceeded))
		r.close()
		r.close()

		type line struct {
			pipeline string
			events   int64
			cause    string
		}
		var got []line
		for _, entry := range lines.All() {
			fields := entry.ContextMap()
			got = append(got, line{fields["pipeline"].(string), fields["events"].(int64), fields["cause"].(string)})
			assert.NotEmpty(t, fields["what_to_do"])
			assert.NotContains(t, fmt.Sprint(entry.Message, fields), "secret")
			assert.Empty(t, entry.Stack)
		}
		assert.Equal(t, []line{
			{"logs/a", 3, "temporary"}, {"logs/b", 1, "queue_full"}, {"logs/a", 9, "temporary"}, {"logs/a", 13, "timeout"},
		}, got)
	})
}

func TestPendingRefusalsAreLoggedAtShutdown(t *testing.T) {
	sinks := threeSinks()
	sinks["logs/b"].refuses(errors.New("no"))
	r := newHarness(t, asyncConfig, sinks)
	for range 3 {
		require.NoError(t, r.logs.ConsumeLogs(context.Background(), newLogsOf("y", "z")))
	}
	require.Equal(t, 1, r.lines.Len())
	require.NoError(t, r.logs.Shutdown(context.Background()))
	require.Equal(t, 2, r.lines.Len())
	assert.EqualValues(t, 4, r.lines.All()[1].ContextMap()["events"])
}

func TestAnyTemporaryFailureReturnsRefusedEvents(t *testing.T) {
	for name, tt := range map[string]struct {
		other error
		keep  bool
	}{
		"the other pipeline fails for now": {errors.New("memory is short"), false},
		"the other pipeline accepts":       {nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			sinks := threeSinks()
			var kept []bool
			sinks["logs/a"].respond = func(ctx context.Context) error {
				_, call, end := callresult.Open(ctx)
				call.Refused(func(keep bool) { kept = append(kept, keep) })
				end()
				return consumererror.NewPermanent(errors.New("1 of 1 events refused"))
			}
			sinks["logs/b"].refuses(tt.other)
			r := newHarness(t, syncConfig, sinks)
			require.Error(t, r.logs.ConsumeLogs(context.Background(), newLogsOf("x")))
			assert.Equal(t, []bool{tt.keep}, kept)
		})
	}
}
