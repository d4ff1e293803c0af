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

// squashed is a struct with an Unmarshal method of its own, as the health_check extension squashes one.
type squashed struct {
	confighttp.ClientConfig `mapstructure:",squash"`
}

func (s *squashed) Unmarshal(conf *confmap.Conf) error {
	return conf.Unmarshal(&s.ClientConfig, confmap.WithIgnoreUnused())
}

// client squashes such a struct.
type client struct {
	HTTP     squashed `mapstructure:",squash"`
	Encoding string   `mapstructure:"encoding"`
}

// squashedServer is squashed for a server.
type squashedServer struct {
	confighttp.ServerConfig `mapstructure:",squash"`
}

func (s *squashedServer) Unmarshal(conf *confmap.Conf) error {
	return conf.Unmarshal(&s.ServerConfig, confmap.WithIgnoreUnused())
}

// server has such a struct further down.
type server struct {
	Plain     string `mapstructure:"plain"`
	Protocols struct {
		HTTP configoptional.Optional[struct {
			Server squashedServer `mapstructure:",squash"`
			Path   string         `mapstructure:"path"`
		}] `mapstructure:"http"`
	} `mapstructure:"protocols"`
}

// strict knows its keys itself.
type strict struct {
	HTTP confighttp.ClientConfig `mapstructure:",squash"`
}

func (*strict) Unmarshal(*confmap.Conf) error { return nil }

func TestUnknownKeysOfOtherComponentsAreFound(t *testing.T) {
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
		"where the collector refuses them": {
			map[string]any{"plane": 1, "protocols": map[string]any{"htp": nil}}, &server{},
			[]string{`unknown key "plane"; did you mean "plain"?`, `unknown key "protocols::htp"; did you mean "http"?`},
		},
		"of a struct without any":         {map[string]any{"a": 1}, &struct{}{}, []string{`unknown key "a"; this block has no keys`}},
		"not of a struct that knows them": {map[string]any{"heders": nil}, &strict{}, nil},
		"any key of a map":                {map[string]any{"endpoint": "x", "encoding": "json", "headers": map[string]any{"any": "name"}}, &client{}, nil},
	} {
		assert.Equal(t, tt.want, Unknown(tt.conf, tt.cfg), name)
	}
}
