// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool mdatagen metadata.yaml

// Package privacyprocessor hashes, masks or drops personal data wherever an event can hold it.
//
// Follow a batch through the files in this order: processor.go visits every place of a batch,
// walk.go goes into maps and lists, rules.go says which rule a name is for, and text.go changes the
// parts of a text that match. The package internal/detect finds the personal data of presets.
package privacyprocessor
