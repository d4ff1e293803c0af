// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHealthCheckFollowsBackend(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		failure behavior
		says    string
	}{
		{"responds 503", refusing(http.StatusServiceUnavailable, "busy"), "503"},
		{"it refuses our credentials", refusing(http.StatusUnauthorized, "who are you?"), "check the credentials"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newBackend(t, tt.failure)
			var port int
			change := func(configuration string) string {
				port = freePort(t)
				configuration = replace(t, configuration, "extensions:\n", fmt.Sprintf("extensions:\n"+
					"  health_check: {http: {endpoint: \"127.0.0.1:%d\"}, component_health: {include_recoverable_errors: true, recovery_duration: 0s}}\n", port))
				return replace(t, configuration, "extensions: [", "extensions: [health_check, ")
			}
			p := startInstrumentedWith(t, newDataFolders(t), change,
				[]webhook{{"b", b.URL, "batching: array, retry_on_failure: {initial_interval: 10ms, max_interval: 20ms}"}},
				"--feature-gates=+extension.healthcheck.useComponentStatus")
			var status int
			var text string
			awaitStatus := func(want int) {
				p.waitFor(fmt.Sprintf("health check status %d", want), func() bool {
					time.Sleep(10 * time.Millisecond)
					var err error
					status, text, err = p.get(fmt.Sprintf("http://127.0.0.1:%d/status?verbose", port))
					return err == nil && status == want
				})
			}
			awaitStatus(http.StatusOK)

			newSDK(p).mustExport(t, records(0, 1))
			awaitStatus(http.StatusInternalServerError)
			assert.Contains(t, text, "StatusRecoverableError")
			assert.Contains(t, text, tt.says)
			assert.NotContains(t, text, b.URL)

			b.setBehavior(accepting)
			newSDK(p).mustExport(t, records(1, 1))
			awaitStatus(http.StatusOK)
			require.Contains(t, text, "webhook/b")
			assert.NotContains(t, text, "StatusRecoverableError")
			p.settled("webhook/b", 2)
		})
	}
}
