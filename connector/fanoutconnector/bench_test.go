// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package fanoutconnector

import (
	"context"
	"fmt"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/filterprocessor"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pipeline"
	"go.opentelemetry.io/collector/processor"

	"github.com/otelcol-fanout/otelcol-fanout/connector/fanoutconnector/internal/metadata"
	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
)

const (
	benchRecords   = 10_000
	benchRoutes    = 50
	benchPipelines = 4
)

// benchConfig has 50 routes, half of them names and half patterns, each to one or two of four
// pipelines.
func benchConfig() *Config {
	cfg := &Config{DefaultPipelines: []pipeline.ID{benchPipeline(0)}}
	for i := range benchRoutes {
		event := fmt.Sprintf("event_%02d", i)
		if i%2 == 1 {
			event = fmt.Sprintf("area_%02d_*", i)
		}
		to := []pipeline.ID{benchPipeline(i % benchPipelines)}
		if i%3 == 0 {
			to = append(to, benchPipeline((i+1)%benchPipelines))
		}
		cfg.Routes = append(cfg.Routes, RouteConfig{Events: []string{event}, Pipelines: to})
	}
	return cfg
}

func benchPipeline(i int) pipeline.ID {
	return pipeline.NewIDWithName(pipeline.SignalLogs, fmt.Sprintf("p%d", i))
}

// benchName returns the name of record i: it cycles through the routes and a few unrouted names.
func benchName(i int) string {
	switch at := i % (benchRoutes + 5); {
	case at >= benchRoutes:
		return "something_else"
	case at%2 == 1:
		return fmt.Sprintf("area_%02d_opened", at)
	default:
		return fmt.Sprintf("event_%02d", at)
	}
}

// benchLogs returns records with ten attributes each.
func benchLogs(size int, name func(int) string, ids bool) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", "shop")
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	for i := range size {
		record := records.AppendEmpty()
		record.SetEventName(name(i))
		record.SetTimestamp(1_700_000_000_000_000_000)
		record.Body().SetStr("a message")
		for j := range 9 {
			record.Attributes().PutStr(fmt.Sprintf("shop.attribute.%d", j), "value")
		}
		if ids {
			record.Attributes().PutStr(appevent.AttrID, fmt.Sprintf("0192f3a8-5a2b-7c3d-8e4f-%012d", i))
		}
	}
	return ld
}

// BenchmarkRouting routes records over 50 routes to four pipelines that do nothing, in batches of
// 1,000 and 10,000. The target is 3 % of the CPU time of an event from OTLP JSON to two webhooks;
// it does not include setting IDs.
func BenchmarkRouting(b *testing.B) {
	oneName := func(int) string { return "area_49_opened" }
	for _, size := range []int{1_000, benchRecords} {
		for _, bb := range []struct {
			name        string
			batch       plog.Logs
			newConsumer func(*testing.B) consumer.Logs
		}{
			{"one_way", benchLogs(size, oneName, true), newBenchFanout},
			{"all_ways", benchLogs(size, benchName, true), newBenchFanout},
			{"all_ways_stamping_ids", benchLogs(size, benchName, false), newBenchFanout},
			{"one_way_with_status", benchLogs(size, oneName, true), newBenchFanoutWithStatus},
			{"all_ways_with_status", benchLogs(size, benchName, true), newBenchFanoutWithStatus},
			{"reference_filter_processors", benchLogs(size, benchName, true), newBenchFilters},
		} {
			b.Run(fmt.Sprintf("batches_of_%d/%s", size, bb.name), func(b *testing.B) {
				benchRoute(b, bb.batch, bb.newConsumer)
			})
		}
	}
}

// BenchmarkFind finds the routes of names, without any records.
func BenchmarkFind(b *testing.B) {
	c := newBenchFanout(b).(*logs)
	names := make([]string, benchRecords)
	for i := range names {
		names[i] = benchName(i)
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, name := range names {
			c.table.find(name)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*benchRecords), "ns/record")
}

