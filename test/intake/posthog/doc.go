// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package posthogintake is a stand-in for PostHog's capture service, for testing senders. It has
// both protocols, batch and capture v1, and fails the test if a request breaks a rule that PostHog
// publishes. The test decides the responses.
//
//	in := posthogintake.New(t)
//	exporter := start(t, in.URL(), posthogintake.Key)
//	in.ReplyWith(func(posthogintake.Request) posthogintake.Reply {
//		return posthogintake.QuotaLimited("events")
//	})
//	in.Plan("signup", posthogintake.Result{Result: "retry", Details: "not_persisted"})
//	...
//	events := in.Events()
//
// It is stricter than PostHog, which truncates, corrects or drops much silently: whatever a sender
// should not send is a violation. rules.go lists the rules and where each is published.
package posthogintake
