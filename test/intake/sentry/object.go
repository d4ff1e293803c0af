// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryintake

import (
	"fmt"
	"strings"

	"github.com/otelcol-fanout/otelcol-fanout/test/intake/standin"
)

// object is a JSON object that is checked against the rules.
type object = standin.Object

// textList checks that a member is an array of strings.
func textList(o object, name string) ([]any, bool) {
	values, ok := o.List(name)
	for i, value := range values {
		if _, ok := value.(string); !ok {
			o.Breaks(o.Rule, fmt.Sprintf("%s[%d]", name, i), "is %s, not a string", standin.TypeOf(value))
		}
	}
	return values, ok
}

// checkID checks the id of a trace or span: n lowercase hexadecimal digits, not all 0.
func checkID(o object, name string, n int) string {
	value, ok := o.Text(name)
	if ok && (!isHex(value, n) || strings.Trim(value, "0") == "") {
		o.Breaks(o.Rule, name, "is %q, not %d lowercase hexadecimal digits, not all 0", value, n)
	}
	return value
}

// isHex reports whether s is n lowercase hexadecimal digits.
func isHex(s string, n int) bool {
	return len(s) == n && strings.Trim(s, "0123456789abcdef") == ""
}
