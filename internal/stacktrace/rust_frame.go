// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import "strings"

// isRustName reports whether the text may be a function rather than words of a message, which are
// separated by spaces.
func isRustName(name string) bool {
	return strings.IndexByte(name, ' ') < 0 || strings.Contains(name, "::") || strings.ContainsAny(name, "<(")
}

// setRustFunction parses "shop::cart::Cart<T>::add::{{closure}}::h0123456789abcdef". It drops the
// hash and keeps a closure with its function.
func (f *Frame) setRustFunction(name string) {
	if known := strings.TrimSuffix(name, "<unknown>"); known != "" { // color-eyre's placeholder for the hash
		name = known
	}
	name = withoutCrateHashes(name)
	if i := len(name) - len("::h") - 16; i > 0 && strings.HasPrefix(name[i:], "::h") {
		name = name[:i]
	}
	f.Package = rustCrate(name)
	name = withoutTurbofish(name)
	f.Function = name
	end := len(name)
	for strings.HasSuffix(name[:end], "}") {
		i := strings.LastIndex(name[:end], "::{")
		if i <= 0 {
			break
		}
		end = i
	}
	if i := lastRustSeparator(name[:end]); i > 0 {
		f.Module, f.Function = name[:i], name[i+len("::"):]
	}
}

// withoutCrateHashes removes the hash of each crate, which a new build changes:
// "core[c1f1a4ba060b9bfa]::panicking::panic_fmt".
func withoutCrateHashes(name string) string {
	at := crateHash(name)
	if at < 0 {
		return name
	}
	var b strings.Builder
	b.Grow(len(name))
	for at >= 0 {
		b.WriteString(name[:at])
		name = name[at+crateHashLength:]
		at = crateHash(name)
	}
	b.WriteString(name)
	return b.String()
}

// crateHashLength is the length of "[c1f1a4ba060b9bfa]".
const crateHashLength = 18

// crateHash returns the index of the first hash of a crate, or -1.
func crateHash(name string) int {
	for i := 0; i+crateHashLength <= len(name); i++ {
		if name[i] == '[' && name[i+crateHashLength-1] == ']' && strings.Trim(name[i+1:i+crateHashLength-1], "0123456789abcdef") == "" {
			return i
		}
	}
	return -1
}

// withoutTurbofish removes the type arguments at the end: "std::panic::catch_unwind::<F, ()>".
func withoutTurbofish(name string) string {
	if !strings.HasSuffix(name, ">") {
		return name
	}
	depth := 0
	for i := len(name) - 1; i > 2; i-- {
		switch {
		case name[i] == '>' && name[i-1] != '-':
			depth++
		case name[i] == '<':
			depth--
		}
		if depth == 0 && name[i] == '<' && name[i-1] == ':' {
			return strings.TrimSuffix(name[:i], "::")
		}
		if depth == 0 && name[i] == '<' {
			break
		}
	}
	return name
}

// lastRustSeparator returns the index of the last "::" that is neither inside nor before generic
// arguments, or -1.
func lastRustSeparator(name string) int {
	depth := 0
	for i := len(name) - 1; i > 0; i-- {
		switch name[i] {
		case '>':
			if name[i-1] != '-' { // not the arrow of a function type
				depth++
			}
		case '<':
			depth--
		case ':':
			if depth == 0 && name[i-1] == ':' && i+1 < len(name) && name[i+1] != '<' {
				return i - 1
			}
		}
	}
	return -1
}

// rustCrate returns the crate at the beginning of the name: "<alloc::vec::Vec<T,A> as
// core::ops::Index>::index" belongs to alloc. A name without a path has no crate.
func rustCrate(name string) string {
	for {
		start := name
		name = strings.TrimLeft(name, "<&*[( ")
		name = strings.TrimPrefix(name, "dyn ")
		name = strings.TrimPrefix(name, "mut ")
		if len(name) == len(start) {
			break
		}
	}
	end := 0
	for end < len(name) && isIdentifier(name[end]) {
		end++
	}
	switch rest := name[end:]; {
	case strings.HasPrefix(rest, "::"), strings.HasPrefix(rest, "["):
		return name[:end]
	case strings.HasPrefix(rest, " as "):
		return rustCrate(rest[len(" as "):])
	default:
		return ""
	}
}

// setRustPath makes the path relative to the crate.
func (f *Frame) setRustPath(path string) {
	f.setShortPath(path)
	if rest, ok := strings.CutPrefix(path, "./"); ok {
		f.Filename = rest
		return
	}
	if rest, ok := strings.CutPrefix(path, "/rustc/"); ok {
		if _, file, ok := strings.Cut(rest, "/"); ok { // after the commit
			f.Filename = file
		}
		return
	}
	if rest, ok := after(path, "registry"); ok {
		rest = strings.TrimPrefix(strings.TrimPrefix(rest, "src/"), `src\`)
		if registry := firstElement(rest); len(registry) < len(rest) {
			f.Filename = rest[len(registry)+1:]
			return
		}
	}
	f.relativeTo("src")
}

// unwindsRust reports whether the function is the one a panic calls. The frames above it print the
// panic.
func (f *Frame) unwindsRust() bool { return f.Function == "rust_begin_unwind" }

// raisesRustPanic reports whether the function raises a panic or records a backtrace.
func (f *Frame) raisesRustPanic() bool {
	switch f.Package {
	case "std", "core", "backtrace":
		return strings.Contains(f.Module, "panicking") || strings.Contains(f.Module, "backtrace")
	default:
		return false
	}
}

func (f *Frame) isRustLibrary() bool {
	switch f.Package {
	case "":
		return f.Function != "" || isRustLibraryPath(f.path())
	case "std", "core", "alloc", "__rustc", "proc_macro", "test", "backtrace",
		"actix_http", "actix_rt", "actix_web", "anyhow", "axum", "color_eyre", "error_stack", "eyre", "futures", "futures_util", "futures_core", "h2", "hyper",
		"hyper_util", "log", "opentelemetry", "opentelemetry_sdk", "rayon", "rayon_core", "reqwest", "rocket", "sentry", "serde", "serde_json", "snafu",
		"tokio", "tonic", "tower", "tower_http", "tower_service", "tracing", "tracing_core", "tracing_futures", "tracing_opentelemetry",
		"tracing_subscriber", "warp":
		return true
	}
	return isRustLibraryPath(f.AbsPath)
}

func isRustLibraryPath(path string) bool {
	rest, isRegistry := after(path, "registry")
	return strings.HasPrefix(path, "/rustc/") || isRegistry && firstElement(rest) == "src" || strings.Contains(path, "/cargo/git/")
}
