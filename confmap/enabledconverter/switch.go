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

// maxShownValue is how many characters of a value an error repeats. What was pasted after `enabled:` by mistake may be
// a secret.
const maxShownValue = 32

// readSwitch returns the key of a component's switch, which is empty where it has none, and whether that is on.
func readSwitch(config map[string]any) (key string, on bool, err error) {
	value, ok := config[enabledKey]
	text, okIfSet := config[enabledIfSetKey]
	switch {
	case ok && okIfSet:
		return enabledIfSetKey, false, errors.New("stands beside enabled; write one of them")
	case ok:
		on, err = parseSwitch(value)
		return enabledKey, on, err
	case okIfSet:
		on, err = isSet(text)
		return enabledIfSetKey, on, err
	}
	return "", false, nil
}

// isSet reports whether there is a text, such as that of a variable of the environment. One that looks like a number is a text
// too.
func isSet(value any) (bool, error) {
	switch v := plain(value).(type) {
	case nil:
		return false, nil
	case string:
		return strings.TrimSpace(v) != "", nil
	case map[string]any, []any:
		return false, fmt.Errorf("is %s; write a text, such as ${env:NAME}, whose being there switches the component on", shape(v))
	}
	return true, nil
}

// parseSwitch reads the value of an `enabled` key. Null and the empty string are false, because that is what
// ${env:X} becomes when X is not set.
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
		return false, fmt.Errorf("%s is not a switch; write true or false (also taken: 1/0, yes/no, on/off; empty is false)", shape(value))
	}
	return on, nil
}

// parseWord takes the words of YAML 1.1 as well, which a newer parser hands over as text.
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

// shape describes a value that is no switch: a word or a number by itself, anything larger by its kind.
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
