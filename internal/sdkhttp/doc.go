// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package sdkhttp holds what this distribution's HTTP servers share: a [Budget] for the memory that
// request bodies take, and a [HostCheck] against web pages that reach a server by DNS rebinding.
package sdkhttp
