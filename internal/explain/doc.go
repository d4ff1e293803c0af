// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package explain shows what a configuration would send for an event. It runs the real pipelines of
// the configuration in a service of their own, which touches neither the network nor a disk:
//
//	load.go       decodes and validates the configuration
//	rewire.go     replaces what would listen, connect or store
//	receivers.go  an entry takes the place of each receiver
//	stages.go     notes what enters and leaves each processor
//	clients.go    records the requests of this distribution's exporters, and answers as the vendor would
//	exporters.go  records what other exporters would get
//	run.go        starts the service, waits for its events, and stops it
//	send.go       passes the input to a receiver's pipelines
//	outcomes.go   reads from the service's metrics what the exporters and the connector decided, and
//	              notes the events that exporters refuse
//	result.go     what is known afterwards
//	secrets.go    finds the secrets of the configuration, and redact.go removes them from results
//	text.go       prints a result; curl.go prints its requests as commands
//
// Package cases checks results against the expectations in a file.
package explain
