// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configmiddleware"
)

// WithTransport calls adapt with the http.Transport of the client that cfg creates. It adds a
// middleware to cfg, and returns the extensions including that middleware, for
// [confighttp.ClientConfig.ToClient].
//
// It relies on confighttp applying the last middleware first, to a plain *http.Transport.
// confighttp's dialer_middleware can replace it once its feature gate
// (pkg.configmiddleware.CustomTCPRouting) is on by default.
func WithTransport(cfg *confighttp.ClientConfig, extensions map[component.ID]component.Component, adapt func(*http.Transport)) map[component.ID]component.Component {
	all := map[component.ID]component.Component{transportID: transportMiddleware{adapt: adapt}}
	maps.Copy(all, extensions)
	cfg.Middlewares = append(slices.Clone(cfg.Middlewares), configmiddleware.Config{ID: transportID})
	return all
}

// transportID is an ID that cannot occur in a configuration.
var transportID = component.NewIDWithName(component.MustNewType("transport"), "\x00") //nolint:gochecknoglobals // a constant

// transportMiddleware is an extension that adapts a client's transport.
type transportMiddleware struct {
	component.StartFunc
	component.ShutdownFunc

	adapt func(*http.Transport)
}

// GetHTTPRoundTripper implements extensionmiddleware.HTTPClient.
func (m transportMiddleware) GetHTTPRoundTripper(context.Context) (func(context.Context, http.RoundTripper) (http.RoundTripper, error), error) {
	return func(_ context.Context, next http.RoundTripper) (http.RoundTripper, error) {
		transport, ok := next.(*http.Transport)
		if !ok {
			return nil, fmt.Errorf("the HTTP client of confighttp is built on a %T, which has no dialer", next)
		}
		m.adapt(transport)
		return transport, nil
	}, nil
}
