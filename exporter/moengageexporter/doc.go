// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool mdatagen metadata.yaml

// Package moengageexporter sends application events to MoEngage: what users did as the actions of events, who they are as
// attributes of users and devices.
//
// encode.go says what becomes what; event.go, user.go and device.go write it, within the limits of policy.go. frame.go puts it into
// requests that keep the order of each user's events, answer.go reads what MoEngage says.
package moengageexporter
