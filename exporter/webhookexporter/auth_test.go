// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package webhookexporter

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/basicauthextension"
	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/bearertokenauthextension"
	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/oauth2clientauthextension"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensiontest"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/deliverytest"
)

// newTokenServer implements the client credentials grant (RFC 6749, section 4.4).
func newTokenServer(t *testing.T) (url string) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, secret, _ := r.BasicAuth()
		if id != "fanout" || secret != "hunter2-hunter2" || r.PostFormValue("grant_type") != "client_credentials" || r.PostFormValue("scope") != "hooks" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"access_token":"hunter2-token","token_type":"Bearer","expires_in":3600}`)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestExtensionsAddCredentials(t *testing.T) {
	for name, tt := range map[string]struct {
		factory extension.Factory
		conf    map[string]any
		want    string
	}{
		"basic": {
			basicauthextension.NewFactory(),
			map[string]any{"client_auth": map[string]any{"username": "alice", "password": "hunter2-hunter2"}},
			"Basic YWxpY2U6aHVudGVyMi1odW50ZXIy",
		},
		"bearer": {bearertokenauthextension.NewFactory(), map[string]any{"token": "hunter2-hunter2"}, "Bearer hunter2-hunter2"},
		"OAuth 2.0": {
			oauth2clientauthextension.NewFactory(),
			map[string]any{"client_id": "fanout", "client_secret": "hunter2-hunter2", "token_url": newTokenServer(t), "scopes": []any{"hooks"}},
			"Bearer hunter2-token",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWebhook(t)
			id := component.NewID(tt.factory.Type())
			cfg := testConfig(w.URL, BatchingSingle)
			require.NoError(t, confmap.NewFromStringMap(map[string]any{
				"auth": map[string]any{"authenticator": id.String()},
				// The signature does not cover the credentials.
				"signing": map[string]any{"scheme": "standard", "secrets": []any{currentSecret}},
			}).Unmarshal(cfg))
			deliverytest.Setup{
				Factory: NewFactory(), Config: cfg, Credentials: []string{"hunter2", "aHVudGVyMi1odW50ZXIy"},
				Extensions: map[component.ID]component.Component{id: startExtension(t, tt.factory, tt.conf)},
			}.StartLogs(t).Send(eventsNamed("a"))
			assert.Equal(t, tt.want, w.request(0).header.Get("Authorization"))
			assert.NotEmpty(t, w.request(0).header.Get("Webhook-Signature"))
		})
	}
}

func startExtension(t *testing.T, factory extension.Factory, conf map[string]any) component.Component {
	t.Helper()
	cfg := factory.CreateDefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(conf).Unmarshal(&cfg))
	ext, err := factory.Create(t.Context(), extensiontest.NewNopSettings(factory.Type()), cfg)
	require.NoError(t, err)
	require.NoError(t, ext.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { assert.NoError(t, ext.Shutdown(context.Background())) })
	return ext
}

func TestClientCertificate(t *testing.T) {
	certificate, key := selfSigned(t)
	known := x509.NewCertPool()
	require.True(t, known.AppendCertsFromPEM(certificate))
	var names []string
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		names = append(names, r.TLS.PeerCertificates[0].DNSNames...) // max_in_flight is 1
		w.WriteHeader(http.StatusNoContent)
	}))
	server.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: known}
	server.StartTLS()
	defer server.Close()
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	for name, tt := range map[string]struct {
		tls  map[string]any
		want map[string]int64
	}{
		"with one":    {map[string]any{"ca_pem": ca, "cert_pem": string(certificate), "key_pem": string(key)}, map[string]int64{"delivered": 1}},
		"without one": {map[string]any{"ca_pem": ca}, map[string]int64{"dead_lettered/exhausted": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := async(server.URL, BatchingSingle)
			require.NoError(t, confmap.NewFromStringMap(map[string]any{"tls": tt.tls, "max_retries": 1}).Unmarshal(cfg))
			e := start(t, cfg)
			e.Send(eventsNamed("a"))
			assert.Equal(t, tt.want, e.Outcomes())
		})
	}
	assert.Equal(t, []string{"fanout.example.com"}, names)
}

// selfSigned returns a client's certificate and its key.
func selfSigned(t *testing.T) (certificate, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"fanout.example.com"}, NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	require.NoError(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}
