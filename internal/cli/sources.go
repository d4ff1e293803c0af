// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"

	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/otelcol"
	"go.yaml.in/yaml/v3"

	"github.com/otelcol-fanout/otelcol-fanout/internal/explain"
)

// sources holds the text of the files that the configuration was read from, in order, so that an
// error can name the file and the line. Later files override earlier ones.
type sources struct {
	mu   sync.Mutex
	read []document
}

// document is a file, or YAML from the command line.
type document struct {
	uri  string
	text string
	root *yaml.Node // nil if the text is not YAML, or empty
}

// file returns the name of the file; empty for YAML from the command line.
func (d *document) file() string {
	file, isFile := strings.CutPrefix(d.uri, "file:")
	if !isFile {
		return ""
	}
	return file
}

// noteSources makes the settings' providers note what they read.
func noteSources(set *otelcol.CollectorSettings) *sources {
	s := &sources{}
	resolver := &set.ConfigProviderSettings.ResolverSettings
	resolver.ProviderFactories = slices.Clone(resolver.ProviderFactories)
	for i, factory := range resolver.ProviderFactories {
		resolver.ProviderFactories[i] = confmap.NewProviderFactory(func(settings confmap.ProviderSettings) confmap.Provider {
			return notedProvider{factory.Create(settings), s}
		})
	}
	return s
}

type notedProvider struct {
	confmap.Provider
	sources *sources
}

// Retrieve implements confmap.Provider.
func (p notedProvider) Retrieve(ctx context.Context, uri string, watcher confmap.WatcherFunc) (*confmap.Retrieved, error) {
	retrieved, err := p.Provider.Retrieve(ctx, uri, watcher)
	if err == nil && (p.Scheme() == "file" || p.Scheme() == "yaml") {
		if text, err := retrieved.AsString(); err == nil {
			p.sources.add(uri, text)
		}
	}
	return retrieved, err
}

func (s *sources) add(uri, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := document{uri: uri, text: text}
	var node yaml.Node
	if yaml.Unmarshal([]byte(text), &node) == nil && len(node.Content) == 1 {
		d.root = node.Content[0]
	}
	s.read = append(slices.DeleteFunc(s.read, func(old document) bool { return old.uri == uri }), d)
}

// last returns the document that was read last; nil if none was.
func (s *sources) last() *document {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.read) == 0 {
		return nil
	}
	d := s.read[len(s.read)-1]
	return &d
}

// place is where a key of the configuration is written.
type place struct {
	file string // empty for YAML from the command line
	line int
	// value is the node of the key's value.
	value *yaml.Node
	// depth is how many parts of the path were found.
	depth int
}

// String returns the file and the line, such as my.yaml:12; empty for YAML from the command line.
func (p place) String() string {
	if p.file == "" {
		return ""
	}
	return p.file + ":" + strconv.Itoa(p.line)
}

// prefix returns the place as the beginning of a sentence.
func (p place) prefix() string {
	if p.file == "" {
		return ""
	}
	return p.String() + ": "
}

// text returns the text that is written there, if all of the path was found, such as ${env:KEY}.
func (p place) text(path []string) string {
	if p.value == nil || p.depth < len(path) || p.value.Kind != yaml.ScalarNode {
		return ""
	}
	return p.value.Value
}

// find returns where a path is written in the document that decides on its value: the last one with
// the most parts of the path.
func (s *sources) find(path []string) place {
	s.mu.Lock()
	defer s.mu.Unlock()
	var best place
	for i := len(s.read) - 1; i >= 0; i-- {
		if p := s.descend(&s.read[i], path); p.depth > best.depth {
			best = p
		}
	}
	return best
}

// findText returns the first line with a text.
func (s *sources) findText(text string) place {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.read {
		if before, _, found := strings.Cut(s.read[i].text, text); found {
			return place{file: s.read[i].file(), line: strings.Count(before, "\n") + 1}
		}
	}
	return place{}
}

// descend follows a path through a document, and through files that it includes as ${file:NAME}.
func (s *sources) descend(d *document, path []string) place {
	at := place{file: d.file(), value: d.root}
	for at.depth < len(path) && at.value != nil {
		key, value, parts := child(at.value, path[at.depth:])
		if value == nil {
			return s.descendIncluded(at, path)
		}
		at = place{file: at.file, line: key.Line, value: value, depth: at.depth + parts}
	}
	return at
}

func (s *sources) descendIncluded(at place, path []string) place {
	uri, isInclude := strings.CutPrefix(at.value.Value, "${")
	uri, isClosed := strings.CutSuffix(uri, "}")
	if !isInclude || !isClosed || at.depth == 0 { // a file that includes itself would have no end
		return at
	}
	for i := range s.read {
		if d := &s.read[i]; d.uri == uri {
			if in := s.descend(d, path[at.depth:]); in.depth > 0 {
				in.depth += at.depth
				return in
			}
		}
	}
	return at
}

// child returns the key and the value for the first part of a path, or for more of them, since
// --set a.b=c is read as the key a::b. An item of a list has no key and stands for itself.
func child(node *yaml.Node, path []string) (key, value *yaml.Node, parts int) {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	switch node.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			name := node.Content[i].Value
			n := strings.Count(name, confmap.KeyDelimiter) + 1
			if n <= len(path) && name == strings.Join(path[:n], confmap.KeyDelimiter) {
				return node.Content[i], node.Content[i+1], n
			}
		}
	case yaml.SequenceNode:
		if i, err := strconv.Atoi(path[0]); err == nil && i >= 0 && i < len(node.Content) {
			return node.Content[i], node.Content[i], 1
		}
	}
	return nil, nil, 0
}

// variables returns the environment variables that the configuration mentions and that are set.
func (s *sources) variables() []explain.Variable {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []explain.Variable
	seen := map[string]bool{}
	for i := range s.read {
		for _, match := range variable.FindAllStringSubmatch(s.read[i].text, -1) {
			if value := os.Getenv(match[1]); value != "" && !seen[match[1]] {
				seen[match[1]] = true
				found = append(found, explain.Variable{Name: match[1], Value: value})
			}
		}
	}
	return found
}
