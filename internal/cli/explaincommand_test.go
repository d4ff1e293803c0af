// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDisplayedVariables(t *testing.T) {
	t.Setenv("SET_A", "a")
	s := &sources{}
	s.add("yaml:x", "a: ${env:SET_A}\nb: ${SET_A:-x}\nc: ${env:NOT_SET:-y}\n")
	found := s.variables()
	require.Len(t, found, 1)
	assert.Equal(t, "SET_A", found[0].Name)
}
