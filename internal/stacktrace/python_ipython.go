// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import "strings"

// isIPythonTitle reports whether the line is the title that IPython and Jupyter print above frames: the
// name of the class and, at the right, "Traceback (most recent call last)" without a colon.
func isIPythonTitle(line string) bool {
	typ, ok := strings.CutSuffix(line, "  Traceback (most recent call last)")
	return ok && typ != "" && strings.IndexByte(strings.TrimRight(typ, " "), ' ') < 0 && typ[0] != '+'
}

// isIPythonRule reports whether the line is the rule above a title.
func isIPythonRule(line string) bool {
	return len(line) >= 40 && strings.Trim(line, "-") == ""
}

// ipythonLine reads a frame or a source line of IPython.
func (r *pythonReader) ipythonLine(l *pythonLevel, line string) bool {
	switch {
	case isBlank(line):
		return true
	case line[0] == ' ', line[0] == '-', line[0] >= '0' && line[0] <= '9':
		r.ipythonSource(l, line)
		return true
	default:
		return r.ipythonFrame(l, line)
	}
}

// ipythonFrame reads "File ~/shop/cart.py:12, in add(sku)", "Cell In[3], line 1", and the frames of
// IPython 7, whose line is only in the source: "/srv/shop/cart.py in add(sku)".
func (r *pythonReader) ipythonFrame(l *pythonLevel, line string) bool {
	location, function, named := strings.Cut(line, " in ")
	location = strings.TrimSuffix(location, ",")
	file, isFile := strings.CutPrefix(location, "File ")
	path, n, numbered := cutNumber(file)
	switch {
	case isFile && numbered:
	case strings.HasPrefix(line, "Cell In"), strings.HasPrefix(line, "Input In"):
		var at string
		path, at, _ = strings.Cut(location, ", line ")
		n, _, _ = number(at)
	case named && !strings.ContainsAny(location, " :") || strings.HasPrefix(line, "<ipython-input-"):
		path = location
	default:
		return false
	}
	f := r.frame(l.current)
	f.Function, _, _ = strings.Cut(function, "(")
	f.Line = n
	f.setPythonPath(path)
	return true
}

// ipythonSource reads "---> 12     raise ValueError(sku)". It ignores the surrounding lines, which have
// no arrow.
func (r *pythonReader) ipythonSource(l *pythonLevel, line string) {
	arrow := strings.TrimLeft(line, "-")
	source, ok := strings.CutPrefix(arrow, "> ")
	n, source, numbered := number(source)
	if !ok || !numbered || len(arrow) == len(line) {
		return
	}
	f := r.lastFrame(l.current)
	f.ContextLine = unindented(source)
	if f.Line == 0 {
		f.Line = n
	}
}
