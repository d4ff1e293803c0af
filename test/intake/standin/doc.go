// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package standin is shared by the strict stand-ins for vendors' servers: a server that runs during
// a test, records requests and violated rules, and sends replies; and checks of JSON. Each vendor's
// package has its own rules.
package standin
