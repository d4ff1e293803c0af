// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/otelcol"

	"github.com/otelcol-fanout/otelcol-fanout/internal/detect"
)

const (
	// redacted replaces a secret.
	redacted = "[REDACTED]"
	// minSecret is the least length in bytes at which a secret is looked for within longer words.
	minSecret = 8
)

// secret is a text that no result contains.
type secret struct {
	value string
	// variable is the environment variable that a command has in its place.
	variable string
	// address is true for a whole URL that has secrets in it: a command has its variable in its place,
	// and a result shows its host.
	address bool
}

// Redactor returns a function that removes the secrets of a configuration from a text, such as an error
// that says why the configuration is invalid. The configuration may be nil.
func Redactor(conf *confmap.Conf, variables []Variable) func(text string) string {
	f := &secretFinder{variables: variables, found: map[string]secret{}}
	if conf != nil {
		f.walk(nil, reflect.ValueOf(conf.ToStringMap()), false)
	}
	return newRedactor(f.secrets()).redact
}

// findSecrets returns the secrets of a configuration, longest first.
func findSecrets(cfg *otelcol.Config, variables []Variable) []secret {
	f := &secretFinder{variables: variables, found: map[string]secret{}}
	for _, configs := range []map[component.ID]component.Config{cfg.Exporters, cfg.Extensions, cfg.Receivers, cfg.Processors, cfg.Connectors} {
		for _, id := range slices.SortedFunc(maps.Keys(configs), compareIDs) {
			f.walk([]string{id.String()}, reflect.ValueOf(configs[id]), false)
		}
	}
	return f.secrets()
}

// secrets returns those that were found and those of the variables, longest first.
func (f *secretFinder) secrets() []secret {
	for _, v := range f.variables {
		if _, err := strconv.ParseBool(v.Value); err != nil && isSecretName(v.Name) { // not a switch
			f.addValue(nil, v.Value)
		}
	}
	return slices.SortedFunc(maps.Values(f.found), func(a, b secret) int {
		return cmp.Or(cmp.Compare(len(b.value), len(a.value)), cmp.Compare(a.value, b.value))
	})
}

// secretWord matches words in names of keys and variables whose values are secrets, wherever they stand,
// and words that only these have.
var secretWord = regexp.MustCompile(`(?i)(secret|token|passw|dsn|(write|routing|account|signing|hash)_?key)`)

// isSecretName reports whether the value of a key or a variable with this name is a secret.
func isSecretName(name string) bool {
	return name == "headers" || detect.IsSecretName(name) || secretWord.MatchString(name)
}

// secretFinder collects secrets, by their text.
type secretFinder struct {
	variables []Variable
	found     map[string]secret
}

// walk visits the values of a configuration. isSecret is true below a key that holds secrets.
func (f *secretFinder) walk(path []string, v reflect.Value, isSecret bool) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			f.walk(path, v.Elem(), isSecret)
		}
	case reflect.String:
		if isSecret || v.Type() == reflect.TypeFor[configopaque.String]() {
			f.addValue(path, v.String())
		} else {
			f.addURL(path, v.String())
			f.addCredentials(path, v.String())
		}
	case reflect.Int, reflect.Int64, reflect.Uint64: // a number in YAML
		if number := fmt.Sprint(v); isSecret && len(number) >= minSecret {
			f.addValue(path, number)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			name := path
			if v.Len() > 1 {
				name = append(slices.Clone(path), strconv.Itoa(i+1))
			}
			f.walk(name, v.Index(i), isSecret)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			name := fmt.Sprint(key)
			f.walk(append(slices.Clone(path), name), v.MapIndex(key), isSecret || isSecretName(name))
		}
	case reflect.Struct:
		f.walkStruct(path, v, isSecret)
	}
}

func (f *secretFinder) walkStruct(path []string, v reflect.Value, isSecret bool) {
	if v.Type() == reflect.TypeFor[configopaque.Pair]() { // a header, whose value is opaque
		name := v.FieldByName("Name").String()
		f.addValue(append(slices.Clone(path), name), v.FieldByName("Value").String())
		return
	}
	for field, value := range v.Fields() {
		key, _, _ := strings.Cut(field.Tag.Get("mapstructure"), ",")
		name := path
		if key != "" {
			name = append(slices.Clone(path), key)
		}
		f.walk(name, value, isSecret || isSecretName(key))
	}
}

