// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestPrintsURLEventsAndSummary(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	reader, writer := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, options{listen: "127.0.0.1:0", name: "audit", fail: 1, status: http.StatusBadRequest}, writer)
	}()

	lines := bufio.NewScanner(reader)
	require.True(t, lines.Scan())
	url, ok := strings.CutPrefix(lines.Text(), "audit receives on ")
	require.True(t, ok, lines.Text())

	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for _, want := range []string{"responded 400", "order_placed"} {
		go func() {
			response, err := client.Post(url, "application/json", strings.NewReader(`{"id":"1","name":"order_placed"}`))
			if assert.NoError(t, err) {
				assert.NoError(t, response.Body.Close())
			}
		}()
		require.True(t, lines.Scan())
		assert.Contains(t, lines.Text(), want)
	}

	cancel()
	require.True(t, lines.Scan())
	assert.Equal(t, "audit received 1 events (1 distinct ids) in 1 requests, and refused 1 requests", lines.Text())
	require.NoError(t, <-ended)
}

func TestInvalidOptionsAreErrors(t *testing.T) {
	for want, o := range map[string]options{
		"-fail: -1 is negative":                      {fail: -1, status: defaultStatus},
		"-status: 200 is not the status of an error": {fail: 1, status: http.StatusOK},
		"-status: has no effect without -fail":       {status: http.StatusBadRequest},
		"audit inbox: listen tcp":                    {listen: "nowhere", name: "audit", status: defaultStatus},
	} {
		require.ErrorContains(t, run(t.Context(), o, io.Discard), want)
	}
}
