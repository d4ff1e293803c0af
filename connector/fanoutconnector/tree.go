// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package fanoutconnector

import (
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/otelcol-fanout/otelcol-fanout/internal/pattern"
)

// tree is a radix tree of event names, and of the text before the first * of patterns. It finds the
// first matching route in one walk along a name.
type tree struct {
	label string // the text that follows the parent's text and the byte that selects this node
	routes
	// children[i] is the child that the byte low+i selects, or nil.
	low      byte
	children []*tree
}

// routes holds the indexes of the routes whose name or pattern begins with the text of one node.
type routes struct {
	name   int // the route that has the text as a name
	prefix int // the route that has the pattern text*
	globs  []glob
}

// glob is a pattern that continues after its first *.
type glob struct {
	rest  string // the pattern from its first * on
	route int
}

// noRoute compares greater than the index of any route.
const noRoute = math.MaxInt

// builder collects the routes of a tree by the text of their nodes.
type builder map[string]*routes

func (b builder) add(event string, route int) {
	text, more, wild := strings.Cut(event, "*")
	of, ok := b[text]
	if !ok {
		of = &routes{name: noRoute, prefix: noRoute}
		b[text] = of
	}
	switch {
	case !wild:
		of.name = min(of.name, route)
	case more == "":
		of.prefix = min(of.prefix, route)
	default:
		of.globs = append(of.globs, glob{rest: "*" + more, route: route})
	}
}

func (b builder) tree() *tree {
	if len(b) == 0 {
		return &tree{routes: routes{name: noRoute, prefix: noRoute}}
	}
	return b.node(slices.Sorted(maps.Keys(b)), 0)
}

// node builds the subtree of sorted texts that share a prefix. The nodes above it already cover
// their first bytes.
func (b builder) node(texts []string, covered int) *tree {
	first, last := texts[0], texts[len(texts)-1]
	end := covered
	for end < len(first) && end < len(last) && first[end] == last[end] {
		end++
	}
	n := &tree{label: first[covered:end], routes: routes{name: noRoute, prefix: noRoute}}
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

// find returns the first route that matches a name, or noRoute.
func (n *tree) find(name string) int {
	best := noRoute
	for strings.HasPrefix(name, n.label) {
		name = name[len(n.label):]
		best = min(best, n.prefix)
		if len(n.globs) > 0 {
			best = min(best, n.findGlob(name))
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

// findGlob returns the first route with a glob that matches the rest of a name.
func (r *routes) findGlob(name string) int {
	for i := range r.globs { // in the order of their routes
		if pattern.Match(r.globs[i].rest, name) {
			return r.globs[i].route
		}
	}
	return noRoute
}
