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

// benchConfig has 50 routes, half names and half patterns, to four pipelines in turn, one or two at a time.
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

// benchName is the name of the record at i: each route in turn, and now and then none of them.
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

// benchLogs are records of ten attributes.
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

// BenchmarkRouting is what it costs to route 10,000 records, at once or 1,000 at a time, over 50
// routes into four pipelines that do nothing. The bar is 3 % of the whole CPU time of an event (OTLP
// JSON in, two webhooks). Stamping ids costs what it costs; the bar is without it.
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
			{"reference_filter_processors", benchLogs(size, benchName, true), newBenchFilters},
		} {
			b.Run(fmt.Sprintf("batches_of_%d/%s", size, bb.name), func(b *testing.B) {
				benchRoute(b, bb.batch, bb.newConsumer)
			})
		}
	}
}

// BenchmarkDeciding is what it costs to decide alone.
func BenchmarkDeciding(b *testing.B) {
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
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // what making batches leaves is not to be counted
	var used time.Duration
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		if n++; n%32 == 0 {
			runtime.GC()
		}
		batch := cloneLogs(ld) // it was just made, as one that a receiver has decoded
		b.StartTimer()         // which takes its time: it reads the memory statistics
		begun := cpuTime(b)
		err := c.ConsumeLogs(context.Background(), batch)
		used += cpuTime(b) - begun
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

// newBenchFilters is the same selection by a filter processor before each pipeline.
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

// benchCondition drops what the pipeline does not get.
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

// cpuTime is what the process has used so far: the machine may be busy with something else.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
