// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package delivery is what every backend shares: it queues encoded events, sends them, reads the answers, sends again
// what is owed, finds the one event that spoils a request, keeps what could not be delivered, and counts all of it.
//
// A backend supplies how an event is encoded, how encoded events are framed into requests, and what an answer means
// ([Backend]). An event is encoded once, before the queue; what is queued, batched, stored on disk, sent, sent again,
// halved and kept as a dead letter are those bytes:
//
//	pdata -> appevent.Event -> Encode -> [queue | batch | disk] -> Frame -> compress, POST -> Answer -> outcome per event
//
// Queue, batcher, persistent queue and retry are exporterhelper's; request.go is the one file that touches its
// experimental API. docs/delivery.md tells the life of an event.
package delivery
