// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestClientsWithoutKeyFillNoMemory lets many clients without a valid key send large bodies, while a
// client with a key sends events. It measures the memory that the process needed at most.
func TestClientsWithoutKeyFillNoMemory(t *testing.T) {
	const (
		clients  = 100
		bodySize = 19 << 20
		requests = 200
		mostMiB  = 350
	)
	in := newInbox(t, singleEvents)
	c := start(t, configure("keys: [{key: shop}], webhooks: {github: {scheme: github, secrets: [s]}}",
		webhook{"shop", in.URL, ""}))
	address := strings.TrimSuffix(strings.TrimPrefix(c.eventURL(), "http://"), "/v1/events")

	// Half of them announce the length of the body; a fifth stalls within the first bytes; a tenth
	// sends webhooks.
	var attack sync.WaitGroup
	var refused atomic.Int64
	ended := make(chan struct{})
	for i := range clients {
		attack.Go(func() {
			for again := true; again; {
				if sendWithoutKey(address, i, bodySize, ended) {
					refused.Add(1)
				}
				select {
				case <-ended:
					again = false
				default:
				}
			}
		})
	}
	client := newClient(t)
	header := http.Header{"Content-Type": {jsonType}, "X-Write-Key": {"shop"}}
	slowest := time.Duration(0)
	for i := range requests {
		sent := time.Now()
		r, err := client.send(http.MethodPost, c.eventURL(), header, fmt.Sprintf(`{"id": "e%d", "name": "order_placed"}`, i))
		require.NoError(t, err)
		require.Equal(t, http.StatusAccepted, r.status, "%+v", r.body)
		slowest = max(slowest, time.Since(sent))
	}
	inBody, err := client.post(c.eventURL(), jsonType, `{"write_key": "shop", "name": "order_placed"}`)
	require.NoError(t, err)
	assert.Equal(t, http.StatusAccepted, inBody.status, "%+v", inBody.body)
	in.wait(c, requests+1)
	c.waitFor("every client without a key to be refused", func() bool { return refused.Load() > clients })
	close(ended)
	attack.Wait()

	used := c.peakMemory()
	t.Logf("peak memory %d MiB, %d requests without a key, slowest request with a key %s", used>>20, refused.Load(), slowest)
	assert.Less(t, used>>20, mostMiB, "MiB")
	assert.Less(t, slowest, 30*time.Second)
}

// sendWithoutKey sends a body of the given size, in a way that depends on the client, and reports
// whether the request was refused.
func sendWithoutKey(address string, client, size int, ended <-chan struct{}) bool {
	conn, err := net.DialTimeout("tcp", address, waitTimeout)
	if err != nil {
		return false
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(waitTimeout))
	path, framing := "/v1/events", fmt.Sprintf("Content-Length: %d", size)
	if client%10 == 0 {
		path = "/v1/webhooks/github"
	}
	if client%2 == 0 {
		framing = "Transfer-Encoding: chunked"
	}
	_, _ = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n%s\r\n\r\n", path, framing)
	chunk := strings.Repeat("x", 32<<10)
	if client%2 == 0 {
		chunk = fmt.Sprintf("%x\r\n%s\r\n", len(chunk), chunk)
	}
	for range size / (32 << 10) {
		if _, err := io.WriteString(conn, chunk); err != nil {
			break
		}
		if client%5 == 1 { // stalls
			select {
			case <-ended:
			case <-time.After(time.Second):
			}
			break
		}
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return true // the collector closed the connection while the client was sending
	}
	defer response.Body.Close()
	return response.StatusCode >= 400
}

// peakMemory returns the largest resident size of the process so far, in bytes.
func (c *collector) peakMemory() int {
	c.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid))
	require.NoError(c.t, err)
	match := regexp.MustCompile(`VmHWM:\s*(\d+) kB`).FindSubmatch(status)
	require.NotNil(c.t, match)
	kilobytes, err := strconv.Atoi(string(match[1]))
	require.NoError(c.t, err)
	return kilobytes << 10
}

