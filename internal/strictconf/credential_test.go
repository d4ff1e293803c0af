// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package strictconf

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestInvalidCredentialsAreRefused(t *testing.T) {
	for value, want := range map[string]string{
		"":              "is missing; write the key (is an environment variable unset?)",
		"${SHOP_KEY}":   "contains an unexpanded ${...}; write environment variables as ${env:SHOP_KEY}",
		"hunter2\n":     "contains a character that is not allowed; is there a space or a line feed at the end?",
		"hunter2 x":     "contains a character that is not allowed; is there a space or a line feed at the end?",
		"hunter2\u00e9": "contains a character that is not allowed; is there a space or a line feed at the end?",
	} {
		err := CheckCredential(value, "write the key", "SHOP_KEY")
		require.EqualError(t, err, want)
		assert.NotContains(t, err.Error(), "hunter2")
	}
	require.NoError(t, CheckCredential("hunter2+0123/456789=abcdef", "write the key", "SHOP_KEY"))
}
