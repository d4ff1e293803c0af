// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package strictconf

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCredentialsThatCannotBe(t *testing.T) {
	for value, want := range map[string]string{
		"":              "is missing; write the key (is an environment variable unset?)",
		"${SHOP_KEY}":   "holds ${...} that nothing has replaced; a variable of the environment is written ${env:SHOP_KEY}",
		"hunter2\n":     "holds a character that it cannot have; is there a space or a line feed at its end?",
		"hunter2 x":     "holds a character that it cannot have; is there a space or a line feed at its end?",
		"hunter2\u00e9": "holds a character that it cannot have; is there a space or a line feed at its end?",
	} {
		err := CheckCredential(value, "write the key", "SHOP_KEY")
		require.EqualError(t, err, want)
		assert.NotContains(t, err.Error(), "hunter2")
	}
	require.NoError(t, CheckCredential("hunter2+0123/456789=abcdef", "write the key", "SHOP_KEY"))
}
