// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deliverytest_test

import (
	"flag"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/deliverytest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// A vendor that does not know the key, and later does.
func ExampleSetup() {
	_ = func(t *testing.T) {
		vendor := httptest.NewServer(deliverytest.Answer(401, `{"error":"unknown key"}`))
		defer vendor.Close()
		cfg := newConfig()
		e := deliverytest.Setup{
			Factory: setup(cfg, &names{url: vendor.URL}).Factory, Config: cfg,
			Credentials: []string{"the key"}, Values: []string{"alice@example.com"},
		}.StartLogs(t)
		defer e.Stop() // while the vendor is there

		e.Send(logsNamed("order_placed", "order_paid"))
		assert.Equal(t, map[string]int64{"dead_lettered/unauthorized": 2}, e.Outcomes())
		assert.Equal(t, []string{"order_paid:unauthorized", "order_placed:unauthorized"}, e.Letters.Reasons())
		assert.Equal(t, []string{"StatusRecoverableError: the backend answers 401: check the credentials"}, e.Statuses())

		vendor.Config.Handler = deliverytest.Answer(200, "")
		for _, replayed := range e.Letters.Replay(t.Context()) {
			assert.Equal(t, deadletter.OutcomeDelivered, replayed.Outcome)
		}
	}
}

func TestGoldenFilesOfTraces(t *testing.T) {
	deliverytest.Golden(t, "want.txt", *update, func(t *testing.T, name string, td ptrace.Traces) string {
		assert.Equal(t, "a_span", name)
		var got strings.Builder
		for _, span := range td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().All() {
			got.WriteString(span.Name() + "\n")
		}
		return got.String()
	})
}
