// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deliverytest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/deliverytest"
	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

// watched records the failures of a test, which are under test here.
type watched struct {
	testing.TB
	cleanups []func()

	mu       sync.Mutex
	failures []string
}

func (w *watched) Helper()            {}
func (w *watched) Cleanup(end func()) { w.cleanups = append(w.cleanups, end) }

func (w *watched) Errorf(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failures = append(w.failures, fmt.Sprintf(format, args...))
}

// failuresOf are the failures of a test.
func failuresOf(t *testing.T, test func(t testing.TB)) string {
	t.Helper()
	w := &watched{TB: t}
	test(w)
	for _, end := range w.cleanups {
		end()
	}
	return strings.Join(w.failures, "\n")
}

// sloppy is an exporter that makes one mistake.
type sloppy struct {
	component.StartFunc
	component.ShutdownFunc
	unknown bool // to the status extension
	mutates bool
	consume func() error
}

func (s *sloppy) Start(ctx context.Context, host component.Host) error {
	if !s.unknown {
		statusfeed.Find(host).AddExporter(&statusfeed.Exporter{})
	}
	return s.StartFunc.Start(ctx, host)
}

func (s *sloppy) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: s.mutates}
}
func (s *sloppy) ConsumeLogs(context.Context, plog.Logs) error { return s.consume() }

func sloppySetup(newSloppy func(exporter.Settings) *sloppy) deliverytest.Setup {
	cfg := func() component.Config { return newConfig() }
	return deliverytest.Setup{
		Config: cfg(), Credentials: []string{"hunter2"}, Values: []string{"s3cr3t"},
		Factory: exporter.NewFactory(component.MustNewType("sloppy"), cfg, exporter.WithLogs(
			func(_ context.Context, set exporter.Settings, _ component.Config) (exporter.Logs, error) {
				return newSloppy(set), nil
			},
			component.StabilityLevelDevelopment)),
	}
}

func TestBrokenPromisesFailTheTest(t *testing.T) {
	fine := func() error { return nil }
	for name, tt := range map[string]struct {
		newSloppy func(exporter.Settings) *sloppy
		want      string // the failure
	}{
		"none": {func(exporter.Settings) *sloppy { return &sloppy{consume: fine} }, ""},
		"pdata that has to be cloned": {
			func(exporter.Settings) *sloppy { return &sloppy{mutates: true, consume: fine} },
			"the collector would clone the pdata",
		},
		"no reports to the status extension": {
			func(exporter.Settings) *sloppy { return &sloppy{unknown: true, consume: fine} },
			"does not register with the status extension",
		},
		"an outcome that is not reported": {
			func(set exporter.Settings) *sloppy {
				events, _ := set.MeterProvider.Meter("m").Int64Counter("otelcol_fanout_events_total")
				return &sloppy{consume: func() error { events.Add(context.Background(), 1); return nil }}
			}, "outcomes, as reported",
		},
		"a shutdown that fails": {
			func(exporter.Settings) *sloppy {
				return &sloppy{consume: fine, ShutdownFunc: func(context.Context) error { return errors.New("stuck") }}
			}, "stuck",
		},
		"an event that nobody accounts for": {
			func(set exporter.Settings) *sloppy {
				accepted, _ := set.MeterProvider.Meter("m").Int64Counter("otelcol_fanout_accepted_events_total")
				return &sloppy{consume: func() error { accepted.Add(context.Background(), 1); return nil }}
			}, "events are unaccounted for: 1 accepted",
		},
		"a credential in the log": {
			func(set exporter.Settings) *sloppy {
				return &sloppy{consume: func() error { set.Logger.Debug("so", zap.Error(errors.New("no hunter2"))); return nil }}
			}, `the log holds "hunter2"`,
		},
		"a value in the log": {
			func(set exporter.Settings) *sloppy {
				return &sloppy{consume: func() error { set.Logger.Info("so s3cr3t"); return nil }}
			}, `the log holds "s3cr3t"`,
		},
		"a credential in a span": {
			func(set exporter.Settings) *sloppy {
				return &sloppy{consume: func() error {
					_, span := set.TracerProvider.Tracer("t").Start(context.Background(), "POST /hunter2")
					span.End()
					return nil
				}}
			}, `a span holds "hunter2"`,
		},
		"a credential in the component status": {
			func(exporter.Settings) *sloppy {
				s := &sloppy{consume: fine}
				s.StartFunc = func(_ context.Context, host component.Host) error {
					componentstatus.ReportStatus(host, componentstatus.NewRecoverableErrorEvent(errors.New("no hunter2")))
					return nil
				}
				return s
			}, `the component status holds "hunter2"`,
		},
		"a credential in the error": {
			func(exporter.Settings) *sloppy {
				return &sloppy{consume: func() error { return errors.New("no hunter2") }}
			}, `the error to the caller holds "hunter2"`,
		},
		"a value in the metrics": {
			func(set exporter.Settings) *sloppy {
				counter, _ := set.MeterProvider.Meter("m").Int64Counter("s3cr3t")
				return &sloppy{consume: func() error { counter.Add(context.Background(), 1); return nil }}
			}, `the metrics holds "s3cr3t"`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := failuresOf(t, func(t testing.TB) {
				_ = sloppySetup(tt.newSloppy).StartLogs(t).Consume(t.Context(), plog.NewLogs())
			})
			if tt.want == "" {
				assert.Empty(t, got)
			}
			assert.Contains(t, got, tt.want)
		})
	}
}

func TestCredentialInDeadLetterFailsTheTest(t *testing.T) {
	s := newServer(t, deliverytest.Answer(http.StatusOK, ""))
	for credential, want := range map[string]string{"hunter2": `a dead letter holds "hunter2"`, "other": ""} {
		with := setup(newConfig(), &names{url: s.URL, answer: func() delivery.Classification {
			return delivery.Classification{Outcome: delivery.Outcome{Kind: delivery.Refused, Reason: "refused", Message: "not with hunter2"}}
		}})
		with.Credentials, with.Values = []string{credential}, []string{"s3cr3t"}
		got := failuresOf(t, func(t testing.TB) { with.StartLogs(t).Send(logsNamed("s3cr3t")) })
		assert.Equal(t, want == "", got == "", got)
		assert.Contains(t, got, want)
	}
}

func TestPdataIsReadOnly(t *testing.T) {
	ld := logsNamed("a")
	e := sloppySetup(func(exporter.Settings) *sloppy {
		return &sloppy{consume: func() error { ld.ResourceLogs().AppendEmpty(); return nil }}
	}).StartLogs(t)
	assert.Panics(t, func() { _ = e.Consume(t.Context(), ld) })
}
