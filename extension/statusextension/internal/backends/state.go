// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package backends

// State is the state of a backend.
type State string

// The states of a backend; the API documents them.
const (
	Starting     State = "starting"
	OK           State = "ok"
	Failing      State = "failing"
	Unauthorized State = "unauthorized"
	RateLimited  State = "rate_limited"
	Paused       State = "paused"
)
