// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletter

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReasonsAreComplete(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "deadletter.go", nil, 0)
	require.NoError(t, err)
	var declared []Reason
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if name, ok := spec.Type.(*ast.Ident); ok && name.Name == "Reason" {
			text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			require.NoError(t, err)
			declared = append(declared, Reason(text))
		}
		return true
	})
	assert.NotEmpty(t, declared)
	assert.ElementsMatch(t, declared, Reasons())
}
