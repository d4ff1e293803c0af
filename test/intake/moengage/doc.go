// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package moengageintake is a stand-in for MoEngage's Data API, for testing senders. It has the
// routes for events, users, devices, merges and bulk, and fails the test if a request breaks a rule
// that MoEngage publishes. The test decides the responses.
//
//	in := moengageintake.New(t)
//	exporter := start(t, in.URL(), moengageintake.Workspace, moengageintake.Key)
//	in.ReplyWith(func(moengageintake.Request) moengageintake.Reply {
//		return moengageintake.Unavailable()
//	})
//	...
//	actions := in.Actions()
//
// It is stricter than MoEngage, which truncates or drops much silently: whatever a sender should
// not send is a violation. rules.go lists the rules and where each is published.
package moengageintake
