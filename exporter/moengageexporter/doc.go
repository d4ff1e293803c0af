// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool mdatagen metadata.yaml

// Package moengageexporter sends application events to MoEngage: what users did becomes events, and
// who they are becomes attributes of users and devices.
//
// Follow an event through the files in this order:
//
//   - encode.go decides which objects a record becomes, and event.go, user.go and device.go write them;
//   - object.go writes attributes within the limits of policy.go, under the names of names.go, and
//     corrections.go counts what it had to change;
//   - partitions.go sorts encoded events by user, and requests.go puts them into requests that
//     keep each user's order;
//   - response.go classifies MoEngage's responses.
package moengageexporter
