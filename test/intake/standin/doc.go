// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package standin has what the strict stand-ins for vendors' intakes share: a server for as long as the test runs, the requests
// that came to it and the rules that they broke, the answers that it gives, and how JSON is held against rules. Which rules there
// are is each vendor's.
package standin
