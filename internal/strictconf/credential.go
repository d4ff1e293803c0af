// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package strictconf

import (
	"errors"
	"strings"
)

// CheckCredential refuses a credential that is missing, has an unexpanded variable, or contains a
// character that no header accepts, such as the line feed that ends a file. The error says what to
// write (remedy, or the environment variable), and repeats nothing of the value.
func CheckCredential(value, remedy, variable string) error {
	switch {
	case value == "":
		return errors.New("is missing; " + remedy + " (is an environment variable unset?)")
	case strings.HasPrefix(value, "${"):
		return errors.New("contains an unexpanded ${...}; write environment variables as ${env:" + variable + "}")
	case strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' }):
		return errors.New("contains a character that is not allowed; is there a space or a line feed at the end?")
	}
	return nil
}
