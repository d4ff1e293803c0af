// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package strictconf

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
)

// sender refers to extensions in every way that components do.
type sender struct {
	HTTP       client        `mapstructure:",squash"`
	DeadLetter *component.ID `mapstructure:"dead_letter"`
	Queue      configoptional.Optional[struct {
		Storage *component.ID `mapstructure:"storage"`
	}] `mapstructure:"sending_queue"`
	Listeners map[string]server `mapstructure:"listeners"`
	Template  any               `mapstructure:"template"`
}

func TestMentionedExtensionsAreFound(t *testing.T) {
	for name, tt := range map[string]struct {
		conf map[string]any
		want []Mention
	}{
		"in a field":                {map[string]any{"dead_letter": "dead_letter / shop"}, []Mention{{"dead_letter", component.MustNewIDWithName("dead_letter", "shop")}}},
		"in a section":              {map[string]any{"sending_queue": map[string]any{"storage": "file"}}, []Mention{{"sending_queue::storage", component.MustNewID("file")}}},
		"not in a disabled section": {map[string]any{"sending_queue": map[string]any{"enabled": false, "storage": "file"}}, nil},
		"below a squashed struct":   {map[string]any{"auth": map[string]any{"authenticator": "basic"}}, []Mention{{"auth::authenticator", component.MustNewID("basic")}}},
		"in a list":                 {map[string]any{"middlewares": []any{map[string]any{"id": "a"}, map[string]any{"id": "b"}}}, []Mention{{"middlewares::0::id", component.MustNewID("a")}, {"middlewares::1::id", component.MustNewID("b")}}},
		"in a map":                  {map[string]any{"listeners": map[string]any{"x": map[string]any{"protocols": map[string]any{"http": map[string]any{"auth": map[string]any{"authenticator": "basic"}}}}}}, []Mention{{"listeners::x::protocols::http::auth::authenticator", component.MustNewID("basic")}}},
		"not in other fields":       {map[string]any{"template": map[string]any{"storage": "file", "dead_letter": "x"}, "headers": map[string]any{"storage": "file"}, "storage": "file"}, nil},
		"not if the ID is invalid":  {map[string]any{"dead_letter": "", "sending_queue": map[string]any{"storage": 5}}, nil},
		"not if the value is null":  {map[string]any{"dead_letter": nil, "sending_queue": nil}, nil},
	} {
		assert.Equal(t, tt.want, Mentions(tt.conf, &sender{}), name)
	}
}
