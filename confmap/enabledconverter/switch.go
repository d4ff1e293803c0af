// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package enabledconverter

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// maxShownValue limits how many characters of a value an error repeats, because a value that was
// pasted after `enabled:` by mistake may be a secret.
const maxShownValue = 32

// readSwitch returns the key of a component's switch, and whether it is on. The key is empty if the
// component has no switch.
func readSwitch(config map[string]any) (key string, on bool, err error) {
	value, ok := config[enabledKey]
	text, okIfSet := config[enabledIfSetKey]
	switch {
	case ok && okIfSet:
		return enabledIfSetKey, false, errors.New("cannot be combined with enabled; write one of them")
	case ok:
		on, err = parseSwitch(value)
		return enabledKey, on, err
	case okIfSet:
		on, err = isSet(text)
		return enabledIfSetKey, on, err
	}
	return "", false, nil
}

// isSet reports whether a value, such as that of an environment variable, is not empty. Numbers and
// booleans count as text.
func isSet(value any) (bool, error) {
	switch v := plain(value).(type) {
	case nil:
		return false, nil
	case string:
		return strings.TrimSpace(v) != "", nil
	case map[string]any, []any:
		return false, fmt.Errorf("is %s; write a text such as ${env:NAME}, which enables the component unless it is empty", shape(v))
	}
	return true, nil
}

// parseSwitch reads the value of an `enabled` key. Null and the empty string are false, because an
// unset ${env:X} becomes one of them.
func parseSwitch(value any) (bool, error) {
	value = plain(value)

	var on, ok bool
	switch v := value.(type) {
	case nil:
		ok = true
	case bool:
		on, ok = v, true
	case string:
		on, ok = parseWord(v)
	default:
		on, ok = parseInteger(v)
	}
	if !ok {
		return false, fmt.Errorf("%s is not a switch; write true or false (or 1/0, yes/no, on/off; empty is false)", shape(value))
	}
	return on, nil
}

// parseWord also accepts yes, no, on and off, which are booleans in YAML 1.1 but strings in YAML
// 1.2.
func parseWord(word string) (on, ok bool) {
	switch strings.ToLower(strings.TrimSpace(word)) {
	case "true", "1", "yes", "on":
		return true, true
	case "false", "0", "no", "off", "":
		return false, true
	}
	return false, false
}

func parseInteger(value any) (on, ok bool) {
	number := reflect.ValueOf(value)
	switch {
	case number.CanInt():
		return number.Int() == 1, number.Int() == 0 || number.Int() == 1
	case number.CanUint():
		return number.Uint() == 1, number.Uint() <= 1
	}
	return false, false
}

// shape describes an invalid value: it quotes words and numbers, and names the type of others.
func shape(value any) string {
	switch v := value.(type) {
	case string:
		return strconv.Quote(shorten(v))
	case time.Time:
		return "a date"
	}

	switch kind := reflect.ValueOf(value); {
	case kind.Kind() == reflect.Map:
		return "a map"
	case kind.Kind() == reflect.Slice:
		return "a list"
	case kind.CanFloat():
		return "a number with a decimal point"
	case kind.CanInt(), kind.CanUint():
		return shorten(fmt.Sprint(value))
	}
	return fmt.Sprintf("a %T", value)
}

func shorten(text string) string {
	characters := []rune(text)
	if len(characters) <= maxShownValue {
		return text
	}
	return string(characters[:maxShownValue-1]) + "…"
}
