// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package posthogintake is a stand-in for the capture service of PostHog, for tests of what sends to it. It speaks both protocols,
// batch and capture v1, holds each request against the rules that PostHog publishes, and fails the test for each that is broken.
// What it answers is the test's to say.
//
//	in := posthogintake.New(t)
//	exporter := start(t, in.URL(), posthogintake.Key)
//	in.Answer(func(posthogintake.Request) posthogintake.Reply { return posthogintake.QuotaLimited("events") })
//	in.Plan("signup", posthogintake.Result{Result: "retry", Details: "not_persisted"})
//	...
//	events := in.Events()
//
// It is stricter than PostHog, which cuts off, mends or drops much: what a sender ought not to do is a violation, though PostHog may
// put up with it. rules.go lists the rules and where each is published. In the sources, posthog stands for the repository
// PostHog/posthog, posthog-js for PostHog/posthog-js, and docs for https://posthog.com/docs.
package posthogintake
