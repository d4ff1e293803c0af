// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import (
	"path"
	"strings"
)

// maxScriptModules is how many names of JavaScript modules a parser remembers.
const maxScriptModules = 4096

// scriptModules caches the names of modules by path. The same paths occur in stack after stack, so
// most frames need no new name.
type scriptModules struct {
	root  string
	names map[string]string
}

// setScriptModule names the module of a frame in a file. Sentry shows it in the Issue's culprit, in
// place of a path that differs between hosts.

func (b *builder) setScriptModule(f *Frame) {
	if f.Native || !isNodePath(f.path()) {
		return
	}
	f.Module = b.modules.name(b.root, f.path())
}

// name returns the name of the module in the file. Its parts are copies: they outlive the text.
func (m *scriptModules) name(root, file string) string {
	if name, ok := m.names[file]; ok && m.root == root {
		return name
	}
	if m.root != root || len(m.names) >= maxScriptModules || m.names == nil {
		m.root, m.names = strings.Clone(root), make(map[string]string)
	}
	name := scriptModule(root, file)
	m.names[strings.Clone(file)] = name
	return name
}

// scriptModule returns the name that Sentry's SDK for Node.js computes
// (packages/node-core/src/utils/module.ts in getsentry/sentry-javascript): "express.lib:router"
// below node_modules, "dist.api:cart" below the root, else the file's name. All are without ".js".
func scriptModule(root, file string) string {
	file, _, _ = strings.Cut(file, "?") // of a module of Vite
	folder, name := path.Split(slashed(file))
	folder = strings.TrimSuffix(folder, "/")
	for _, extension := range [...]string{".js", ".mjs", ".cjs"} {
		if short, ok := strings.CutSuffix(name, extension); ok {
			name = short
			break
		}
	}
	if i := strings.LastIndex(folder, "/node_modules"); i >= 0 {
		return dotted(folder[i+len("/node_modules"):]) + ":" + name
	}
	below, ok := strings.CutPrefix(folder, strings.TrimSuffix(slashed(root), "/"))
	if ok && root != "" && strings.HasPrefix(below, "/") {
		return dotted(below) + ":" + name
	}
	return strings.Clone(name)
}

// slashed returns a Windows path with slashes and without its drive.
func slashed(file string) string {
	if len(file) > 2 && file[1] == ':' {
		file = file[2:]
	}
	return strings.ReplaceAll(file, `\`, "/")
}

// dotted returns the folders of a relative path, separated by dots.
func dotted(folder string) string {
	return strings.ReplaceAll(strings.TrimPrefix(folder, "/"), "/", ".")
}
