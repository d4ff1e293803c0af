// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestOtherFormatsAreKeptWhole(t *testing.T) {
	for _, test := range []struct {
		name, text string
		hints      []Language
	}{
		{"Kotlin/Native", "kotlin.IllegalStateException: no stock\n    at 0   shop   0x104a3c8b4   kfun:kotlin.Throwable#<init>(kotlin.String?){} + 119\n    at 1   shop   0x104a35c6c   kfun:com.acme.Cart#add(){} + 115 (/srv/shop/Cart.kt:12:9)", []Language{Unknown, Java}},
		{"tombstone of Android", "signal 11 (SIGSEGV), code 1 (SEGV_MAPERR), fault addr 0x0\nbacktrace:\n      #00 pc 000000000004d9b8  /system/lib64/libc.so (abort+164) (BuildId: 1234)\n      #01 pc 0000000000012345  /data/app/com.acme/lib/arm64/libshop.so (crash+20)", []Language{Unknown, Java}},
		{"Spring Boot's failure analysis", "***************************\nAPPLICATION FAILED TO START\n***************************\n\nDescription:\n\nWeb server failed to start. Port 8080 was already in use.", []Language{Unknown, Java}},
		{"frames in JSON", `[{"exc_type": "ValueError", "exc_value": "no stock", "frames": [{"filename": "/srv/shop/cart.py", "lineno": 9, "name": "take"}]}]`, []Language{Unknown, Python}},
		{"pytest", "    def test_take():\n>       assert take(1) == 2\nE       assert 1 == 2\n\ntests/test_cart.py:12: AssertionError", []Language{Unknown, Python}},
		{"rich", "╭───── Traceback (most recent call last) ─────╮\n│ /srv/shop/main.py:9 in <module>             │\n│ ❱  9 take()                                 │\n╰─────────────────────────────────────────────╯\nValueError: no stock", []Language{Unknown, Python}},
		{"cgitb", "ValueError\nPython 3.11.7: /usr/bin/python3\n\nA problem occurred in a Python script.\n\n /srv/shop/main.py in <module>()\n    8\n    9 take()\nValueError: no stock", []Language{Unknown, Python}},
		{"Symfony's error page", "App\\NoStock:\nno stock\n\n  at /srv/shop/src/Cart.php:22\n  at App\\Cart->take(object(Item))\n     (/srv/shop/src/Shop.php:12)", []Language{Unknown, PHP}},
		{"Xdebug", "Call Stack:\n    0.0003     404224   1. {main}() /srv/shop/cart.php:0\n    0.0004     404224   2. take() /srv/shop/cart.php:5", []Language{Unknown, PHP}},
		{"debug_print_backtrace", "#0  take() called at [/srv/shop/cart.php:10]\n#1  add() called at [/srv/shop/shop.php:6]", []Language{Unknown, PHP}},
		{"RSpec", "  1) Cart takes stock\n     Failure/Error: expect(1).to eq 2\n     # ./spec/cart_spec.rb:3:in `block (2 levels) in <top (required)>'", []Language{Unknown, Ruby}},
		{"minitest", "CartTest#test_take [test/cart_test.rb:12]:\nExpected: 2\n  Actual: 1", []Language{Unknown, Ruby}},
		{"frames behind Ruby's log prefix", "F, [2026-01-31T12:00:00.123456 #1] FATAL -- : [abc] RuntimeError (no stock):\nF, [2026-01-31T12:00:00.123456 #1] FATAL -- : [abc] app/models/cart.rb:53:in `add'", []Language{Unknown, Ruby}},
	} {
		for _, hint := range test.hints {
			t.Run(test.name+" as "+hint.String(), func(t *testing.T) {
				var p Parser
				stack := p.Parse(hint, "com.acme.NoStock", "no stock", test.text)
				assert.Zero(t, frames(stack), "%s", render(stack))
				assert.Equal(t, test.text, stack.Unparsed)
			})
		}
	}
}
