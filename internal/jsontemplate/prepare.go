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

// The functions that templates call without writing them.
const (
	callField = "_field" // of a document that may not have it
	callText  = "_text"  // of the value of an action
	callItems = "_items" // of the value of a range
	callTurn  = "_turn"  // at the beginning of each turn of a range
)

// prepare makes a template that is parsed lenient towards what is not there, and bounded: each .a.b becomes a call of _field, the
// value of each action one of _text, that of each range one of _items, and each turn of it one of _turn. It refuses functions
// that do not exist, and calls with too few or too many arguments, which text/template would find at the first event.
func prepare(tree *parse.Tree, text string) error {
	p := &preparation{text: text}
	p.list(tree.Root)
	return p.err
}

type preparation struct {
	text string
	err  error // the first
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
		turn := &parse.ActionNode{NodeType: parse.NodeAction, Line: n.Line, Pos: n.Pos, Pipe: &parse.PipeNode{
			NodeType: parse.NodePipe, Line: n.Line, Pos: n.Pos, Cmds: []*parse.CommandNode{call(n.Pos, callTurn, root(n.Pos))},
		}}
		n.List.Nodes = append([]parse.Node{turn}, n.List.Nodes...)
	case *parse.TemplateNode:
		p.refuse(n.Pos, "template is not taken; write the text where it is needed")
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

// command prepares one command; piped is whether it has the value before it as one more argument.
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
		p.refuse(cmd.Pos, "only a function takes arguments")
	}
	for i := range cmd.Args {
		cmd.Args[i] = p.argument(cmd.Args[i], i == 0)
	}
}

func (p *preparation) call(function *parse.IdentifierNode, arguments int) {
	known, ok := signatures[function.Ident]
	switch {
	case !ok:
		p.refuse(function.Pos, "there is no function %q; there are %s", function.Ident, strings.Join(slices.Sorted(maps.Keys(signatures)), ", "))
	case arguments < known.least || known.most >= 0 && arguments > known.most:
		p.refuse(function.Pos, "%s is written %s", function.Ident, known.usage)
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

// field is the call of _field on the value, in parentheses. Every node has its place, which errors tell.
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

// root is what the template was given, which is the run.
func root(at parse.Pos) parse.Node {
	return &parse.VariableNode{NodeType: parse.NodeVariable, Pos: at, Ident: []string{"$"}}
}
