// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/otelcol-fanout/otelcol-fanout/internal/stacktrace"
)

func TestFramesAreCutAtLastTrimStep(t *testing.T) {
	text := func(c string) string { return strings.Repeat(c, 2*shortText) }
	short := func(c string) string { return strings.Repeat(c, shortText) }
	f := stacktrace.Frame{
		Function: text("f"), Module: text("m"), Package: text("p"), Filename: text("n"), AbsPath: "/" + text("n"), Line: 7, ContextLine: "throw",
	}
	assert.Equal(t, `{"function":"`+f.Function+`","filename":"`+f.Filename+`","module":"`+f.Module+`","package":"`+f.Package+
		`","abs_path":"`+f.AbsPath+`","lineno":7,"context_line":"throw","in_app":false},`, string(appendFrame(nil, &f, trimNothing)))
	assert.Equal(t, `{"function":"`+short("f")+`","filename":"`+short("n")+`","module":"`+short("m")+`","package":"`+short("p")+
		`","lineno":7,"in_app":false},`, string(appendFrame(nil, &f, trimBody)))
}
