// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package otlprepairextension

import (
	"context"
	"maps"
	"slices"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensionmiddleware"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/otelcol-fanout/otelcol-fanout/extension/otlprepairextension/internal/metadata"
	"github.com/otelcol-fanout/otelcol-fanout/internal/throttle"
)

// repairExtension is the middleware of any number of servers.
type repairExtension struct {
	logger    *zap.Logger
	telemetry *metadata.TelemetryBuilder
	repaired  *throttle.Log[map[finding]int]
	attempts  sync.Pool // of *attempt
}

var _ extensionmiddleware.HTTPServer = (*repairExtension)(nil)

func newRepair(set extension.Settings) (*repairExtension, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	r := &repairExtension{logger: set.Logger, telemetry: telemetry}
	r.repaired = throttle.NewLog(r.log)
	return r, nil
}

// Start implements component.Component.
func (*repairExtension) Start(context.Context, component.Host) error { return nil }

// Shutdown logs the repairs that are not logged yet.
func (r *repairExtension) Shutdown(context.Context) error {
	r.repaired.Close()
	r.telemetry.Shutdown()
	return nil
}

// count counts and logs the repairs of a request.
func (r *repairExtension) count(ctx context.Context, findings map[finding]int) {
	for found, n := range findings {
		r.telemetry.FanoutOtlpRepairValues.Add(ctx, int64(n), metric.WithAttributes(attribute.String("fault", string(found.fault))))
	}
	total := 0
	for _, n := range findings {
		total += n
	}
	r.repaired.Add(total, func(pending *map[finding]int) {
		if *pending == nil {
			*pending = map[finding]int{}
		}
		for found, n := range findings {
			found.addTo(*pending, n)
		}
	})
}

// log names the faults and their paths. It never contains a value.
func (r *repairExtension) log(repaired throttle.Summary, findings map[finding]int) {
	places := make([]string, 0, len(findings))
	for _, found := range slices.SortedFunc(maps.Keys(findings), finding.compare) {
		places = append(places, string(found.fault)+" at "+found.path)
	}
	r.logger.Warn("Repaired values that the OTLP receiver would have refused together with their whole requests; correct the client",
		append([]zap.Field{zap.Strings("faults", places)}, repaired.Fields("values")...)...)
}
