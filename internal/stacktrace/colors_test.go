// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestColoredStacksAreReadAsPlainOnes(t *testing.T) {
	color := strings.NewReplacer("\n", "\x1b[0m\n\x1b[1;38;5;208m", "(", "\x1b[90m(\x1b[39m", ":", ":\x1b[K", "/", "\x1b[4m/\x1b[24m", " ", " \x1b[m")
	var p Parser
	for _, s := range samples(t, "*") {
		t.Run(s.name, func(t *testing.T) {
			want := string(render(p.Parse(s.language, s.typ, s.message, s.text)))
			got := p.Parse(s.language, color.Replace(s.typ), color.Replace(s.message), color.Replace(s.text))
			p.check(t, got, s.typ, s.message, s.text)
			assert.Equal(t, want, string(render(got)))
		})
	}
}

func TestWithoutColors(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"none", "no stock [31m]", "no stock [31m]"},
		{"color", "\x1b[31mno\x1b[0m stock", "no stock"},
		{"colors of a palette", "\x1b[38;5;208mno\x1b[38:2::1:2:3m stock", "no stock"},
		{"reset by tput", "no\x1b(B\x1b[m stock", "no stock"},
		{"line erased", "no\x1b[m\x1b[K stock", "no stock"},
		{"link", "\x1b]8;;file:///srv/cart.rs\x1b\\no\x1b]8;;\a stock", "no stock"},
		{"link that never ends", "\x1b]8;;file:///srv\nno stock", "]8;;file:///srv\nno stock"},
		{"codes that nest", "\x1b\x1b[31m[31mno stock", "[31mno stock"},
		{"incomplete", "no stock\x1b[3", "no stock[3"},
		{"incomplete at the end of a line", "no\x1b[3\n stock", "no[3\n stock"},
		{"single character", "no stock\x1b", "no stock"},
	} {
		assert.Equal(t, test.want, withoutColors(test.text), test.name)
	}
}

func TestColorsAreRemovedFromWhatIsKeptWhole(t *testing.T) {
	var p Parser
	got := p.Parse(Unknown, "Error", "no stock", "\x1b[31mstack traceback\x1b[0m\n\t[C]: in ?")
	assert.Equal(t, "stack traceback\n\t[C]: in ?", got.Unparsed)
	assert.Equal(t, "no stock", got.Exceptions[0].Message)
}
