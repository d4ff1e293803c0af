// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestInApp(t *testing.T) {
	for _, test := range []struct {
		name     string
		language Language
		frame    Frame
		want     bool
	}{
		{"java.*", Java, Frame{Module: "java.util.ArrayList"}, false},
		{"jakarta.*", Java, Frame{Module: "jakarta.servlet.http.HttpServlet"}, false},
		{"kotlinx.*", Java, Frame{Module: "kotlinx.coroutines.DispatchedTask"}, false},
		{"groovyjarjar*", Java, Frame{Module: "groovyjarjarantlr4.v4.Tool"}, false},
		{"com.sun.*", Java, Frame{Module: "com.sun.proxy.$Proxy12"}, false},
		{"org.springframework.*", Java, Frame{Module: "org.springframework.web.Filter"}, false},
		{"class directly in a vendor's package", Java, Frame{Module: "reactor.Main"}, false},
		{"package with a library's prefix", Java, Frame{Module: "org.springframeworks.Main"}, true},
		{"class with a library's prefix", Java, Frame{Module: "javacart.Main"}, true},
		{"vendor prefix only", Java, Frame{Module: "com"}, true},
		{"application", Java, Frame{Module: "com.acme.Cart"}, true},
		{"no module", Java, Frame{Function: "f"}, true},
		{"System.*", DotNet, Frame{Module: "System.Linq.Enumerable"}, false},
		{"Microsoft.*", DotNet, Frame{Module: "Microsoft.AspNetCore.Mvc.Controller"}, false},
		{"application in .NET", DotNet, Frame{Module: "Systemic.Cart"}, true},
		{"Go main", Go, Frame{Module: "main", Filename: "main.go", AbsPath: "/app/main.go"}, true},
		{"the standard library", Go, Frame{Module: "net/http", AbsPath: "/usr/local/go/src/net/http/server.go"}, false},
		{"module without a dot", Go, Frame{Module: "shop/cart", AbsPath: "/app/cart/cart.go"}, true},
		{"module cache", Go, Frame{Module: "github.com/x/y", AbsPath: "/home/dev/go/pkg/mod/github.com/x/y@v1.0.0/y.go"}, false},
		{"vendor", Go, Frame{Module: "github.com/x/y", AbsPath: "/app/vendor/github.com/x/y/y.go"}, false},
		{"-trimpath of another module", Go, Frame{Module: "github.com/x/y", AbsPath: "github.com/x/y@v1.0.0/y.go"}, false},
		{"-trimpath of the application", Go, Frame{Module: "github.com/acme/shop", Filename: "github.com/acme/shop/cart.go"}, true},
		{"panic call", Go, Frame{Function: "panic", AbsPath: "/usr/local/go/src/runtime/panic.go"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			assert.Equal(t, test.want, (&Rules{}).inApp(test.language, &test.frame))
		})
	}
}

func TestRules(t *testing.T) {
	frame := Frame{
		Function: "add", Module: "com.acme.Cart", Package: "shop.jar", Filename: "Cart.java", AbsPath: "/srv/shop/Cart.java",
	}
	library := Frame{Function: "run", Module: "java.lang.Thread", Package: "java.base", Filename: "Thread.java"}
	for _, test := range []struct {
		name  string
		rules Rules
		frame Frame
		want  bool
	}{
		{"excluded module", Rules{Exclude: []string{"com.acme."}}, frame, false},
		{"excluded package", Rules{Exclude: []string{"shop"}}, frame, false},
		{"excluded function", Rules{Exclude: []string{"com.acme.Cart.add"}}, frame, false},
		{"excluded function prefix", Rules{Exclude: []string{"com.acme.Cart.ad"}}, frame, false},
		{"excluded function without module", Rules{Exclude: []string{"add"}}, frame, false},
		{"excluded path", Rules{Exclude: []string{"/srv/shop/"}}, frame, false},
		{"excluded file", Rules{Exclude: []string{"Cart."}}, frame, false},
		{"other exclusions do not match", Rules{Exclude: []string{"com.acme.Cart.addAll", "com.acme.Carts", "acme", ""}}, frame, true},
		{"included wins over excluded", Rules{Include: []string{"com.acme.Cart"}, Exclude: []string{"com.acme."}}, frame, true},
		{"included wins over the language", Rules{Include: []string{"java.lang.Thread"}}, library, true},
		{"no match: language default", Rules{Include: []string{"com."}, Exclude: []string{"com."}}, library, false},
		{"PHP separators", Rules{Exclude: []string{`App\Cart->add`}}, Frame{Module: `App\Cart`, Function: "add"}, false},
		{"Rust path", Rules{Exclude: []string{"shop::cart::add"}}, Frame{Module: "shop::cart", Function: "add"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			assert.Equal(t, test.want, test.rules.inApp(Java, &test.frame))
		})
	}
}

func TestParserAppliesRules(t *testing.T) {
	p := Parser{Rules: Rules{Include: []string{"org.springframework.Mine"}, Exclude: []string{"com.acme."}}}
	got := p.Parse(Java, "", "", "E: m\n\tat org.springframework.Mine.f(Mine.java:1)\n\tat org.springframework.Other.f(Other.java:1)\n\tat com.acme.Cart.add(Cart.java:1)\n")
	inApp := make([]bool, 0, 3)
	for _, f := range got.Exceptions[0].Frames {
		inApp = append(inApp, f.InApp)
	}
	assert.Equal(t, []bool{false, false, true}, inApp)
}