// addValue adds a secret: its text, or what follows a scheme such as Bearer, or the parts of a URL.
func (f *secretFinder) addValue(path []string, value string) {
	if value == "" || value == redacted || f.addURL(path, value) {
		return
	}
	if scheme, rest, ok := strings.Cut(value, " "); ok && rest != "" && slices.Contains([]string{"bearer", "basic", "token"}, strings.ToLower(scheme)) {
		f.addValue(path, rest)
		return
	}
	f.add(secret{value: value, variable: f.variableOf(path, value)})
}

// publicSegment matches parts of paths that say nothing secret.
var publicSegment = regexp.MustCompile(`^(v\d+|\d{1,2}|[a-z]{1,3}|api|hooks?|webhooks?|services|events?|batch|ingest|intake|logs?|traces?|metrics|track|capture|envelope|store|audit|otlp|input|in|post|collect|slack|discord|teams|enqueue)$`)

// addURL adds the secrets of a URL, and reports whether the text is a URL.
func (f *secretFinder) addURL(path []string, text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return false
	}
	var parts []string
	if password, ok := u.User.Password(); ok {
		parts = append(parts, password)
	}
	parts = append(parts, u.User.Username())
	isDSN := u.User.Username() != "" // its path is the number of a project
	for segment := range strings.SplitSeq(u.EscapedPath(), "/") {
		if isDSN && strings.Trim(segment, "0123456789") == "" || publicSegment.MatchString(segment) {
			continue
		}
		unescaped, _ := url.PathUnescape(segment)
		parts = append(parts, segment, unescaped)
	}
	for _, values := range u.Query() {
		parts = append(parts, values...)
	}
	n := 0
	for _, part := range parts {
		if part == "" {
			continue
		}
		n++
		f.add(secret{value: part, variable: derivedName(append(slices.Clone(path), "part", strconv.Itoa(n)))})
	}
	if n == 0 {
		return true
	}
	f.add(secret{value: text, variable: f.variableOf(path, text), address: true})
	for _, v := range f.variables { // such as ${env:BASE_URL}/path
		if len(v.Value) >= minSecret && strings.HasPrefix(text, v.Value) {
			f.add(secret{value: v.Value, variable: v.Name, address: true})
		}
	}
	return true
}

// urlCredentials matches the credentials of URLs of any scheme, wherever they stand in a text.
var urlCredentials = regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://([^\s/?#@:"'<>]*)(?::([^\s/?#@"'<>]+))?@`)

// addCredentials adds the credentials of the URLs within a text, such as a statement of a processor.
func (f *secretFinder) addCredentials(path []string, text string) {
	for i, match := range urlCredentials.FindAllStringSubmatch(text, -1) {
		for j, part := range match[1:] {
			if part != "" {
				f.add(secret{value: part, variable: derivedName(append(slices.Clone(path), "credentials", strconv.Itoa(2*i+j+1)))})
			}
		}
	}
}

func (f *secretFinder) add(s secret) {
	if old, ok := f.found[s.value]; !ok || old.address && !s.address {
		f.found[s.value] = s
	}
}

// variableOf returns the variable whose value a text is, or a name derived from the key.
func (f *secretFinder) variableOf(path []string, value string) string {
	for _, v := range f.variables {
		if v.Value == value {
			return v.Name
		}
	}
	return derivedName(path)
}

var notInName = regexp.MustCompile(`[^A-Z0-9]+`)

// derivedName returns a name such as WEBHOOK_AUDIT_API_KEY.
func derivedName(path []string) string {
	name := strings.Trim(notInName.ReplaceAllString(strings.ToUpper(strings.Join(path, "_")), "_"), "_")
	if name == "" || name[0] >= '0' && name[0] <= '9' {
		name = "SECRET_" + name
	}
	return name
}