// TestInflightBytesBoundMemoryOfClientsWithKey lets clients with a valid key send more than the
// budget at once. Each is served in the end, since a refused request is sent again.
func TestInflightBytesBoundMemoryOfClientsWithKey(t *testing.T) {
	const clients, size, mostMiB = 40, 4 << 20, 400
	in := newInbox(t, singleEvents)
	c := start(t, configure("max_inflight_bytes: 16MiB, keys: [{key: shop}]", webhook{"shop", in.URL, "sending_queue: {queue_size: 1MiB}"}))
	body := `{"name": "order_placed", "properties": {"note": "` + strings.Repeat("x", size) + `"}}`
	header := http.Header{"Content-Type": {jsonType}, "X-Write-Key": {"shop"}}
	client := newClient(t)
	var busy atomic.Int64
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			deadline := time.Now().Add(2 * waitTimeout)
			for time.Now().Before(deadline) {
				r, err := client.send(http.MethodPost, c.eventURL(), header.Clone(), body)
				if err == nil && r.status == http.StatusAccepted {
					return
				}
				if err == nil {
					assert.Equal(t, http.StatusServiceUnavailable, r.status)
					assert.Contains(t, r.body.Error, "max_inflight_bytes")
					assert.NotEmpty(t, r.header.Get("Retry-After"))
				}
				busy.Add(1)
				time.Sleep(50 * time.Millisecond)
			}
			assert.Fail(t, "a client with a key was never served")
		})
	}
	all.Wait()
	t.Logf("peak memory %d MiB, %d requests refused meanwhile", c.peakMemory()>>20, busy.Load())
	assert.Less(t, c.peakMemory()>>20, mostMiB, "MiB")

	r, err := client.send(http.MethodPost, c.eventURL(), header, `{"name": "`+strings.Repeat("x", 16<<20)+`"}`)
	require.NoError(t, err)
	assert.Equal(t, http.StatusRequestEntityTooLarge, r.status)
	assert.Contains(t, r.body.Error, "max_inflight_bytes")
}

// TestShippedConfigurationListensOnLoopbackOnly reads the ports that the process listens on from the
// kernel. The health check accepts any Host, such as the address that kubelet sends.
func TestShippedConfigurationListensOnLoopbackOnly(t *testing.T) {
	t.Parallel()
	shipped, err := os.ReadFile(shippedConfig(t))
	require.NoError(t, err)
	config := onFreePorts(t, string(shipped))
	healthPort := freePort(t)
	config = replace(t, config, "health_check:\n    endpoint: localhost:0\n", fmt.Sprintf("health_check:\n    endpoint: localhost:%d\n", healthPort))
	c := launchIn(t, []string{"FANOUT_DATA_DIR=" + filepath.Join(t.TempDir(), "data")}, "--config", writeConfig(t, config),
		"--config", "yaml:service::telemetry::metrics::level: none")
	c.waitForLog(ready)

	addresses := c.listening()
	assert.Len(t, addresses, 6, "%v", addresses)
	for _, address := range addresses {
		assert.True(t, address.Addr().Unmap().IsLoopback(), "%s is reachable from other machines", address)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/", healthPort), http.NoBody)
	require.NoError(t, err)
	request.Host = "10.1.2.3:13133"
	response, err := newClient(t).http.Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusOK, response.StatusCode)
}

// listening returns the addresses of the process's TCP listeners.
func (c *collector) listening() []netip.AddrPort {
	c.t.Helper()
	folder := fmt.Sprintf("/proc/%d", c.cmd.Process.Pid)
	files, err := filepath.Glob(folder + "/fd/*")
	require.NoError(c.t, err)
	own := map[string]bool{}
	for _, file := range files {
		if target, err := os.Readlink(file); err == nil {
			own[target] = true
		}
	}
	var found []netip.AddrPort
	for _, table := range []string{"tcp", "tcp6"} {
		text, err := os.ReadFile(folder + "/net/" + table)
		require.NoError(c.t, err)
		for line := range strings.Lines(string(text)) {
			const localAddress, state, inode, listens = 1, 3, 9, "0A"
			fields := strings.Fields(line)
			if len(fields) > inode && fields[state] == listens && own["socket:["+fields[inode]+"]"] {
				found = append(found, parseProcAddress(c.t, fields[localAddress]))
			}
		}
	}
	return found
}

// parseProcAddress parses an address of /proc/net/tcp: words in the byte order of the machine.
func parseProcAddress(t *testing.T, text string) netip.AddrPort {
	t.Helper()
	host, port, ok := strings.Cut(text, ":")
	require.True(t, ok, text)
	octets, err := hex.DecodeString(host)
	require.NoError(t, err)
	for word := range slices.Chunk(octets, 4) {
		slices.Reverse(word)
	}
	address, ok := netip.AddrFromSlice(octets)
	require.True(t, ok, text)
	number, err := strconv.ParseUint(port, 16, 16)
	require.NoError(t, err)
	return netip.AddrPortFrom(address, uint16(number))
}
