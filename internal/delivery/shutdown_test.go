// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pipeline"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/lifetime"
)

type collectorHost struct {
	component.Host
	exporters map[pipeline.Signal]map[component.ID]component.Component
}

func (h collectorHost) GetExporters() map[pipeline.Signal]map[component.ID]component.Component {
	return h.exporters
}

func TestShutdownIsAnnouncedToOtherExporters(t *testing.T) {
	logs, traces := &logsExporter{&base{lifetime: lifetime.New()}}, &tracesExporter{&base{lifetime: lifetime.New()}}
	stopped := &base{host: collectorHost{exporters: map[pipeline.Signal]map[component.ID]component.Component{
		pipeline.SignalLogs:   {component.MustNewID("a"): logs, component.MustNewID("core"): struct{ component.Component }{}},
		pipeline.SignalTraces: {component.MustNewID("b"): traces},
	}}}
	stopped.announceShutdown()
	later := time.Now().Add(time.Minute)
	assert.Less(t, logs.lifetime.Left(time.Hour, later), time.Hour, "its time runs")
	assert.Less(t, traces.lifetime.Left(time.Hour, later), time.Hour)
}
