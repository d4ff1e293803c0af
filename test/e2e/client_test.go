// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	jsonType  = "application/json"
	linesType = "application/x-ndjson"
)

// client is an application that posts events.
type client struct{ http *http.Client }

func newClient(t *testing.T) *client {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 16}
	t.Cleanup(transport.CloseIdleConnections)
	return &client{http: &http.Client{Transport: transport, Timeout: waitTimeout}}
}

// reply is the event receiver's response.
type reply struct {
	status int
	header http.Header
	body   receipt
}

type receipt struct {
	Accepted int `json:"accepted"`
	Rejected []struct {
		Index int    `json:"index"`
		ID    string `json:"id"`
		Error string `json:"error"`
	} `json:"rejected"`
	Error string `json:"error"`
}

func (c *client) post(url, contentType, body string) (reply, error) {
	return c.send(http.MethodPost, url, http.Header{"Content-Type": {contentType}}, body)
}

func (c *client) send(method, url string, header http.Header, body string) (reply, error) {
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	request.Header = header
	response, err := c.http.Do(request)
	if err != nil {
		return reply{}, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return reply{}, err
	}
	r := reply{status: response.StatusCode, header: response.Header}
	if err := json.Unmarshal(content, &r.body); err != nil {
		return reply{}, fmt.Errorf("the response %d is not JSON: %w: %.1000s", r.status, err, content)
	}
	return r, nil
}

// mustAccept posts events, all of which must be accepted.
func (c *client) mustAccept(t *testing.T, url, contentType, body string, events int) {
	t.Helper()
	r, err := c.post(url, contentType, body)
	require.NoError(t, err)
	require.Equal(t, http.StatusAccepted, r.status, "%+v", r.body)
	require.Equal(t, events, r.body.Accepted)
	require.Empty(t, r.body.Rejected)
}
