// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool mdatagen metadata.yaml

// Package fanoutconnector routes events to pipelines by name. An error of one pipeline affects no
// other pipeline and, unless the pipeline is listed under sync, is not returned to the caller.
//
// Follow a batch through the files in this order:
//
//   - fanout.go receives it; logs.go and traces.go look at each record, and attributes.go reads the
//     attributes that routing needs;
//   - table.go and tree.go find the route of a name, and destinations.go narrows it;
//   - assignment.go groups records by their pipelines, split.go moves each group to a batch of its
//     own, and ownership.go decides which pipelines get a copy;
//   - refusals.go logs the events that pipelines refuse, and counts.go has the metrics;
//   - status.go shows the routes to the status extension, and recent.go remembers which route an event
//     took.
package fanoutconnector
