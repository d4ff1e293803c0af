// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"regexp"
	"strings"
)

// The collector's words for a value of the wrong type: what it is to be, and what it is. A list names its key, since it may be a map too.
var (
	wrongType = regexp.MustCompile(`expected type '([^']+)', got unconvertible type '([^']+)'`)
	noList    = regexp.MustCompile(`([\w\]]+): source data must be an array or slice, got (\w+)`)
	noMap     = regexp.MustCompile(`expected a map or struct, got "(\w+)"`)
)

// rewordTypes says what to write where a value has the wrong type. It does not repeat the value, which may be a secret.
func rewordTypes(text string) string {
	text = wrongType.ReplaceAllStringFunc(text, func(found string) string {
		match := wrongType.FindStringSubmatch(found)
		return "is " + shape(match[2]) + "; write " + remedy(match[1], match[2])
	})
	text = noList.ReplaceAllStringFunc(text, func(found string) string {
		match := noList.FindStringSubmatch(found)
		wanted := "slice"
		if strings.HasSuffix(match[1], "headers") { // a list or a map, which is what people write
			wanted = "map"
		}
		return match[1] + ": is " + shape(match[2]) + "; write " + remedy(wanted, match[2])
	})
	return noMap.ReplaceAllStringFunc(text, func(found string) string {
		return "is " + shape(noMap.FindStringSubmatch(found)[1]) + "; write " + remedy("map", "")
	})
}

// shape is a type of Go in a user's words.
func shape(goType string) string {
	switch {
	case goType == "string":
		return "text"
	case goType == "bool":
		return "true or false"
	case isNumber(goType):
		return "a number"
	case isList(goType):
		return "a list"
	case strings.HasPrefix(goType, "map"):
		return "a map"
	case goType == "time.Time", goType == "struct":
		return "a date"
	}
	return goType
}

// remedy is what to write for the type of Go that is wanted.
func remedy(wanted, got string) string {
	switch {
	case isNumber(wanted):
		return "a number, without quotes"
	case wanted == "bool":
		return "true or false, without quotes"
	case isList(wanted):
		return "a list, such as [a, b]"
	case strings.HasPrefix(wanted, "map"):
		return "a map, such as {a: b}"
	case isList(got), strings.HasPrefix(got, "map"):
		return "text"
	}
	return "it in quotes"
}

func isNumber(goType string) bool {
	return strings.HasPrefix(goType, "int") && goType != "interface {}" || strings.HasPrefix(goType, "uint") || strings.HasPrefix(goType, "float")
}

func isList(goType string) bool {
	return strings.HasPrefix(goType, "[") || goType == "slice" || goType == "array"
}
