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
func startShipped(t *testing.T, environment ...string) *instrumentedCollector {
	t.Helper()
	return startShippedWith(t, environment)
}

// startShippedWith is startShipped with more arguments.
func startShippedWith(t *testing.T, environment []string, args ...string) *instrumentedCollector {
	t.Helper()
	shipped, err := os.ReadFile(shippedConfig(t))
	require.NoError(t, err)
	path := writeConfig(t, onFreePorts(t, string(shipped)))
	return startOnFreePort(t, dataFoldersIn(environment), func(port int) *collector {
		return launchIn(t, environment, append(args, "--config", path,
			"--config", "yaml:service::telemetry::metrics::readers: "+metricsReaders(port))...)
	})
}

// dataFoldersIn returns the folders of the shipped configuration in FANOUT_DATA_DIR.
func dataFoldersIn(environment []string) *dataFolders {
	for _, variable := range environment {
		if folder, ok := strings.CutPrefix(variable, "FANOUT_DATA_DIR="); ok {
			return &dataFolders{deadLetters: filepath.Join(folder, "dead-letters"), storage: filepath.Join(folder, "queue")}
		}
	}
	return nil
}

// frontend is an address whose collector can be replaced. It records the responses to clients.
type frontend struct {
	*httptest.Server

	behind atomic.Pointer[instrumentedCollector]

	mu       sync.Mutex
	statuses map[int]int // count by status, 0 without a collector
}

func newFrontend(t *testing.T, p *instrumentedCollector) *frontend {
	t.Helper()
	f := &frontend{statuses: map[int]int{}}
	f.behind.Store(p)
	transport := &http.Transport{DisableKeepAlives: true}
	f.Server = httptest.NewServer(&httputil.ReverseProxy{
		Transport:      transport,
		Rewrite:        func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: f.behind.Load().otlpHTTP()}) },
		ModifyResponse: func(r *http.Response) error { f.note(r.StatusCode); return nil },
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
			f.note(0)
			w.WriteHeader(http.StatusServiceUnavailable)
		},
	})
	t.Cleanup(f.Close)
	return f
}

func (f *frontend) note(status int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.statuses[status]++
}

// refusals returns the responses other than 200, with their counts.
func (f *frontend) refusals() map[int]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	others := maps.Clone(f.statuses)
	delete(others, http.StatusOK)
	return others
}

// address is the host and port.
func (f *frontend) address() string { return f.Listener.Addr().String() }
