// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package statusfeed

// SwitchedOffKey is the key of the status extension's configuration in which the enabled converter
// lists the exporters and receivers that it removed. Its value is a map of section and ID, such as
// exporters/webhook/audit, to [SwitchedOff].
const SwitchedOffKey = "switched_off"

// SwitchedOff is an exporter or a receiver that is off, and how to switch it on.
type SwitchedOff struct {
	// Switch is the key that switches it off, such as exporters::sentry::enabled.
	Switch string `mapstructure:"switch"`
	// Variable is the environment variable that the key reads; empty if it reads none.
	Variable string `mapstructure:"variable"`
	// Needs lists the environment variables that its other keys read and that have no value, or 0.
	Needs []string `mapstructure:"needs"`
	// Pipelines lists the pipelines of the configuration that use it.
	Pipelines []string `mapstructure:"pipelines"`
}
