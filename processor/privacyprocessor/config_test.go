// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package privacyprocessor

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
)

func TestInvalidConfigurationsAreRefused(t *testing.T) {
	rule := func(members map[string]any) map[string]any { return map[string]any{"rules": []any{members}} }
	for name, tt := range map[string]struct {
		conf map[string]any
		want string // "" if valid
	}{
		"a preset":         {rule(map[string]any{"preset": "email", "action": "mask"}), ""},
		"names and values": {rule(map[string]any{"keys": []any{"*_name"}, "values": []any{`\d{9}`}, "action": "drop"}), ""},
		"a hash":           {map[string]any{"hash_key": hashKey, "rules": []any{map[string]any{"preset": "email", "action": "hash"}}}, ""},
		"no rules":         {nil, "rules: is missing; write at least one rule, such as {preset: email, action: hash}"},
		"an unknown key":   {rule(map[string]any{"presets": "email"}), `unknown key "rules::0::presets"; did you mean "preset"?`},
		"an empty rule":    {rule(map[string]any{"action": "mask"}), "rules::0::preset: is missing; write what is personal data: a preset, keys or values"},
		"another preset":   {rule(map[string]any{"preset": "mail", "action": "mask"}), `rules::0::preset: "mail" is not valid; write email, ip_address,`},
		"no action":        {rule(map[string]any{"preset": "email"}), `rules::0::action: "" is not valid; write hash, mask or drop`},
		"an anchored name": {rule(map[string]any{"keys": []any{"^user"}, "action": "drop"}), `rules::0::keys::0: "^user": only * is special in a pattern, which matches the whole name; remove ^`},
		"every name":       {rule(map[string]any{"keys": []any{"x", "*"}, "action": "drop"}), `rules::0::keys::1: "*" would match every name; write a name, or a pattern such as *_email`},
		"no expression":    {rule(map[string]any{"values": []any{"("}, "action": "drop"}), `rules::0::values::0: "(" is not a regular expression of RE2`},
		"an empty match":   {rule(map[string]any{"values": []any{"x*"}, "action": "drop"}), `rules::0::values::0: "x*" matches the empty text`},
		"keep everything":  {map[string]any{"keep": []any{"*"}, "rules": []any{map[string]any{"preset": "email", "action": "mask"}}}, `keep::0: "*" would match every name`},
		"no hash key": {
			rule(map[string]any{"preset": "email", "action": "hash"}),
			"hash_key: is missing; write a secret text of at least 32 characters, such as the output of openssl rand -hex 32 (is an environment variable unset?)",
		},
		"a short hash key": {
			map[string]any{"hash_key": "secret", "rules": []any{map[string]any{"preset": "email", "action": "hash"}}},
			"hash_key: has 6 bytes; write at least 32, such as the output of openssl rand -hex 32",
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := createDefaultConfig().(*Config)
			err := cfg.Unmarshal(confmap.NewFromStringMap(tt.conf))
			if err == nil {
				err = cfg.Validate()
			}
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, tt.want)
		})
	}
}
