// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package fanoutconnector

import (
	"maps"
	"slices"
	"strings"

	"github.com/otelcol-fanout/otelcol-fanout/internal/pattern"
)

// tree finds the first route of a name in one walk along the name: a radix tree of names, and of what patterns have before
// their first star.
type tree struct {
	label string // what this node adds to the text of those above it, but for its first byte, which its parent knows it by
	routes
	// children are those that begin with low, low+1 and so on, or nil.
	low      byte
	children []*tree
}

// routes are those of one text. A route is its place in the table.
type routes struct {
	name   int // of the text as a name
	prefix int // of the text with a star behind it
	rests  []rest
}

// rest is a pattern from its first star on, where that is not its end.
type rest struct {
	pattern string
	route   int
}

// nowhere stands for no route. It is behind all others.
const nowhere = int(^uint(0) >> 1)

// builder collects what is to be in a tree.
type builder map[string]*routes

func (b builder) add(event string, route int) {
	text, more, wild := strings.Cut(event, "*")
	of, ok := b[text]
	if !ok {
		of = &routes{name: nowhere, prefix: nowhere}
		b[text] = of
	}
	switch {
	case !wild:
		of.name = min(of.name, route)
	case more == "":
		of.prefix = min(of.prefix, route)
	default:
		of.rests = append(of.rests, rest{pattern: "*" + more, route: route})
	}
}

func (b builder) tree() *tree {
	if len(b) == 0 {
		return &tree{routes: routes{name: nowhere, prefix: nowhere}}
	}
	return b.node(slices.Sorted(maps.Keys(b)), 0)
}

// node is the node of texts, which are in order and have the same first bytes, of which those above have so many.
func (b builder) node(texts []string, above int) *tree {
	first, last := texts[0], texts[len(texts)-1]
	end := above
	for end < len(first) && end < len(last) && first[end] == last[end] {
		end++
	}
	n := &tree{label: first[above:end], routes: routes{name: nowhere, prefix: nowhere}}
	if len(first) == end {
		n.routes = *b[first]
		texts = texts[1:]
	}
	if len(texts) == 0 {
		return n
	}
	n.low = texts[0][end]
	n.children = make([]*tree, int(last[end]-n.low)+1)
	for len(texts) > 0 {
		of := texts[0][end]
		count := slices.IndexFunc(texts, func(text string) bool { return text[end] != of })
		if count < 0 {
			count = len(texts)
		}
		n.children[of-n.low] = b.node(texts[:count], end+1)
		texts = texts[count:]
	}
	return n
}

// find is the first route that matches the name, or nowhere.
func (n *tree) find(name string) int {
	best := nowhere
	for strings.HasPrefix(name, n.label) {
		name = name[len(n.label):]
		best = min(best, n.prefix)
		if len(n.rests) > 0 {
			best = min(best, n.findRest(name))
		}
		if name == "" {
			return min(best, n.name)
		}
		at := int(name[0]) - int(n.low)
		if at < 0 || at >= len(n.children) || n.children[at] == nil {
			return best
		}
		n, name = n.children[at], name[1:]
	}
	return best
}

// findRest is the first route of a pattern that goes on behind its star.
func (r *routes) findRest(name string) int {
	for i := range r.rests { // which are in the order of their routes
		if pattern.Match(r.rests[i].pattern, name) {
			return r.rests[i].route
		}
	}
	return nowhere
}
