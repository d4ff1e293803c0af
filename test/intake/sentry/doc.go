// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package sentryintake is a stand-in for Sentry's intake, for testing senders. It parses every byte
// of a request, and fails the test if the request breaks a rule that Sentry publishes. The test
// decides the responses.
//
//	in := sentryintake.New(t)
//	exporter := start(t, in.DSN())
//	in.ReplyWith(func(sentryintake.Envelope) sentryintake.Reply {
//		return sentryintake.RateLimited("60:error:organization")
//	})
//	...
//	events := sentryintake.WaitFor(in, 2, in.Events)
//
// It is stricter than Sentry, which corrects or ignores much silently: whatever a sender should not
// send is a violation. rules.go lists the rules and where each is published.
package sentryintake
