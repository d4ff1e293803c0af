// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package cases

import (
	"slices"
	"strings"
)

// maxCompared limits the work of a diff: the product of the numbers of lines.
const maxCompared = 1 << 20

// diff shows two texts: lines of the expected one begin with -, those of the other with +, and common
// ones with a space.
func diff(want, got string) string {
	a, b := linesOf(want), linesOf(got)
	var out strings.Builder
	write := func(sign, line string) { out.WriteString("\n" + sign + " " + line) }
	common := commonLines(a, b)
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			write(" ", a[i])
			i, j = i+1, j+1
		case i < len(a) && (j == len(b) || common == nil || common[i+1][j] >= common[i][j+1]):
			write("-", a[i])
			i++
		default:
			write("+", b[j])
			j++
		}
	}
	return out.String()
}

func linesOf(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// commonLines returns for every i and j how many lines a[i:] and b[j:] have in common, in order. It is
// nil for very long texts.
func commonLines(a, b []string) [][]int {
	if len(a)*len(b) > maxCompared {
		return nil
	}
	common := make([][]int, len(a)+1)
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i, lineA := range slices.Backward(a) {
		for j, lineB := range slices.Backward(b) {
			if lineA == lineB {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	return common
}
