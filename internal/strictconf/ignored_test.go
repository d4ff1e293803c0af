// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package strictconf

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap"
)

// client squashes a struct with an Unmarshal method, as otlp_http does.
type client struct {
	HTTP     confighttp.ClientConfig `mapstructure:",squash"`
	Encoding string                  `mapstructure:"encoding"`
}

// server has such a struct further down, as the otlp receiver does.
type server struct {
	Plain     string `mapstructure:"plain"`
	Protocols struct {
		HTTP configoptional.Optional[struct {
			Server confighttp.ServerConfig `mapstructure:",squash"`
			Path   string                  `mapstructure:"path"`
		}] `mapstructure:"http"`
	} `mapstructure:"protocols"`
}

// strict knows its keys itself.
type strict struct {
	HTTP confighttp.ClientConfig `mapstructure:",squash"`
}

func (*strict) Unmarshal(*confmap.Conf) error { return nil }

func TestKeysThatTheCollectorIgnoresAreFound(t *testing.T) {
	for name, tt := range map[string]struct {
		conf map[string]any
		cfg  any
		want []string
	}{
		"beside a squashed struct": {map[string]any{"endpoint": "x", "heders": nil}, &client{}, []string{`unknown key "heders"; did you mean "headers"?`}},
		"below a squashed struct":  {map[string]any{"tls": map[string]any{"insecur": true}}, &client{}, []string{`unknown key "tls::insecur"; did you mean "insecure"?`}},
		"further down": {
			map[string]any{"protocols": map[string]any{"http": map[string]any{"path": "/", "corss": nil}}}, &server{},
			[]string{`unknown key "protocols::http::corss"; did you mean "cors"?`},
		},
		"not where the collector refuses them": {map[string]any{"plane": 1, "protocols": map[string]any{"grcp": nil}}, &server{}, nil},
		"not of a struct that knows them":      {map[string]any{"heders": nil}, &strict{}, nil},
		"not where there are none":             {map[string]any{"endpoint": "x", "encoding": "json", "headers": map[string]any{"any": "name"}}, &client{}, nil},
	} {
		assert.Equal(t, tt.want, Ignored(tt.conf, tt.cfg), name)
	}
}
