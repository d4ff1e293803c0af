// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool mdatagen metadata.yaml

// Package statusextension shows over HTTP what became of events at each backend. Package backends
// remembers what exporters report; this package answers requests about it:
//
//	extension.go, factory.go, config.go  the extension, its factory and its configuration
//	api.go, resource.go                  the paths of the API, and how a request finds its handler
//	guard.go                             keeps web pages of other origins out
//	request.go, response.go              query parameters, bodies and errors
//	backends.go, drained.go, ready.go    answer about backends, queues and the collector
//	events.go, stream.go                 answer about events
//	routes.go                            answers about receivers, routes and pipelines
//	letters.go, replay.go                show, delete and replay dead letters
//	explain.go                           explains an event
//	configuration.go                     reads the collector's configuration
//	collectormetrics.go                  reads the collector's own metrics
//	openapi.go, openapi.yaml             describe the API
package statusextension
