// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package moengageintake is a stand-in for the Data API of MoEngage, for tests of what sends to it. It has the routes for events,
// users, devices, merges and bulk, holds each request against the rules that MoEngage publishes, and fails the test for each
// that is broken. What it answers is the test's to say.
//
//	in := moengageintake.New(t)
//	exporter := start(t, in.URL(), moengageintake.Workspace, moengageintake.Key)
//	in.Answer(func(moengageintake.Request) moengageintake.Reply { return moengageintake.Unavailable() })
//	...
//	actions := in.Actions()
//
// It is stricter than MoEngage, which cuts off or drops much without a word: what a sender ought not to send is a violation, though
// MoEngage may put up with it. rules.go lists the rules and where each is published.
package moengageintake
