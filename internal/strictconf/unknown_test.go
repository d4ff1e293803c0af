// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package strictconf

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap"
)

// squashed is a struct with an Unmarshal method, like the one that the health_check extension
// squashes.
type squashed struct {
	confighttp.ClientConfig `mapstructure:",squash"`
}

func (s *squashed) Unmarshal(conf *confmap.Conf) error {
	return conf.Unmarshal(&s.ClientConfig, confmap.WithIgnoreUnused())
}

// client squashes one with an Unmarshal method.
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

// server squashes one at a deeper level, and has lists and maps of structs.
type server struct {
	Plain     string `mapstructure:"plain"`
	Protocols struct {
		HTTP configoptional.Optional[struct {
			Server squashedServer `mapstructure:",squash"`
			Path   string         `mapstructure:"path"`
		}] `mapstructure:"http"`
	} `mapstructure:"protocols"`
	Routes  []configoptional.Optional[route] `mapstructure:"routes"`
	Tenants map[string]*route                `mapstructure:"tenants"`
	Clients map[string]client                `mapstructure:"clients"`
	Strict  []strict                         `mapstructure:"strict"`
	Storage component.ID                     `mapstructure:"storage"`
	Any     []any                            `mapstructure:"any"`
}

type route struct {
	match  `mapstructure:",squash"`
	Events []string `mapstructure:"events"`
}

// match is embedded without being exported, like the policies of the tail_sampling processor.
type match struct {
	Kind string `mapstructure:"kind"`
}

// strict reads its keys itself.
type strict struct {
	HTTP confighttp.ClientConfig `mapstructure:",squash"`
}

func (*strict) Unmarshal(*confmap.Conf) error { return nil }

func TestUnknownKeysOfOtherModulesAreFound(t *testing.T) {
	for name, tt := range map[string]struct {
		conf map[string]any
		cfg  any
		want []string
	}{
		"beside a squashed struct": {map[string]any{"endpoint": "x", "heders": nil}, &client{}, []string{`unknown key "heders"; did you mean "headers"?`}},
		"below a squashed struct":  {map[string]any{"tls": map[string]any{"insecur": true}}, &client{}, []string{`unknown key "tls::insecur"; did you mean "insecure"?`}},
		"at a deeper level": {
			map[string]any{"protocols": map[string]any{"http": map[string]any{"path": "/", "corss": nil}}}, &server{},
			[]string{`unknown key "protocols::http::corss"; did you mean "cors"?`},
		},
		"where the collector refuses them": {
			map[string]any{"plane": 1, "protocols": map[string]any{"htp": nil}}, &server{},
			[]string{`unknown key "plane"; did you mean "plain"?`, `unknown key "protocols::htp"; did you mean "http"?`},
		},
		"in a list": {
			map[string]any{"routes": []any{map[string]any{"events": []any{"a"}, "kind": "b"}, map[string]any{"event": []any{"b"}}}}, &server{},
			[]string{`unknown key "routes::1::event"; did you mean "events"?`},
		},
		"in a map": {
			map[string]any{"tenants": map[string]any{"a": map[string]any{"event": nil}, "b": nil}}, &server{},
			[]string{`unknown key "tenants::a::event"; did you mean "events"?`},
		},
		"in a map, beside a squashed struct": {
			map[string]any{"clients": map[string]any{"a": map[string]any{"heders": nil}}}, &server{},
			[]string{`unknown key "clients::a::heders"; did you mean "headers"?`},
		},
		"not in a list that reads its own keys": {map[string]any{"strict": []any{map[string]any{"heders": nil}}}, &server{}, nil},
		"not in values of any type":             {map[string]any{"any": []any{map[string]any{"a": 1}}, "storage": map[string]any{"a": 1}}, &server{}, nil},
		"in a struct without keys":              {map[string]any{"a": 1}, &struct{}{}, []string{`unknown key "a"; this block has no keys`}},
		"not in a struct that reads its own":    {map[string]any{"heders": nil}, &strict{}, nil},
		"not in a map of strings":               {map[string]any{"endpoint": "x", "encoding": "json", "headers": map[string]any{"any": "name"}}, &client{}, nil},
	} {
		assert.Equal(t, tt.want, Unknown(tt.conf, tt.cfg), name)
	}
}
