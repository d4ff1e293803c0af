// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sdkhttp

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/confighttp"
)

func TestSocketFileOfAKilledProcessIsReplaced(t *testing.T) {
	server := onSocketFile(t)
	killed, err := net.ListenUnix("unix", &net.UnixAddr{Name: server.NetAddr.Endpoint, Net: "unix"})
	require.NoError(t, err)
	killed.SetUnlinkOnClose(false)
	require.NoError(t, killed.Close())

	listener, err := Listen(t.Context(), server)
	require.NoError(t, err)
	connection, err := net.Dial("unix", server.NetAddr.Endpoint)
	require.NoError(t, err)
	assert.NoError(t, connection.Close())
	assert.NoError(t, listener.Close())
}

func TestSocketFileInUseIsKept(t *testing.T) {
	server := onSocketFile(t)
	other, err := Listen(t.Context(), server)
	require.NoError(t, err)
	_, err = Listen(t.Context(), server)
	assert.ErrorContains(t, err, "address already in use")
	connection, err := net.Dial("unix", server.NetAddr.Endpoint)
	require.NoError(t, err)
	assert.NoError(t, connection.Close())
	assert.NoError(t, other.Close())
}

func TestOtherFilesAreKept(t *testing.T) {
	server := onSocketFile(t)
	require.NoError(t, os.WriteFile(server.NetAddr.Endpoint, []byte("text"), 0o600))
	_, err := Listen(t.Context(), server)
	assert.ErrorContains(t, err, "address already in use")
	assert.FileExists(t, server.NetAddr.Endpoint)
}

// onSocketFile returns a server whose endpoint is a socket file, which does not exist yet.
func onSocketFile(t *testing.T) *confighttp.ServerConfig {
	// The name of a socket file may have about 100 bytes, which t.TempDir may exceed.
	directory, err := os.MkdirTemp("", "socket") //nolint:usetesting // see above
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(directory)) })
	server := confighttp.NewDefaultServerConfig()
	server.NetAddr.Transport, server.NetAddr.Endpoint = "unix", filepath.Join(directory, "s")
	return &server
}
