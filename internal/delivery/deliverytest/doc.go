// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package deliverytest runs an exporter that is built on internal/delivery inside a test: with a
// dead letter store in memory, a queue on disk where it is asked for, and everything the exporter
// says at hand. A backend's tests bring a stand-in for the vendor, start the exporter against it,
// send, and look:
//
//	setup := deliverytest.Setup{Factory: NewFactory(), Config: cfg, Credentials: []string{testKey}}
//	e := setup.StartLogs(t)
//	e.Send(events("fine", "bad"))             // returns when each event has its end
//	e.Outcomes()                              // delivered: 1, dead_lettered/refused: 1
//	e.Letters.All()                           // the dead letters
//	e.Statuses()                              // what it said of its health
//	e.Logs                                    // what it logged
//	e.Letters.Replay(t.Context(), "exporter") // sends the letters again
//	e.Stop()                                  // or the end of the test does
//
// Every exporter is held to what all of them promise, without a line in the test:
//
//   - it changes no pdata, and says so;
//   - it stops without an error, and leaves no event unaccounted for:
//     accepted = delivered + skipped + dead_lettered + dropped + returned;
//   - what Setup lists as Credentials and Values is nowhere that it must not be.
//
// [Hasten] makes a configuration retry and flush within milliseconds. [Golden] holds requests
// against files, [CompareEncode] and [CompareExport] measure beside the collector's own. Answers
// for stand-ins are [Answer], [Hang], [Reset] and [Garbage]; [ReadBody] reads what they are sent.
//
// To restart an exporter, stop it and start the same Setup again: what is on disk under
// Setup.Storage is still there.
package deliverytest
