// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package jsontemplate

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/template/parse"
)

// The functions that prepare inserts calls of.
const (
	callField = "_field" // returns a field, which may be missing
	callText  = "_text"  // returns the value of an action as text
	callItems = "_items" // returns the items of a range
	callCount = "_count" // counts an iteration of a range
)

// prepare rewrites a parsed template: calls of the functions above make it accept missing fields,
// and limit its output and iterations. It refuses unknown functions and wrong numbers of arguments,
// which text/template would report only when rendering.
func prepare(tree *parse.Tree, text string) error {
	p := &preparation{text: text}
	p.list(tree.Root)
	return p.err
}

type preparation struct {
	text string
	err  error // the first one
}

func (p *preparation) refuse(at parse.Pos, format string, values ...any) {
	if p.err == nil {
		line := 1 + strings.Count(p.text[:min(int(at), len(p.text))], "\n")
		p.err = fmt.Errorf("line %d: %s", line, fmt.Sprintf(format, values...))
	}
}

func (p *preparation) list(l *parse.ListNode) {
	if l == nil {
		return
	}
	for _, n := range l.Nodes {
		p.node(n)
	}
}

func (p *preparation) node(n parse.Node) {
	switch n := n.(type) {
	case *parse.ActionNode:
		p.pipe(n.Pipe)
		if len(n.Pipe.Decl) == 0 {
			n.Pipe.Cmds = append(n.Pipe.Cmds, call(n.Pos, callText))
		}
	case *parse.IfNode:
		p.branch(&n.BranchNode)
	case *parse.WithNode:
		p.branch(&n.BranchNode)
	case *parse.RangeNode:
		p.branch(&n.BranchNode)
		n.Pipe.Cmds = append(n.Pipe.Cmds, call(n.Pos, callItems))
		count := &parse.ActionNode{NodeType: parse.NodeAction, Line: n.Line, Pos: n.Pos, Pipe: &parse.PipeNode{
			NodeType: parse.NodePipe, Line: n.Line, Pos: n.Pos, Cmds: []*parse.CommandNode{call(n.Pos, callCount, root(n.Pos))},
		}}
		n.List.Nodes = append([]parse.Node{count}, n.List.Nodes...)
	case *parse.TemplateNode:
		p.refuse(n.Pos, "template is not supported; write the text where it is needed")
	}
}

func (p *preparation) branch(b *parse.BranchNode) {
	p.pipe(b.Pipe)
	p.list(b.List)
	p.list(b.ElseList)
}

func (p *preparation) pipe(pipe *parse.PipeNode) {
	for i, cmd := range pipe.Cmds {
		p.command(cmd, i > 0)
	}
}

// command prepares one command. A piped command gets the value before it as its last argument.
func (p *preparation) command(cmd *parse.CommandNode, piped bool) {
	arguments := len(cmd.Args) - 1
	if piped {
		arguments++
	}
	function, ok := cmd.Args[0].(*parse.IdentifierNode)
	switch {
	case ok:
		p.call(function, arguments)
	case arguments > 0:
		p.refuse(cmd.Pos, "only functions have arguments")
	}
	for i := range cmd.Args {
		cmd.Args[i] = p.argument(cmd.Args[i], i == 0)
	}
}

func (p *preparation) call(function *parse.IdentifierNode, arguments int) {
	known, ok := signatures[function.Ident]
	switch {
	case !ok:
		p.refuse(function.Pos, "unknown function %q; the functions are %s", function.Ident, strings.Join(slices.Sorted(maps.Keys(signatures)), ", "))
	case arguments < known.minArgs || known.maxArgs >= 0 && arguments > known.maxArgs:
		p.refuse(function.Pos, "wrong number of arguments; usage: %s", known.usage)
	}
}

func (p *preparation) argument(n parse.Node, first bool) parse.Node {
	switch n := n.(type) {
	case *parse.FieldNode:
		return field(n.Pos, &parse.DotNode{NodeType: parse.NodeDot, Pos: n.Pos}, n.Ident)
	case *parse.VariableNode:
		if len(n.Ident) == 1 {
			return n
		}
		return field(n.Pos, &parse.VariableNode{NodeType: parse.NodeVariable, Pos: n.Pos, Ident: n.Ident[:1]}, n.Ident[1:])
	case *parse.ChainNode:
		return field(n.Pos, p.argument(n.Node, false), n.Field)
	case *parse.PipeNode:
		p.pipe(n)
		return n
	case *parse.IdentifierNode:
		if !first {
			p.call(n, 0)
		}
		return n
	default:
		return n
	}
}

// field returns a call of _field on the value, in parentheses. Every node gets a position, which
// errors report.
func field(at parse.Pos, value parse.Node, names []string) parse.Node {
	arguments := append(make([]parse.Node, 0, 1+len(names)), value)
	for _, name := range names {
		arguments = append(arguments, &parse.StringNode{NodeType: parse.NodeString, Pos: at, Quoted: strconv.Quote(name), Text: name})
	}
	return &parse.PipeNode{NodeType: parse.NodePipe, Pos: at, Cmds: []*parse.CommandNode{call(at, callField, arguments...)}}
}

func call(at parse.Pos, function string, arguments ...parse.Node) *parse.CommandNode {
	return &parse.CommandNode{
		NodeType: parse.NodeCommand, Pos: at, Args: append([]parse.Node{parse.NewIdentifier(function).SetPos(at)}, arguments...),
	}
}

// root returns the node $, which is the run.
func root(at parse.Pos) parse.Node {
	return &parse.VariableNode{NodeType: parse.NodeVariable, Pos: at, Ident: []string{"$"}}
}
