// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

var (
	unknownAnchor = regexp.MustCompile(`^unknown anchor '([^']*)' referenced$`)
	duplicateKey  = regexp.MustCompile(`^line (\d+): mapping key ("(?:[^"\\]|\\.)*") already defined at line (\d+)$`)
)

// syntaxHints say what the parser's messages are usually about.
var syntaxHints = []struct{ message, remedy string }{
	{"did not find expected alphabetic or numeric character", `write quotes around a text that begins with *, such as "*_failed"`},
	{"found character that cannot start any token", "write quotes around a text that begins with @, % or `"},
	{"mapping values are not allowed in this context", `write quotes around a text with a colon and a space, a space after each colon, and keys of one block below each other`},
	{"did not find expected key", "write keys of one block below each other, and close quotes"},
	{"did not find expected '-' indicator", "write keys or items of one block below each other"},
	{"did not find expected ',' or", `close the bracket, and write quotes around a variable in brackets: "${env:NAME}"`},
	{"did not find expected node content", "close the bracket, and write a value between commas"},
	{"found unexpected end of stream", "close the quotes or the bracket"},
}

// syntaxError returns a line for the mistakes in the YAML of a document, which says what to write; an
// empty string if it is YAML.
func (d *document) syntaxError() string {
	var value any
	err := yaml.Unmarshal([]byte(d.text), &value)
	if err == nil {
		return ""
	}
	list, isList := errors.AsType[*yaml.TypeError](err)
	if !isList {
		return d.brokenSyntax(strings.TrimPrefix(err.Error(), "yaml: "))
	}
	messages := make([]string, len(list.Errors))
	for i, message := range list.Errors {
		messages[i] = d.duplicate(message)
	}
	return strings.Join(messages, "; ")
}

// duplicate rewords a message about a key that is there twice.
func (d *document) duplicate(message string) string {
	match := duplicateKey.FindStringSubmatch(message)
	if match == nil {
		return d.at(0) + "it is not YAML: " + message
	}
	line, _ := strconv.Atoi(match[1])
	return d.at(line) + fmt.Sprintf("the key %s is already on line %s; write one block with that name, or two names", match[2], match[3])
}

// brokenSyntax rewords a message of the YAML parser, except for its line: that is one too low, is where
// the block around it begins, or is missing.
func (d *document) brokenSyntax(message string) string {
	if _, after, hasLine := strings.Cut(message, ": "); hasLine && strings.HasPrefix(message, "line ") {
		message = after
	}
	number, line := d.brokenLine()
	if indentation := line[:len(line)-len(strings.TrimLeft(line, " \t"))]; strings.Contains(indentation, "\t") {
		return d.at(number) + "it is not YAML: the line begins with a tab; write spaces"
	}
	if match := unknownAnchor.FindStringSubmatch(message); match != nil {
		return d.at(number) + fmt.Sprintf(`it is not YAML: *%s without quotes is an alias; write "*%[1]s"`, match[1])
	}
	for _, hint := range syntaxHints {
		if strings.Contains(message, hint.message) {
			message += "; " + hint.remedy
			break
		}
	}
	return d.at(number) + "it is not YAML: " + message
}

// brokenLine returns the line at which the text ceases to be YAML, and its number: that after the
// longest beginning that is YAML.
func (d *document) brokenLine() (number int, line string) {
	lines := slices.Collect(strings.Lines(d.text))
	for n := len(lines) - 1; n > 0; n-- {
		var node yaml.Node
		if yaml.Unmarshal([]byte(strings.Join(lines[:n], "")), &node) == nil {
			return n + 1, lines[n]
		}
	}
	return 1, lines[0]
}

// at returns the document and the line, if any, as the beginning of a sentence.
func (d *document) at(line int) string {
	switch {
	case line == 0 && d.file() == "":
		return ""
	case line == 0:
		return d.file() + ": "
	case d.file() == "":
		return fmt.Sprintf("line %d: ", line)
	}
	return place{file: d.file(), line: line}.prefix()
}
