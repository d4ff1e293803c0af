// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package exceptionlist

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/otelcol-fanout/otelcol-fanout/internal/stacktrace"
)

func TestPythonFramesAreSentRaw(t *testing.T) {
	stack := &stacktrace.Stack{Language: stacktrace.Python, Exceptions: []stacktrace.Exception{{
		Type: "KeyError", Message: "'sku'", Module: "builtins",
		Frames: []stacktrace.Frame{{
			Filename: "cart.py", AbsPath: "/app/cart.py", Function: "price", Module: "cart",
			Line: 12, ContextLine: "return prices[sku]", InApp: true,
		}},
	}}}
	assert.JSONEq(t, `[{
		"type": "KeyError", "value": "'sku'", "module": "builtins",
		"mechanism": {"type": "generic", "handled": true, "synthetic": false, "exception_id": 0},
		"stacktrace": {"type": "raw", "frames": [{
			"platform": "python", "filename": "cart.py", "abs_path": "/app/cart.py", "function": "price",
			"module": "cart", "lineno": 12, "context_line": "return prices[sku]", "in_app": true
		}]}
	}]`, string(AppendList(nil, stack, Options{Handled: true})))
}

func TestJavaFramesAreSentResolved(t *testing.T) {
	stack := &stacktrace.Stack{Language: stacktrace.Java, Exceptions: []stacktrace.Exception{{
		Type: "IllegalStateException",
		Frames: []stacktrace.Frame{{
			Filename: "Cart.java", Function: "price", Module: "shop.Cart", Line: 7,
		}},
	}}}
	assert.JSONEq(t, `[{
		"type": "IllegalStateException", "value": "",
		"mechanism": {"type": "generic", "handled": false, "synthetic": false, "exception_id": 0},
		"stacktrace": {"type": "resolved", "frames": [{
			"raw_id": "shop.Cart.price:Cart.java", "mangled_name": "shop.Cart.price",
			"resolved_name": "shop.Cart.price", "source": "Cart.java", "line": 7,
			"in_app": false, "lang": "java", "resolved": true
		}]}
	}]`, string(AppendList(nil, stack, Options{})))
}

func TestResolvedNameHasTheModuleOnce(t *testing.T) {
	for want, f := range map[string]stacktrace.Frame{
		"main.mainLoop":   {Module: "main", Function: "mainLoop"},
		"main.main":       {Module: "main", Function: "main"},
		"main.main_loop":  {Module: "main", Function: "main_loop"},
		"Shop::Cart#add":  {Module: "Shop::Cart", Function: "Shop::Cart#add"},
		"Shop::SDK.call":  {Module: "Shop::SDK", Function: "Shop::SDK.call"},
		"shop::cart::add": {Module: "shop::cart", Function: "shop::cart::add"},
		"price":           {Function: "price"},
		"shop.Cart":       {Module: "shop.Cart"},
	} {
		assert.Equal(t, want, qualified(&f))
	}
}

// A cause without a type is synthetic and gets the type Error, because PostHog requires a type.
func TestCauseRefersToItsParent(t *testing.T) {
	stack := &stacktrace.Stack{Exceptions: []stacktrace.Exception{
		{Type: "Outer", Parent: -1},
		{Message: "boom", Parent: 0, Relation: "cause"},
	}}
	assert.JSONEq(t, `[
		{"type": "Outer", "value": "",
		 "mechanism": {"type": "generic", "handled": true, "synthetic": false, "exception_id": 0}},
		{"type": "Error", "value": "boom",
		 "mechanism": {"type": "chained", "handled": true, "source": "cause", "synthetic": true,
		               "exception_id": 1, "parent_id": 0}}
	]`, string(AppendList(nil, stack, Options{Handled: true})))
}

// PostHog finds source maps differently for browsers and for Node.
func TestRuntimeSelectsTheJavaScriptPlatform(t *testing.T) {
	frame := stacktrace.Frame{Filename: "app.js", AbsPath: "https://shop.example/app.js", Line: 1}
	stack := &stacktrace.Stack{Language: stacktrace.JavaScript, Exceptions: []stacktrace.Exception{
		{Type: "TypeError", Frames: []stacktrace.Frame{frame}},
	}}
	for runtime, platform := range map[string]string{"webjs": "web:javascript", "nodejs": "node:javascript"} {
		list := string(AppendList(nil, stack, Options{Runtime: runtime}))
		assert.Contains(t, list, `{"platform":"`+platform+`","filename":"https://shop.example/app.js"`)
	}
}

func TestLimitKeepsInnermostAndOutermostFrames(t *testing.T) {
	var frames []stacktrace.Frame
	for i := range 10 {
		frames = append(frames, stacktrace.Frame{Function: "f" + strconv.Itoa(i)})
	}
	stack := &stacktrace.Stack{Language: stacktrace.Go, Exceptions: []stacktrace.Exception{
		{Type: "Outer", Frames: frames}, {Type: "Cause"}, {Type: "Root"},
	}}
	list := string(AppendList(nil, stack, Options{Limit: Limit{Exceptions: 2, Frames: 4}}))
	for i := range 10 {
		name := `"function":"f` + strconv.Itoa(i) + `"`
		if i < 2 || i >= 8 {
			assert.Contains(t, list, name)
		} else {
			assert.NotContains(t, list, name)
		}
	}
	assert.Contains(t, list, `"Cause"`)
	assert.NotContains(t, list, `"Root"`)
}
