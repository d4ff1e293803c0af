// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package sentryintake is a stand-in for the intake of Sentry, for tests of what sends to it. It reads each request to the
// byte, holds it against the rules that Sentry publishes, and fails the test for each that is broken. What it answers is the
// test's to say.
//
//	in := sentryintake.New(t)
//	exporter := start(t, in.DSN())
//	in.Answer(func(sentryintake.Envelope) sentryintake.Reply { return sentryintake.RateLimited("60:error:organization") })
//	...
//	events := sentryintake.WaitFor(in, 2, in.Events)
//
// It is stricter than Sentry, which mends or overlooks much: what a sender ought not to do is a violation, though Sentry may
// put up with it. rules.go lists the rules and where each is published. In the sources, sentry-docs stands for the
// repository getsentry/sentry-docs, and relay for getsentry/relay, the program behind Sentry's intake.
package sentryintake
