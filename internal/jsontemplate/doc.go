// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package jsontemplate renders JSON from a tree whose strings are templates (text/template). The
// tree is parsed YAML: maps, lists, strings, numbers, booleans and null. The result is always valid
// JSON, because the output of a template becomes one string. Other types have to be declared:
//
//	total: {$number: "{{ .properties.total }}"}     a number, or null if the output is empty
//	paid: {$bool: "{{ .properties.paid }}"}         true or false, or null if the output is empty
//	items: {$json: "{{ json .properties.items }}"}  any JSON, or null if the output is empty
//	email: {$optional: "{{ .user.email }}"}         a string, left out if the output is empty
//
// A conditional subtree is written
//
//	{$if: "{{ .properties }}", $then: {type: section, fields: [...]}}
//
// and is left out if the output of $if is empty, false, an empty map or an empty list.
//
// Templates read a document of maps, lists, strings, int64, float64, bool and nil. Missing values,
// at any depth, render as nothing; maps and lists render as JSON. [Functions] lists all functions;
// define, template and block are not supported. Rendering fails after 10,000 iterations of range,
// five seconds, or 256 KiB of output.
package jsontemplate
