// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package deliverytest runs an exporter that is built on internal/delivery in a test, with a dead
// letter store in memory and, if wanted, a queue on disk. It records everything that the exporter
// logs, counts and reports. A backend's test starts the exporter against a stand-in for the vendor,
// sends events, and checks:
//
//	setup := deliverytest.Setup{Factory: NewFactory(), Config: cfg, Credentials: []string{testKey}}
//	e := setup.StartLogs(t)
//	e.Send(events("fine", "bad"))             // returns when each event has an outcome
//	e.Outcomes()                              // delivered: 1, dead_lettered/refused: 1
//	e.Letters.All()                           // the dead letters
//	e.Statuses()                              // its component statuses
//	e.Logs                                    // its log entries
//	e.Letters.Replay(t.Context(), "exporter") // sends the dead letters again
//	e.Stop()                                  // otherwise the end of the test stops it
//
// Every exporter is checked for what all of them promise, without a line in the test:
//
//   - it does not mutate pdata, and declares that;
//   - it stops without an error, and every event is accounted for:
//     accepted = delivered + skipped + dead_lettered + dropped + returned;
//   - Setup's Credentials and Values do not leak into logs, metrics, traces, statuses or errors.
//
// [Hasten] makes a configuration retry and flush within milliseconds. [Golden] compares requests with
// files; [CompareEncode] and [CompareExport] are benchmarks beside the collector's own code. Stand-ins
// respond with [Answer], [Hang], [Reset] and [Garbage], and read requests with [ReadBody].
//
// To restart an exporter, stop it and start the same Setup again: Setup.Storage keeps the queue on
// disk.
package deliverytest
