// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package signature signs webhooks and verifies their signatures, in these schemes:
//
//	standard   Standard Webhooks 1.0.0: webhook-id, webhook-timestamp, webhook-signature; HMAC-SHA256, ed25519
//	svix       the same with svix-id, svix-timestamp, svix-signature; verification only
//	github     X-Hub-Signature-256: sha256=<hex> of the body
//	stripe     Stripe-Signature: t=<seconds>,v1=<hex> of "<seconds>.<body>"
//	sentry     Sentry-Hook-Signature: <hex> of the body; verification only
//	hmac       an HMAC in a custom header
//
//	microsoft_graph  no signature: each notification in the body has the secret as clientState; verification only
//
// A [Signer] signs, a [Verifier] verifies.
package signature
