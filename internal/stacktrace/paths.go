// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import (
	"cmp"
	"strings"
)

// setPath sets the whole path, for languages whose frames have no module. Windows paths get
// slashes.
func (f *Frame) setPath(path string) {
	f.Filename = path
	if !strings.HasPrefix(path, "/") && strings.Contains(path, `\`) {
		f.Filename, f.AbsPath = withSlashes(path), path
	}
}

// withSlashes returns a Windows path with slashes.
func withSlashes(path string) string { return strings.ReplaceAll(path, `\`, "/") }

// awsLambda is the folder of the runtime that calls a function on AWS Lambda.
const awsLambda = "/var/runtime/"

// path returns the path as printed.
func (f *Frame) path() string { return cmp.Or(f.AbsPath, f.Filename) }

// setShortPath sets the path as printed and its base name.
func (f *Frame) setShortPath(path string) {
	f.Filename = shortPath(path)
	if f.Filename == "" {
		f.Filename = path
	}
	if f.Filename != path {
		f.AbsPath = path
	}
}

// shortPath returns the base name of a Unix or Windows path. It includes the folder for mod.rs,
// since every Rust module may have one.
func shortPath(path string) string {
	base := lastSeparator(path) + 1
	if base > 0 && path[base:] == "mod.rs" {
		base = lastSeparator(path[:base-1]) + 1
	}
	return path[base:]
}

func lastSeparator(path string) int {
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '/' || path[i] == '\\' {
			return i
		}
	}
	return -1
}

// after returns what follows the last folder of that name in a Unix or Windows path.
func after(path, folder string) (string, bool) {
	for end := len(path); ; {
		i := strings.LastIndex(path[:end], folder)
		if i < 0 {
			return "", false
		}
		rest := path[i+len(folder):]
		if isSeparator(rest, 0) && (i == 0 || isSeparator(path, i-1)) {
			return rest[1:], true
		}
		end = i
	}
}

func isSeparator(path string, i int) bool {
	return i < len(path) && (path[i] == '/' || path[i] == '\\')
}

// firstElement returns the first folder of a relative path, or the file if there is none.
func firstElement(path string) string {
	if i := strings.IndexAny(path, `/\`); i >= 0 {
		return path[:i]
	}
	return path
}

// relativeTo makes Filename begin with the last folder of that name.
func (f *Frame) relativeTo(folder string) {
	path := f.AbsPath
	if rest, ok := after(path, folder); ok {
		f.Filename = path[len(path)-len(rest)-len(folder)-1:]
		if f.Filename == path {
			f.AbsPath = ""
		}
	}
}

// withoutFileScheme returns the path of a URL such as file:///app/cart.mjs or
// file:///C:/app/cart.mjs.
func withoutFileScheme(path string) string {
	path = strings.TrimPrefix(path, "file://")
	if len(path) > len("/C:") && path[0] == '/' && path[2] == ':' {
		return path[1:]
	}
	return path
}
