// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package jsontemplate makes JSON from a tree whose string leaves are templates (text/template). The tree is what YAML makes of
// it: maps, lists, strings, numbers, booleans and null. Whatever the templates write, the result is valid JSON, because a leaf
// stays one string however it looks. A leaf of another type says so:
//
//	total: {$number: "{{ .properties.total }}"}     a number; null where the text is empty
//	paid: {$bool: "{{ .properties.paid }}"}         true or false; null where the text is empty
//	items: {$json: "{{ json .properties.items }}"}  any JSON; null where the text is empty
//	email: {$optional: "{{ .user.email }}"}         a string; the member is left out where the text is empty
//
// A part of the tree that is left out on a condition is written
//
//	{$if: "{{ .properties }}", $then: {type: section, fields: [...]}}
//
// and is there unless the text is empty or false; an empty map or list is as good as nothing there.
//
// A template reads a document: maps, lists, strings, int64, float64, bool and nil. What is not there is empty, at any depth,
// and is written as nothing. Maps and lists are written as JSON. There are no functions but those of [Functions]; define,
// template and block are not taken. A rendering ends with an error when it takes more than 10,000 turns of range or five seconds,
// or writes more than 256 KiB.
package jsontemplate
