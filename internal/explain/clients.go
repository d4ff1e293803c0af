// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensionmiddleware"
)

// recording is a request that an exporter made, or OTLP that it got.
type recording struct {
	signal string // of OTLP
	method string // of a request, like the rest
	url    string
	header http.Header
	body   []byte
}

// clientConfig is the configuration of the extension that takes the place of an exporter's network.
type clientConfig struct {
	exporter component.ID
	// status is the status of every answer.
	status int
}

// newExtensionFactory returns the factory of this package's extensions: a client for each exporter, and
// a store of dead letters.
func (r *run) newExtensionFactory() extension.Factory {
	return extension.NewFactory(ownType, func() component.Config { return &storeConfig{} },
		func(_ context.Context, _ extension.Settings, cfg component.Config) (extension.Extension, error) {
			c, ok := cfg.(*clientConfig)
			if !ok {
				return &letterStore{run: r}, nil
			}
			return &client{config: c, record: func(made recording) { r.recorded(c.exporter, made) }}, nil
		}, component.StabilityLevelStable)
}

// client is the middleware of an exporter's HTTP client. It records each request with all of its
// headers instead of sending it, and answers that the backend accepts it.
type client struct {
	inert
	config *clientConfig
	record func(recording)
}

var _ extensionmiddleware.HTTPClient = (*client)(nil)

// GetHTTPRoundTripper implements extensionmiddleware.HTTPClient.
func (c *client) GetHTTPRoundTripper(context.Context) (extensionmiddleware.WrapHTTPRoundTripperFunc, error) {
	return func(context.Context, http.RoundTripper) (http.RoundTripper, error) { return c, nil }, nil
}

// RoundTrip implements http.RoundTripper.
func (c *client) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		defer req.Body.Close()
		var err error
		if body, err = io.ReadAll(req.Body); err != nil {
			return nil, fmt.Errorf("reading the body: %w", err)
		}
	}
	c.record(recording{method: req.Method, url: req.URL.String(), header: req.Header.Clone(), body: body})
	// A webhook consents to a handshake in this header.
	header := http.Header{"Content-Type": {"application/json"}, "Webhook-Allowed-Origin": {"*"}}
	return &http.Response{
		StatusCode: c.config.status, Status: http.StatusText(c.config.status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, Body: io.NopCloser(bytes.NewReader(acceptance(c.config.exporter.Type().String(), body))), Request: req,
	}, nil
}

// acceptance returns the body with which a vendor's server accepts all events of a request. Servers
// whose status says enough get an empty object.
func acceptance(vendor string, request []byte) []byte {
	switch vendor {
	case "posthog":
		return posthogAcceptance(request)
	case "moengage":
		return []byte(`{"status":"success"}`)
	default:
		return []byte(`{}`)
	}
}

// posthogAcceptance has the status of the batch protocol, and the result of each event for capture
// v1.
func posthogAcceptance(request []byte) []byte {
	var sent struct {
		Batch []struct {
			UUID string `json:"uuid"`
		} `json:"batch"`
	}
	_ = json.Unmarshal(request, &sent) // what is not JSON has no events
	type result struct {
		Result string `json:"result"`
	}
	answer := struct {
		Status  int               `json:"status"`
		Results map[string]result `json:"results"`
	}{Status: 1, Results: map[string]result{}}
	for i := range sent.Batch {
		answer.Results[sent.Batch[i].UUID] = result{"ok"}
	}
	body, _ := json.Marshal(answer) // it cannot fail
	return body
}
