// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool mdatagen metadata.yaml

// Package filestorageextension is the file_storage extension of the collector's contrib project, with
// the same configuration. It checks each file before it is opened, since a damaged one would end the
// whole process, and reports queues that no exporter uses.
package filestorageextension
