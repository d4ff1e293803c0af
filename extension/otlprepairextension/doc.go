// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool mdatagen metadata.yaml

// Package otlprepairextension is server middleware that repairs single bad values in OTLP JSON, so
// that they do not cost the other events of the request.
//
// A request that the receiver refuses passes through these files:
//
//	http.go              holds back the refusal, and repeats the request with a repaired body
//	repair.go            walks the body by the types of OTLP's messages, which are in schema.go
//	token.go             reads one value, whatever its syntax
//	value.go, number.go  convert it to the type of its member
//	finding.go           names what was repaired; extension.go counts and logs it
package otlprepairextension
