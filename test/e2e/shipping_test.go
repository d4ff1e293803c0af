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

// startShipped starts the shipped configuration as it is, but for its ports, with these environment variables.
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

// siteIn is where the shipped configuration keeps what FANOUT_DATA_DIR makes it keep.
func siteIn(environment []string) *site {
	for _, variable := range environment {
		if folder, ok := strings.CutPrefix(variable, "FANOUT_DATA_DIR="); ok {
			return &site{letters: filepath.Join(folder, "dead-letters"), storage: filepath.Join(folder, "queue")}
		}
	}
	return nil
}

// door is the address of a collector that is replaced by another one. It notes what clients were answered.
type door struct {
	*httptest.Server

	behind atomic.Pointer[plant]

	mu       sync.Mutex
	statuses map[int]int // how often each was answered, 0 where there was nobody to answer
}

func newDoor(t *testing.T, p *plant) *door {
	t.Helper()
	d := &door{statuses: map[int]int{}}
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

func (d *door) note(status int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.statuses[status]++
}

// refusals are what clients were answered besides 200, and how often.
func (d *door) refusals() map[int]int {
	d.mu.Lock()
	defer d.mu.Unlock()
	others := maps.Clone(d.statuses)
	delete(others, http.StatusOK)
	return others
}

// address is the host and port.
func (d *door) address() string { return d.Listener.Addr().String() }
