// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const (
	// maxPath and maxSegments bound the work of finding the resource of a path.
	maxPath     = 4096
	maxSegments = 32
)

// handler responds to a request on a resource. An error that it returns becomes the response.
type handler func(w http.ResponseWriter, r *http.Request, in arguments) error

// resource is a path of the API and its handlers by method. A handler of GET takes HEAD as well.
type resource struct {
	// path is written as in the OpenAPI file. {id} and {exporter} stand for one segment or more, since
	// ids contain slashes; any other name in braces stands for one segment.
	path    string
	methods map[string]handler
}

// arguments are the values of the names in braces.
type arguments map[string]string

// dispatch calls the handler of a request. net/http's own multiplexer cannot tell the id from what
// follows it, and redirects paths with two slashes.
func (a *api) dispatch(w http.ResponseWriter, r *http.Request) error {
	path, err := segments(r.URL.EscapedPath())
	if err != nil {
		return err
	}
	found, in, err := a.find(path)
	if err != nil {
		return err
	}
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	handle, ok := found.methods[method]
	if !ok {
		allow := found.allow()
		w.Header().Set("Allow", allow)
		return apiErrorf(http.StatusMethodNotAllowed, "use %s", allow)
	}
	return handle(w, r, in)
}

func (s *resource) allow() string {
	methods := slices.Sorted(maps.Keys(s.methods))
	if at := slices.Index(methods, http.MethodGet); at >= 0 {
		methods = slices.Insert(methods, at+1, http.MethodHead)
	}
	return strings.Join(methods, ", ")
}

// segments splits an escaped path, and decodes each segment, so that %2F is a part of a segment.
func segments(escaped string) ([]string, error) {
	if len(escaped) > maxPath {
		return nil, apiErrorf(http.StatusRequestURITooLong, "the path is longer than %d bytes", maxPath)
	}
	path := strings.Split(strings.TrimPrefix(escaped, "/"), "/")
	if len(path) > maxSegments {
		return nil, errNoResource()
	}
	for i, segment := range path {
		decoded, err := url.PathUnescape(segment)
		if err != nil {
			return nil, badRequest("malformed path; write special characters as %%XX")
		}
		path[i] = decoded
	}
	return path, nil
}

func errNoResource() error {
	return apiErrorf(http.StatusNotFound, "not found; GET / lists the paths")
}

// find returns the resource of a path. Since the slashes of an exporter's id may be written as they
// are, a path may fit several; only those of an exporter that has dead letters, or is running, count.
func (a *api) find(path []string) (*resource, arguments, error) {
	var found *resource
	var in arguments
	var missing error
	for i := range a.resources {
		for args := range a.resources[i].matches(path) {
			var unknown error
			if exporter, named := args["exporter"]; named {
				_, _, unknown = a.letters.of(exporter)
			}
			switch {
			case unknown != nil:
				missing = cmp.Or(missing, unknown)
			case found != nil:
				return nil, nil, badRequest("the path fits several exporters; write a slash in an exporter's id as %%2F")
			default:
				found, in = &a.resources[i], args
			}
		}
	}
	if found == nil {
		return nil, nil, cmp.Or(missing, errNoResource())
	}
	return found, in, nil
}

// matches ranges over the ways in which a path fits the resource.
func (s *resource) matches(path []string) func(yield func(arguments) bool) {
	pattern := strings.Split(strings.TrimPrefix(s.path, "/"), "/")
	return func(yield func(arguments) bool) { match(pattern, path, arguments{}, yield) }
}

// match calls yield for each way in which the rest of a path fits the rest of a pattern. in has the values
// of the names so far. It reports whether to go on.
func match(pattern, path []string, in arguments, yield func(arguments) bool) bool {
	if len(pattern) == 0 {
		return len(path) > 0 || yield(maps.Clone(in))
	}
	if len(path) < len(pattern) {
		return true
	}
	name, isName := strings.CutPrefix(pattern[0], "{")
	if !isName {
		return pattern[0] != path[0] || match(pattern[1:], path[1:], in, yield)
	}
	name = strings.TrimSuffix(name, "}")
	most := 1
	if name == "id" || name == "exporter" {
		most = len(path) - len(pattern) + 1
	}
	for n := 1; n <= most; n++ {
		in[name] = strings.Join(path[:n], "/")
		// The keys of dead letters are never this word.
		if in[name] == "" || name == "key" && in[name] == "replay" {
			continue
		}
		if !match(pattern[1:], path[n:], in, yield) {
			return false
		}
	}
	return true
}
