// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package cases

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/otelcol-fanout/otelcol-fanout/internal/explain"
)

func TestParseErrors(t *testing.T) {
	const c = "cases:\n  - name: a\n    event: {name: b}\n    delivered_to: [c]\n"
	for name, tt := range map[string]struct{ text, want string }{
		"not YAML":         {"cases: [", "c.yaml: line 1: did not find"},
		"empty":            {"", "c.yaml: is empty; write cases: [...]"},
		"a list":           {"- a", "write a map"},
		"no cases":         {"environment: {A: b}", "c.yaml: cases: is missing; write a list of cases"},
		"unknown key":      {c + "    nope: 1\n", `c.yaml:5: unknown key "nope"; write one of name, event`},
		"unknown at top":   {c + "tests: []\n", `c.yaml:5: unknown key "tests"; write one of environment, cases`},
		"unknown in a map": {c + "    requests: {c: {bodies: {}}}\n", `c.yaml:5: unknown key "bodies"; write one of method, url, headers, has_headers, body, absent`},
		"unknown in list":  {c + "    requests: {c: [{bodies: {}}]}\n", `c.yaml:5: unknown key "bodies"`},
		"wrong type":       {strings.Replace(c, "[c]", "c", 1), "c.yaml: line 4 is text; write a list, such as [a, b]"},
		"no name":          {strings.Replace(c, "name: a", "path: /", 1), "c.yaml:2: name: is missing; write what the case shows"},
		"no event":         {strings.Replace(c, "event: {name: b}", "path: /", 1), "c.yaml:2: event: is missing; write an event such as"},
		"two events":       {c + "    otlp: {}\n", "c.yaml:2: otlp: the case has an event already; write one of them"},
		"no expectation":   {strings.Replace(c, "    delivered_to: [c]\n", "", 1), "c.yaml:2: delivered_to: is missing; write the exporters that must get the event"},
		"contradiction":    {c + "    not_delivered_to: [c]\n", "c.yaml:2: not_delivered_to: c is in delivered_to as well; remove one of the two"},
		"same name":        {c + strings.TrimPrefix(c, "cases:\n"), `c.yaml:5: name: "a" is the name of an earlier case; give each its own`},
		"bad pointer":      {c + "    requests: {c: {absent: [a]}}\n", `c.yaml:2: requests::c: absent: "a" is not a JSON pointer; write one such as /batch/0/event`},
		"bad escape":       {c + "    requests: {c: {body: {/a~2: 1}}}\n", `c.yaml:2: requests::c: body: "/a~2" is not a JSON pointer; write ~0 for ~, and ~1 for / in a name`},
		"bad last escape":  {c + "    requests: {c: {absent: [/a~]}}\n", `"/a~" is not a JSON pointer`},
		"empty request":    {c + "    requests: {c: }\n", "c.yaml:2: requests::c: is empty; write what its request must be, such as {method: POST}"},
		"no requests":      {c + "    requests: {c: []}\n", "c.yaml:2: requests::c: is empty"},
		"merged keys":      {strings.Replace(c, "- name", "- &a\n    name", 1) + "  - {<<: *a, name: b}\n", "c.yaml:6: <<: is not supported; repeat the keys"},
		"bad number":       {strings.Replace(c, "{name: b}", "{name: .nan}", 1), "c.yaml:2: event: .nan is not a number in JSON; write it in quotes"},
		"two documents":    {c + "---\n" + c, "c.yaml: has more than one document"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("c.yaml", []byte(tt.text))
			require.ErrorContains(t, err, tt.want)
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

func jsonOf(t *testing.T, text string) (string, error) {
	t.Helper()
	var node yaml.Node
	require.NoError(t, yaml.Unmarshal([]byte(text), &node))
	out, err := toJSON(node.Content[0])
	return string(out), err
}

func TestYAMLBecomesJSON(t *testing.T) {
	for text, want := range map[string]string{
		"{b: 1, a: [x, true, null, ~]}":                                    `{"b":1,"a":["x",true,null,null]}`,
		"[9007199254740993, 12345678901234567890123, 1.50, 1e3, 0x10, -0]": `[9007199254740993,12345678901234567890123,1.50,1e3,16,-0]`,
		`["1", 2026-01-02, "<é>\n"]`:                                       `["1","2026-01-02","<é>\n"]`,
		"{a: &x {n: 1}, b: *x, 1: y}":                                      `{"a":{"n":1},"b":{"n":1},"1":"y"}`,
	} {
		got, err := jsonOf(t, text)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	_, err := jsonOf(t, "{a: &x {n: 1}, b: {<<: *x}}")
	require.ErrorContains(t, err, "<<: is not supported")
	_, err = jsonOf(t, strings.Repeat("[", 200)+strings.Repeat("]", 200))
	require.ErrorContains(t, err, "is nested more than 100 levels deep")
}

func TestEqualCompares(t *testing.T) {
	for name, tt := range map[string]struct {
		a, b string
		want bool
	}{
		"spelling of numbers": {"1.50", "1.5e0", true},
		"beyond float64":      {"9007199254740993", "9007199254740992", false},
		"members":             {`{"a":1,"b":[2]}`, `{"b":[2],"a":1}`, true},
		"one more":            {`{"a":1}`, `{"a":1,"b":2}`, false},
		"order":               {"[1,2]", "[2,1]", false},
		"types":               {`"1"`, "1", false},
		"null":                {"null", "null", true},
		"huge exponents":      {"1e999999999", "1e999999998", false},
		"tiny exponents":      {"1e-999999999", "1e-999999998", false},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := decode([]byte(tt.a))
			require.NoError(t, err)
			b, err := decode([]byte(tt.b))
			require.NoError(t, err)
			assert.Equal(t, tt.want, equal(a, b))
		})
	}
}

func TestFindFollowsPointers(t *testing.T) {
	body, err := valueOf("{\"a\":{\"x/y\":[1,{\"~\":2}]}}\n{\"b\":3}\n")
	require.NoError(t, err)
	for pointer, want := range map[string]string{"/0/a/x~1y/0": "1", "/0/a/x~1y/1/~0": "2", "/1": "{\n  \"b\": 3\n}"} {
		got, ok := find(body, pointer)
		assert.True(t, ok, pointer)
		assert.Equal(t, want, pretty(got))
	}
	for _, pointer := range []string{"/2", "/0/a/z", "/0/a/x~1y/-1", "/0/a/x~1y/a", "/1/b/c", "/00", "/+0", "/01", "/-0", "/0/a/x~1y/-"} {
		_, ok := find(body, pointer)
		assert.False(t, ok, pointer)
	}
}

func TestChecksOfRequests(t *testing.T) {
	f, err := Parse("c.yaml", []byte(`
cases:
  - name: a
    event: {name: b}
    delivered_to: [one]
    not_delivered_to: [two]
    requests:
      one:
        - {method: POST, url: u, headers: {X: y}, has_headers: [Z], body: {/a: {b: [1]}}, absent: [/c]}
        - {body: {/a: 1}}
`))
	require.NoError(t, err)
	good := explain.Backend{ID: "one", Delivered: 2, Requests: []explain.Request{
		{Method: http.MethodOptions}, // a handshake
		{Method: http.MethodPost, URL: "u", Headers: http.Header{"X": {"y"}, "Z": {""}}, Body: `{"a":{"b":[1.0]}}`},
		{Body: `{"a":1}`},
	}}
	failures, err := f.Cases[0].check(&explain.Result{Backends: []explain.Backend{good, {ID: "two"}}})
	require.NoError(t, err)
	assert.Empty(t, failures)

	bad := explain.Backend{ID: "one", Why: "filter dropped them", Requests: []explain.Request{{Method: "PUT", URL: "v", Headers: http.Header{}, Body: `{"a":{"b":[2]},"c":null}`}}}
	failures, err = f.Cases[0].check(&explain.Result{Backends: []explain.Backend{bad, {ID: "two", Delivered: 1, Requests: []explain.Request{{Body: "{}"}}}}})
	require.NoError(t, err)
	assert.Equal(t, []string{
		"one must get the event, but does not: filter dropped them",
		"two must not get the event, but does:\n{}",
		"one, request 1: the method differs:\n- POST\n+ PUT",
		"one, request 1: the URL differs:\n- u\n+ v",
		"one, request 1: the header X differs:\n- y",
		"one, request 1: there is no header Z",
		"one, request 1: /a differs:\n  {\n    \"b\": [\n-     1\n+     2\n    ]\n  }",
		"one, request 1: /c must be absent:\n+ null",
		"one, request 2: there is no such request: filter dropped them",
	}, failures)
}

func TestJUnitEscapes(t *testing.T) {
	outcomes := []Outcome{{Name: "a <b>"}, {Name: "c", Place: "c.yaml:3", Failures: []string{"x & y\nz"}}}
	assert.Equal(t, 1, Failed(outcomes))
	var out strings.Builder
	require.NoError(t, WriteJUnit(&out, "c.yaml", outcomes))
	assert.Contains(t, out.String(), `<testsuite name="c.yaml" tests="2" failures="1"`)
	assert.Contains(t, out.String(), `name="a &lt;b&gt;"`)
	assert.Contains(t, out.String(), `<failure message="x &amp; y">`)
}

func TestNamesStayInTheirLines(t *testing.T) {
	var out strings.Builder
	require.NoError(t, WriteText(&out, []Outcome{{Name: "a\x1b[31m\nb"}, {Name: "c\u009b", Place: "c\x07.yaml:3", Failures: []string{"x\x1b\ny"}}}))
	assert.Equal(t, `ok    a\u001b[31m b
FAIL  c\u009b (c\u0007.yaml:3)
      x\u001b
        y
1 of 2 cases passed
`, out.String())
}

func TestDiffOfLongTexts(t *testing.T) {
	const lines = 1 << 16 // a table of common lines would have 2^32 cells
	text := diff(strings.Repeat("a\n", lines), strings.Repeat("b\n", lines))
	assert.Equal(t, lines, strings.Count(text, "- a"))
	assert.Equal(t, lines, strings.Count(text, "+ b"))
}
