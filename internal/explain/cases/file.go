// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package cases tests configurations: a file has events, and what each backend must be sent for them.
// docs/testing-a-configuration.md documents the file.
//
//	file.go    reads the file
//	value.go   converts YAML to JSON
//	check.go   checks the result of a case
//	pointer.go finds values in bodies
//	diff.go    shows how two values differ
//	report.go  prints results as text, and as JUnit XML
package cases

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/otelcol-fanout/otelcol-fanout/internal/explain"
)

// File is a file of cases.
type File struct {
	// Name is the name of the file.
	Name string `yaml:"-"`
	// Environment are environment variables that the configuration reads, such as keys that are not
	// real.
	Environment map[string]string `yaml:"environment"`
	// Cases are the cases, in the order in which they run.
	Cases []Case `yaml:"cases"`
}

// Case is an event, and what must become of it.
type Case struct {
	// Name is unique in the file.
	Name string `yaml:"name"`

	// Event is the body of a request to an HTTP receiver, as YAML or as text; or OTLP is OTLP JSON,
	// likewise.
	Event yaml.Node `yaml:"event"`
	OTLP  yaml.Node `yaml:"otlp"`
	// Receiver, Path and Headers say what gets it, and how; see explain.Input.
	Receiver string            `yaml:"receiver"`
	Path     string            `yaml:"path"`
	Headers  map[string]string `yaml:"headers"`

	// DeliveredTo and NotDeliveredTo are the IDs of exporters.
	DeliveredTo    []string `yaml:"delivered_to"`
	NotDeliveredTo []string `yaml:"not_delivered_to"`
	// Requests has the expected requests of exporters, by their IDs.
	Requests map[string]Expectations `yaml:"requests"`

	line int
}

// Expectations are about the requests of an exporter, in their order. A single one may stand without
// a list.
type Expectations []Expectation

// Expectation is about one request.
type Expectation struct {
	// Method and URL are compared if they are set.
	Method string `yaml:"method"`
	URL    string `yaml:"url"`
	// Headers are compared, and HasHeaders must be there.
	Headers    map[string]string `yaml:"headers"`
	HasHeaders []string          `yaml:"has_headers"`
	// Body has values by their JSON pointer, such as /batch/0/event, and Absent pointers without a value.
	Body   map[string]yaml.Node `yaml:"body"`
	Absent []string             `yaml:"absent"`
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (e *Expectations) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.SequenceNode {
		return node.Decode((*[]Expectation)(e))
	}
	*e = make(Expectations, 1)
	return node.Decode(&(*e)[0])
}

// Read reads a file. Its errors have one line, with the number of the line in the file.
func Read(name string) (*File, error) {
	text, err := os.ReadFile(name)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("there is no file %s; write the name of a file with cases", name)
	case err != nil:
		return nil, err
	}
	return Parse(name, text)
}

// Parse parses the text of a file.
func Parse(name string, text []byte) (*File, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return nil, fmt.Errorf("%s: %s", name, strings.TrimPrefix(oneLine(err), "yaml: "))
	}
	f := &File{Name: name}
	if len(root.Content) == 0 {
		return nil, fmt.Errorf("%s: is empty; write cases: [...]", name)
	}
	if err := unknownKey(root.Content[0], reflect.TypeOf(*f)); err != nil {
		return nil, fmt.Errorf("%s:%w", name, err)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(f); err != nil {
		return nil, fmt.Errorf("%s: %s", name, reworded(err))
	}
	if err := decoder.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: has more than one document; write all cases in one", name)
	}
	f.noteLines(root.Content[0])
	if err := f.validate(); err != nil {
		return nil, err
	}
	return f, nil
}

var (
	linePrefix  = regexp.MustCompile(`line (\d+): `)
	wrongType   = regexp.MustCompile("cannot unmarshal (!!\\w+)(?: `[^`]*`)? into (\\S+)")
	typeOfWords = map[string]string{"!!map": "a map", "!!seq": "a list", "!!str": "text", "!!int": "a number", "!!bool": "true or false", "!!float": "a number", "!!null": "empty"}
)

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// reworded returns an error of the YAML library without the names of Go types.
func reworded(err error) string {
	text := strings.TrimPrefix(oneLine(err), "yaml: unmarshal errors: ")
	text = wrongType.ReplaceAllStringFunc(text, func(found string) string {
		match := wrongType.FindStringSubmatch(found)
		wanted := "text"
		switch {
		case strings.HasPrefix(match[2], "[]"):
			wanted = "a list, such as [a, b]"
		case strings.HasPrefix(match[2], "map"), strings.HasPrefix(match[2], "cases."):
			wanted = "a map, such as {a: b}"
		}
		return "is " + typeOfWords[match[1]] + "; write " + wanted
	})
	return linePrefix.ReplaceAllString(text, "line $1 ")
}

