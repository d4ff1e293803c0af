// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"regexp"
	"strings"
)

// The collector's messages for a value of the wrong type: the type it wants and the type it got.
// The one for lists names the key, since some keys accept a list or a map.
var (
	wrongType = regexp.MustCompile(`expected type '([^']+)', got unconvertible type '([^']+)'`)
	notAList  = regexp.MustCompile(`([\w\]]+): source data must be an array or slice, got (\w+)`)
	notAMap   = regexp.MustCompile(`expected a map or struct, got "(\w+)"`)
)

// rewordTypes says what to write if a value has the wrong type. It does not repeat the value, which
// may be a secret.
func rewordTypes(text string) string {
	text = wrongType.ReplaceAllStringFunc(text, func(found string) string {
		match := wrongType.FindStringSubmatch(found)
		return "is " + describeType(match[2]) + "; write " + suggestion(match[1], match[2])
	})
	text = notAList.ReplaceAllStringFunc(text, func(found string) string {
		match := notAList.FindStringSubmatch(found)
		wanted := "slice"
		if strings.HasSuffix(match[1], "headers") { // accepts a list or a map; people write a map
			wanted = "map"
		}
		return match[1] + ": is " + describeType(match[2]) + "; write " + suggestion(wanted, match[2])
	})
	return notAMap.ReplaceAllStringFunc(text, func(found string) string {
		return "is " + describeType(notAMap.FindStringSubmatch(found)[1]) + "; write " + suggestion("map", "")
	})
}

// describeType returns a Go type in a user's words.
func describeType(goType string) string {
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

// suggestion returns what to write where the Go type wanted is expected and got was written.
func suggestion(wanted, got string) string {
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
