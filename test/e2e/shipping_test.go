// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// startShipped starts the shipped configuration with these environment variables and free ports.
func startShipped(t *testing.T, environment ...string) *plant {
	t.Helper()
	return startShippedWith(t, environment)
}

// startShippedWith is startShipped with more arguments.
func startShippedWith(t *testing.T, environment []string, args ...string) *plant {
	t.Helper()
	shipped, err := os.ReadFile(shippedConfig(t))
	require.NoError(t, err)
	path := writeConfig(t, onFreePorts(t, string(shipped)))
	return startOnFreePort(t, siteIn(environment), func(port int) *collector {
		return launchIn(t, environment, append(args, "--config", path,
			"--config", "yaml:service::telemetry::metrics::readers: "+metricsReaders(port))...)
	})
}

// siteIn returns the folders of the shipped configuration in FANOUT_DATA_DIR.
func siteIn(environment []string) *site {
	for _, variable := range environment {
		if folder, ok := strings.CutPrefix(variable, "FANOUT_DATA_DIR="); ok {
			return &site{letters: filepath.Join(folder, "dead-letters"), storage: filepath.Join(folder, "queue")}
		}
	}
	return nil
}

// frontend is an address whose collector can be replaced. It records the responses to clients.
type frontend struct {
	*httptest.Server

	behind atomic.Pointer[plant]

	mu       sync.Mutex
	statuses map[int]int // count by status, 0 without a collector
}

func newDoor(t *testing.T, p *plant) *frontend {
	t.Helper()
	d := &frontend{statuses: map[int]int{}}
	d.behind.Store(p)
	transport := &http.Transport{DisableKeepAlives: true}
	d.Server = httptest.NewServer(&httputil.ReverseProxy{
		Transport:      transport,
		Rewrite:        func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: d.behind.Load().otlpHTTP()}) },
		ModifyResponse: func(r *http.Response) error { d.note(r.StatusCode); return nil },
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
			d.note(0)
			w.WriteHeader(http.StatusServiceUnavailable)
		},
	})
	t.Cleanup(d.Close)
	return d
}

func (d *frontend) note(status int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.statuses[status]++
}

// refusals returns the responses other than 200, with their counts.
func (d *frontend) refusals() map[int]int {
	d.mu.Lock()
	defer d.mu.Unlock()
	others := maps.Clone(d.statuses)
	delete(others, http.StatusOK)
	return others
}

// address is the host and port.
func (d *frontend) address() string { return d.Listener.Addr().String() }