// unknownKey returns an error for the first key that a struct does not have, with the line and the keys
// that it has.
func unknownKey(node *yaml.Node, t reflect.Type) error {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	switch {
	case t == reflect.TypeFor[yaml.Node]():
		return nil
	case t == reflect.TypeFor[Expectations]() && node.Kind == yaml.MappingNode:
		return unknownKey(node, t.Elem())
	case t.Kind() == reflect.Slice && node.Kind == yaml.SequenceNode:
		for _, item := range node.Content {
			if err := unknownKey(item, t.Elem()); err != nil {
				return err
			}
		}
	case t.Kind() == reflect.Map && node.Kind == yaml.MappingNode:
		for i := 1; i < len(node.Content); i += 2 {
			if err := unknownKey(node.Content[i], t.Elem()); err != nil {
				return err
			}
		}
	case t.Kind() == reflect.Struct && node.Kind == yaml.MappingNode:
		return unknownMember(node, t)
	}
	return nil
}

func unknownMember(node *yaml.Node, t reflect.Type) error {
	var keys []string
	types := map[string]reflect.Type{}
	for field := range t.Fields() {
		if key := field.Tag.Get("yaml"); key != "" && key != "-" {
			keys = append(keys, key)
			types[key] = field.Type
		}
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i]
		if key.ShortTag() == "!!merge" {
			return fmt.Errorf("%d: <<: is not supported; repeat the keys", key.Line)
		}
		if types[key.Value] == nil {
			return fmt.Errorf("%d: unknown key %q; write one of %s", key.Line, key.Value, strings.Join(keys, ", "))
		}
		if err := unknownKey(node.Content[i+1], types[key.Value]); err != nil {
			return err
		}
	}
	return nil
}

// noteLines notes the line of each case.
func (f *File) noteLines(root *yaml.Node) {
	for i := 0; i+1 < len(root.Content); i += 2 {
		if root.Content[i].Value != "cases" {
			continue
		}
		for j, item := range root.Content[i+1].Content {
			if j < len(f.Cases) {
				f.Cases[j].line = item.Line
			}
		}
	}
}

// place returns the file and the line of a case.
func (f *File) place(c *Case) string { return fmt.Sprintf("%s:%d", f.Name, c.line) }

func (f *File) validate() error {
	if len(f.Cases) == 0 {
		return fmt.Errorf("%s: cases: is missing; write a list of cases, each with a name, an event and delivered_to", f.Name)
	}
	seen := map[string]bool{}
	for i := range f.Cases {
		c := &f.Cases[i]
		if err := c.validate(); err != nil {
			return fmt.Errorf("%s: %w", f.place(c), err)
		}
		if seen[c.Name] {
			return fmt.Errorf("%s: name: %q is the name of an earlier case; give each its own", f.place(c), c.Name)
		}
		seen[c.Name] = true
	}
	return nil
}

func (c *Case) validate() error {
	switch {
	case c.Name == "":
		return errors.New("name: is missing; write what the case shows")
	case c.Event.IsZero() && c.OTLP.IsZero():
		return errors.New("event: is missing; write an event such as {name: order_placed, user: {id: u1}}, or otlp")
	case !c.Event.IsZero() && !c.OTLP.IsZero():
		return errors.New("otlp: the case has an event already; write one of them")
	case len(c.DeliveredTo)+len(c.NotDeliveredTo)+len(c.Requests) == 0:
		return errors.New("delivered_to: is missing; write the exporters that must get the event, or not_delivered_to or requests")
	}
	for _, id := range c.DeliveredTo {
		if slices.Contains(c.NotDeliveredTo, id) {
			return fmt.Errorf("not_delivered_to: %s is in delivered_to as well; remove one of the two", id)
		}
	}
	for id, requests := range c.Requests {
		if len(requests) == 0 {
			return fmt.Errorf("requests::%s: is empty; write what its request must be, such as {method: POST}", id)
		}
		for i := range requests {
			if err := requests[i].validate(); err != nil {
				return fmt.Errorf("requests::%s: %w", id, err)
			}
		}
	}
	_, err := c.input()
	return err
}

func (e *Expectation) validate() error {
	for pointer := range e.Body {
		if err := checkPointer(pointer); err != nil {
			return fmt.Errorf("body: %w", err)
		}
	}
	for _, pointer := range e.Absent {
		if err := checkPointer(pointer); err != nil {
			return fmt.Errorf("absent: %w", err)
		}
	}
	return nil
}

// input returns what the receiver gets.
func (c *Case) input() (explain.Input, error) {
	in := explain.Input{Receiver: c.Receiver, Path: c.Path, Header: http.Header{}}
	for name, value := range c.Headers {
		in.Header.Set(name, value)
	}
	var err error
	if !c.Event.IsZero() {
		if in.Event, err = bodyOf(&c.Event); err != nil {
			return in, fmt.Errorf("event: %w", err)
		}
		return in, nil
	}
	if in.OTLP, err = bodyOf(&c.OTLP); err != nil {
		return in, fmt.Errorf("otlp: %w", err)
	}
	return in, nil
}

// bodyOf returns a value as JSON; text stands for itself.
func bodyOf(node *yaml.Node) ([]byte, error) {
	if node.Kind == yaml.ScalarNode && node.ShortTag() == "!!str" {
		return []byte(node.Value), nil
	}
	return toJSON(node)
}
