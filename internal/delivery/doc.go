// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool mdatagen metadata.yaml

// Package delivery holds everything that exporters share between a pipeline's pdata and a backend's
// HTTP API. A backend supplies how an event is encoded, how encoded events become requests, and what
// a response means ([Backend]).
//
// The path of an event:
//
//	consume.go    ConsumeLogs encodes the events of a call into a batch (Encoder, batch.Writer)
//	exporter.go   offer puts the batch into the queue, or sheds it if the queue is full
//	request.go    exporterhelper's queue and retry merge, split, store and repeat requests
//	deliver.go    push makes one attempt to deliver a request, and settles its result
//	call.go       or collects the results for a caller that waits
//	attempt/      Run lets the backend build requests, and sends them: in parallel, in order, bisected
//	transport/    Send joins, compresses and POSTs a body, and reads the response
//	attempt/      Backend.ClassifyResponse says what it means; the Result goes back to push
//	outcome/      counts, dead letters, log lines, component status, errors for callers, reports
//	              to the status extension (package statusfeed)
//
// Between Encode and BuildRequests an event is bytes with their [Meta] beside them, in memory and
// on disk: package batch. Package progress notes on disk which of them are settled. Package retry
// decides when a request is repeated; package replay sends dead letters again, bypassing the queue;
// package lifetime ends all of it in time; package pause lets an operator hold it up. Package upstream
// is the one place that relies on the collector's internals, and request.go the one file that uses
// exporterhelper's experimental API.
//
// docs/delivery.md describes delivery for users, docs/adding-a-backend.md for the author of a
// backend.
package delivery
