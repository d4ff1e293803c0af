// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// description is the OpenAPI file.
type description struct {
	Paths      map[string]map[string]operation `yaml:"paths"`
	Components struct {
		Parameters map[string]parameter `yaml:"parameters"`
		Schemas    map[string]any       `yaml:"schemas"`
	} `yaml:"components"`
}

type operation struct {
	Parameters []struct {
		Ref string `yaml:"$ref"`
	} `yaml:"parameters"`
	Responses map[string]struct {
		Content map[string]struct {
			Schema map[string]any `yaml:"schema"`
		} `yaml:"content"`
	} `yaml:"responses"`
}

type parameter struct {
	Name string `yaml:"name"`
	In   string `yaml:"in"`
}

var readDescription = sync.OnceValue(func() *description {
	var d description
	if err := yaml.Unmarshal(openAPI, &d); err != nil {
		panic(err)
	}
	return &d
})

// resolved has the schemas that tests used before.
var resolved sync.Map

// schema returns the schema of a response, in which the shared ones are definitions.
func (d *description) schema(t *testing.T, of map[string]any) *jsonschema.Resolved {
	t.Helper()
	key := fmt.Sprint(of)
	if known, ok := resolved.Load(key); ok {
		return known.(*jsonschema.Resolved)
	}
	whole := maps.Clone(of)
	whole["$defs"] = d.Components.Schemas
	text, err := json.Marshal(whole)
	require.NoError(t, err)
	var schema jsonschema.Schema
	require.NoError(t, json.Unmarshal([]byte(strings.ReplaceAll(string(text), "#/components/schemas/", "#/$defs/")), &schema))
	usable, err := schema.Resolve(nil)
	require.NoError(t, err)
	resolved.Store(key, usable)
	return usable
}

// checkAgainstOpenAPI requires that the file has the status of a response to a request on one of its
// paths, and that the body is as the file says.
func checkAgainstOpenAPI(t *testing.T, a *api, r *http.Request, got *answer) {
	t.Helper()
	path, err := segments(r.URL.EscapedPath())
	if err != nil {
		return
	}
	found, _, err := a.find(path)
	method := strings.ToLower(strings.Replace(r.Method, http.MethodHead, http.MethodGet, 1))
	if err != nil {
		return
	}
	of, ok := readDescription().Paths[found.path][method]
	if !ok {
		assert.Contains(t, []int{http.StatusMethodNotAllowed, http.StatusForbidden}, got.status)
		return
	}
	response, ok := of.Responses[strconv.Itoa(got.status)]
	require.True(t, ok, "%s %s: the OpenAPI file has no %d: %s", r.Method, found.path, got.status, got.text)
	mediaType, _, _ := strings.Cut(got.header.Get("Content-Type"), ";")
	content, ok := response.Content[mediaType]
	require.True(t, ok, "%s %s: the OpenAPI file has no %s for %d", r.Method, found.path, mediaType, got.status)
	if mediaType != "application/json" || r.Method == http.MethodHead {
		return
	}
	var body any
	require.NoError(t, json.Unmarshal([]byte(got.text), &body), got.text)
	assert.NoError(t, readDescription().schema(t, content.Schema).Validate(body), "%s %s: %s", r.Method, r.URL, got.text)
}

// checkAgainstSchema requires that a text is as a schema of the OpenAPI file says.
func checkAgainstSchema(t *testing.T, name, text string) {
	t.Helper()
	var body any
	require.NoError(t, json.Unmarshal([]byte(text), &body), text)
	assert.NoError(t, readDescription().schema(t, map[string]any{"$ref": "#/components/schemas/" + name}).Validate(body), text)
}

func TestOpenAPIFileHasTheResourcesOfTheAPI(t *testing.T) {
	served := map[string][]string{}
	for _, s := range newWorld(t).api.resources {
		for method := range s.methods {
			served[s.path] = append(served[s.path], strings.ToLower(method))
		}
		slices.Sort(served[s.path])
	}
	described := map[string][]string{}
	for path, operations := range readDescription().Paths {
		described[path] = slices.Sorted(maps.Keys(operations))
	}
	assert.Equal(t, served, described)
}

// TestOpenAPIFileHasTheParametersOfTheAPI asks each resource for a parameter that it cannot have; the
// error lists the ones that it has.
func TestOpenAPIFileHasTheParametersOfTheAPI(t *testing.T) {
	w := newWorld(t)
	w.api.letters = letters{newFakeKeeper()}
	for path, operations := range readDescription().Paths {
		for method, of := range operations {
			var want, inPath []string
			needsHeader := false
			for _, p := range of.Parameters {
				described, ok := readDescription().Components.Parameters[strings.TrimPrefix(p.Ref, "#/components/parameters/")]
				require.True(t, ok, p.Ref)
				switch described.In {
				case "query":
					want = append(want, described.Name)
				case "path":
					inPath = append(inPath, described.Name)
				case "header":
					needsHeader = true
				}
			}
			target := strings.NewReplacer("{exporter}", "webhook", "{key}", "1-0", "{id}", "webhook").Replace(path)
			var refused errorJSON
			require.NoError(t, json.Unmarshal([]byte(w.ask(strings.ToUpper(method), target+"?no_such_parameter=1").text), &refused))
			_, list, found := strings.Cut(refused.Error, "valid parameters: ")
			require.True(t, found, "%s %s: %s", method, path, refused.Error)
			var got []string
			if list != "none" {
				got = strings.Split(list, ", ")
			}
			assert.ElementsMatch(t, want, got, "%s %s", method, path)
			assert.Len(t, inPath, strings.Count(path, "{"), "%s %s", method, path)
			assert.Equal(t, method != "get", needsHeader, "%s %s", method, path)
		}
	}
}

func TestOpenAPIFileIsServed(t *testing.T) {
	got := newWorld(t).ask("GET", "/v1/openapi.yaml")
	assert.Equal(t, 200, got.status)
	assert.Equal(t, string(openAPI), got.text)
}

func TestPathsAreListed(t *testing.T) {
	w := newWorld(t)
	got := w.ask("GET", "/")
	assert.Equal(t, "text/plain; charset=utf-8", got.header.Get("Content-Type"))
	for path := range readDescription().Paths {
		assert.Contains(t, got.text, " "+path+"\n")
	}
	assert.Contains(t, got.text, "DELETE, GET, HEAD /v1/dead_letters/{exporter}\n")
}
