// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import "strings"

// Parser reads stacks. It reuses its memory: a result is valid until the next Parse. It serves one goroutine at a time. The zero
// value is ready.
type Parser struct {
	// Rules decide which frames are the application's.
	Rules Rules

	builder builder
	stack   Stack
}

// Parse reads the text of an exception. The type and the message are those that came beside the text: they are those of the
// exception that was thrown, and tell where a message of several lines ends. The language is tried first; when no frame is found
// that way, what the text looks like is tried. Parse never fails: see Stack.Unparsed.
func (p *Parser) Parse(language Language, typ, message, text string) *Stack {
	b := &p.builder
	b.typ, b.message, b.text = typ, message, text
	language = b.readAny(language)
	b.complete(language)
	b.finish(&p.Rules, language)
	p.stack = Stack{Language: language, Exceptions: b.exceptions, Threads: b.threads}
	if b.unread {
		p.stack.Unparsed = text
	}
	return &p.stack
}

// readAny reads the text as the language or, if that finds no frame, as what it looks like.
func (b *builder) readAny(language Language) Language {
	if b.read(language) {
		return language
	}
	understood := !b.unread && len(b.exceptions) > 0 && b.exceptions[0].Type != ""
	if sniffed := sniff(b.text); sniffed != language && b.read(sniffed) {
		return sniffed
	}
	// An exception without frames: its header, if that is all that the language's reader found, else the type and the message
	// that came beside the text.
	b.reset()
	if understood {
		b.read(language)
	} else {
		b.unread = strings.TrimSpace(b.text) != "" && !isHeader(b.text, b.typ, b.message)
	}
	return language
}

// read reads the text as the language, and reports whether it found a frame.
func (b *builder) read(language Language) bool {
	b.reset()
	switch language {
	case Java:
		readJava(b)
	case Python:
		readPython(b)
	case JavaScript:
		readJavaScript(b)
	case Go:
		readGo(b)
	case DotNet:
		readDotNet(b)
	case PHP:
		readPHP(b)
	case Ruby:
		readRuby(b)
	case Rust:
		readRust(b)
	case Elixir:
		readElixir(b)
	default:
		return false
	}
	return len(b.frames) > 0
}

// complete says of the exception that was thrown what came beside the text: the one who recorded it had the exception itself, where
// the text is what was printed of it.
func (b *builder) complete(language Language) {
	if b.typ == "" && b.message == "" && b.text == "" {
		return
	}
	if len(b.exceptions) == 0 {
		b.begin(noParent, "")
	}
	b.order()
	thrown := &b.exceptions[0]
	if typ := typeBeside(language, b.typ); typ != "" && (thrown.Type == "" || tellsMore(language, typ, thrown.Type)) {
		thrown.Type = typ
	}
	b.completeMessage(language, thrown)
	for i := range b.exceptions {
		b.exceptions[i].Module = moduleOf(language, b.exceptions[i].Type)
	}
}

// completeMessage takes the message that came beside the text. What Python and Ruby print below it, such as notes, is the
// exception's too.
func (b *builder) completeMessage(language Language, thrown *Exception) {
	more, begins := strings.CutPrefix(thrown.Message, b.message)
	if b.message == "" || begins && (more == "" || more[0] == '\n' && (language == Python || language == Ruby)) {
		return
	}
	if !strings.Contains(b.message, thrown.Message) {
		b.unread = true
	}
	thrown.Message = b.message
}

// isHeader reports whether the text says no more than the type and the message.
func isHeader(text, typ, message string) bool {
	text = strings.TrimSpace(text)
	rest, _ := strings.CutPrefix(text, typ)
	rest = strings.TrimPrefix(rest, ":")
	return strings.TrimSpace(rest) == strings.TrimSpace(message) || text == strings.TrimSpace(message)
}
