// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool mdatagen metadata.yaml

// Package delivery is what all exporters share: everything between a pipeline's pdata and a
// backend's HTTP API. A backend supplies how an event is encoded, how encoded events become
// requests, and what a response means ([Backend]).
//
// The way of an event:
//
//	consume.go    ConsumeLogs: pdata -> appevent.Event -> Encoder.Encode -> batch.Writer, for all events of a call
//	exporter.go   offer: the batch becomes a request of exporterhelper, or is shed where the queue is full
//	request.go    exporterhelper's queue, batcher, persistent queue and retry merge, split, store and repeat the request
//	deliver.go    push: one attempt, and what its result means: done, once more, dead letters, an error for the caller
//	attempt/      Run: Backend.BuildRequests, then each request in a slot of its own, in order where that matters
//	transport/    Send: join, compress, POST, read the response
//	attempt/      Backend.ClassifyResponse: delivered, refused, pending, or bisect the request; the Result goes back up
//	outcome/      counts, dead letters, log and component status, for what push makes of the result
//
// What an event is between Encode and BuildRequests is package batch: bytes with their [Meta]
// beside them, in memory and on disk. replay.go sends dead letters again, past the queue.
// shutdown.go ends all of it in time. Package upstream is the one place that relies on the
// collector's insides; request.go is the one file that uses exporterhelper's experimental API.
//
// docs/delivery.md tells the same from the user's side, docs/adding-a-backend.md from that of a
// backend's author.
package delivery
