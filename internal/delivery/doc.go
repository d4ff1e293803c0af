// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool mdatagen metadata.yaml

// Package delivery is what all exporters share: everything between a pipeline's pdata and a
// backend's HTTP API. A backend supplies how an event is encoded, how encoded events become
// requests, and what a response means ([Backend]).
//
// The way of an event:
//
//	consume.go    ConsumeLogs encodes the events of a call into a batch (Encoder, batch.Writer)
//	exporter.go   offer makes a request of the batch, or sheds it where the queue is full
//	request.go    exporterhelper's queue and retry merge, split, store and repeat requests
//	deliver.go    push makes an attempt to deliver a request, and decides what its result means
//	attempt/      Run has the backend build requests, and sends them: in slots, in order, bisected
//	transport/    Send joins, compresses and POSTs a body, and reads the response
//	attempt/      Backend.ClassifyResponse says what that means; the Result goes back to push
//	outcome/      counts, dead letters, log lines, component status, errors for callers
//
// What an event is between Encode and BuildRequests is package batch: bytes with their [Meta]
// beside them, in memory and on disk. Package retry says when a request is repeated, and package
// replay sends dead letters again, past the queue. Package lifetime ends all of it in time. Package
// upstream is the one place that relies on the collector's insides; request.go is the one file that
// uses exporterhelper's experimental API.
//
// docs/delivery.md tells the same from the user's side, docs/adding-a-backend.md from that of a
// backend's author.
package delivery
