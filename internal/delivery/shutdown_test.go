// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pipeline"
)

func TestTheTimeToStopRunsForAllExportersFromTheFirst(t *testing.T) {
	now := time.Now()
	for name, tt := range map[string]struct {
		announced time.Duration // ago
		want      time.Duration
	}{
		"the first has all of it":           {0, 10 * time.Second},
		"a later one has what is left":      {3 * time.Second, 7 * time.Second},
		"the last has a tenth":              {9500 * time.Millisecond, time.Second},
		"so has one after the time is over": {time.Minute, time.Second},
	} {
		s := newLifetime()
		s.announce(now.Add(-tt.announced))
		s.announce(now) // which others tell it too
		assert.Equal(t, tt.want, s.left(10*time.Second, now), name)
	}
	assert.Equal(t, 10*time.Second, newLifetime().left(10*time.Second, now), "a host that does not know the exporters")
}

type collectorHost struct {
	component.Host
	exporters map[pipeline.Signal]map[component.ID]component.Component
}

func (h collectorHost) GetExporters() map[pipeline.Signal]map[component.ID]component.Component {
	return h.exporters
}

func TestAnExporterThatIsToldToStopTellsTheOthers(t *testing.T) {
	logs, traces := &logsExporter{&base{lifetime: newLifetime()}}, &tracesExporter{&base{lifetime: newLifetime()}}
	stopped := &base{host: collectorHost{exporters: map[pipeline.Signal]map[component.ID]component.Component{
		pipeline.SignalLogs:   {component.MustNewID("a"): logs, component.MustNewID("core"): struct{ component.Component }{}},
		pipeline.SignalTraces: {component.MustNewID("b"): traces},
	}}}
	stopped.announceShutdown()
	assert.NotNil(t, logs.lifetime.announced.Load())
	assert.NotNil(t, traces.lifetime.announced.Load())
}
