// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package strictconf_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/otelcol-fanout/otelcol-fanout/internal/strictconf"
)

type mode string

func TestEmptyWordBecomesTheDefault(t *testing.T) {
	word := mode("")
	strictconf.Default(&word, "bulk")
	assert.Equal(t, mode("bulk"), word)
	strictconf.Default(&word, "single")
	assert.Equal(t, mode("bulk"), word)
}

func TestUnknownWordErrorListsTheKnownOnes(t *testing.T) {
	assert.NoError(t, strictconf.CheckWord[mode]("mode", "bulk", "bulk", "single"))
	assert.EqualError(t, strictconf.CheckWord[mode]("mode", "both", "bulk", "single"),
		`mode: "both" is not valid; write bulk or single`)
	assert.EqualError(t, strictconf.CheckWord[mode]("mode", "", "bulk", "single", "off"),
		`mode: "" is not valid; write bulk, single or off`)
}
