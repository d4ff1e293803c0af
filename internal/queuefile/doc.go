// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package queuefile reads the files of queues on disk without opening them as databases: it checks
// them for damage, counts their events, and moves them. A damaged file would make the database, which
// maps files into memory, end the whole process.
//
// It relies on formats of other modules: the pages of go.etcd.io/bbolt, the file names of file_storage,
// and the keys of exporterhelper's persistent queue. Tests compare each with the real module.
package queuefile