func benchRoute(b *testing.B, ld plog.Logs, newConsumer func(*testing.B) consumer.Logs) {
	b.Helper()
	c := newConsumer(b)
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // do not count the garbage of making batches
	var used time.Duration
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		if n++; n%32 == 0 {
			runtime.GC()
		}
		batch := cloneLogs(ld) // fresh memory, like a batch that a receiver has just decoded
		b.StartTimer()         // slow, because it reads the memory statistics
		start := cpuTime(b)
		err := c.ConsumeLogs(context.Background(), batch)
		used += cpuTime(b) - start
		require.NoError(b, err)
	}
	b.ReportMetric(float64(used.Nanoseconds())/float64(b.N*ld.LogRecordCount()), "cpu-ns/record")
}

func cloneLogs(ld plog.Logs) plog.Logs {
	clone := plog.NewLogs()
	ld.CopyTo(clone)
	return clone
}

func newBenchFanout(b *testing.B) consumer.Logs {
	b.Helper()
	next := map[pipeline.ID]consumer.Logs{}
	for i := range benchPipelines {
		next[benchPipeline(i)] = consumertest.NewNop()
	}
	c, err := NewFactory().CreateLogsToLogs(context.Background(), connectortest.NewNopSettings(metadata.Type), benchConfig(), connector.NewLogsRouter(next))
	require.NoError(b, err)
	return c
}

// newBenchFanoutWithStatus returns a connector that reports to a status extension.
func newBenchFanoutWithStatus(b *testing.B) consumer.Logs {
	b.Helper()
	c := newBenchFanout(b).(connector.Logs)
	require.NoError(b, c.Start(context.Background(), newStatusHost()))
	return c
}

// newBenchFilters makes the same selection with a filter processor in front of each pipeline.
func newBenchFilters(b *testing.B) consumer.Logs {
	b.Helper()
	cfg := benchConfig()
	next := map[pipeline.ID]consumer.Logs{}
	for i := range benchPipelines {
		next[benchPipeline(i)] = newBenchFilter(b, cfg, benchPipeline(i))
	}
	return connector.NewLogsRouter(next)
}

func newBenchFilter(b *testing.B, cfg *Config, to pipeline.ID) consumer.Logs {
	b.Helper()
	factory := filterprocessor.NewFactory()
	settings := factory.CreateDefaultConfig()
	require.NoError(b, confmap.NewFromStringMap(map[string]any{
		"error_mode":     "ignore",
		"log_conditions": []any{benchCondition(cfg, to)},
	}).Unmarshal(settings))
	filter, err := factory.CreateLogs(context.Background(), processor.Settings{
		ID: component.NewIDWithName(factory.Type(), to.Name()), TelemetrySettings: componenttest.NewNopTelemetrySettings(),
	}, settings, consumertest.NewNop())
	require.NoError(b, err)
	require.NoError(b, filter.Start(context.Background(), componenttest.NewNopHost()))
	b.Cleanup(func() { require.NoError(b, filter.Shutdown(context.Background())) })
	return filter
}

// benchCondition returns a condition that drops the events of other pipelines.
func benchCondition(cfg *Config, to pipeline.ID) string {
	var mine, all []string
	for _, r := range cfg.Routes {
		expression := strings.ReplaceAll(regexp.QuoteMeta(r.Events[0]), `\*`, ".*")
		all = append(all, expression)
		for _, id := range r.Pipelines {
			if id == to {
				mine = append(mine, expression)
			}
		}
	}
	condition := fmt.Sprintf("not IsMatch(log.event_name, \"^(%s)$\")", strings.Join(mine, "|"))
	if to == cfg.DefaultPipelines[0] {
		condition += fmt.Sprintf(" and IsMatch(log.event_name, \"^(%s)$\")", strings.Join(all, "|"))
	}
	return condition
}

// cpuTime returns the CPU time of the process, which a busy machine does not distort.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
