// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package strictconf

import (
	"errors"
	"strings"
)

// CheckCredential returns what is wrong with the value of a key that is a credential: it is missing,
// a variable in it was not replaced, or it holds a character that no header takes, such as the line
// feed at the end of a file. remedy says what to write; variable is the environment variable that
// configurations read it from. The error repeats nothing of the value.
func CheckCredential(value, remedy, variable string) error {
	switch {
	case value == "":
		return errors.New("is missing; " + remedy + " (is an environment variable unset?)")
	case strings.HasPrefix(value, "${"):
		return errors.New("holds ${...} that nothing has replaced; a variable of the environment is written ${env:" + variable + "}")
	case strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' }):
		return errors.New("holds a character that it cannot have; is there a space or a line feed at its end?")
	}
	return nil
}
