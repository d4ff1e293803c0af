// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import "strings"

// Parser parses stacks. It reuses its memory: a result is valid until the next call of Parse. One
// Parser serves one goroutine. The zero value is ready for use.
type Parser struct {
	// Rules decide which frames belong to the application.
	Rules Rules
	// Root is the folder of the application's main script, or empty. The modules of JavaScript
	// frames are relative to it.
	Root string

	builder builder
	stack   Stack
}

// Parse parses the text of an exception as the given language or, if that finds no frames, as the
// language the text looks like. typ and message are those of the exception that was thrown; they
// also show where a message of several lines ends. Parse never fails; see [Stack].Unparsed.
func (p *Parser) Parse(language Language, typ, message, text string) *Stack {
	b := &p.builder
	text = withoutColors(text)
	b.typ, b.message, b.text, b.root = withoutColors(typ), withoutColors(message), text, p.Root
	language = b.readAny(language)
	b.complete(language)
	b.finish(&p.Rules, language)
	p.stack = Stack{Language: language, Exceptions: b.exceptions, Threads: b.threads}
	if b.incomplete {
		p.stack.Unparsed = text
	}
	return &p.stack
}

// readAny reads the text as the language or, if that finds no frames, as the detected one.
func (b *builder) readAny(language Language) Language {
	if b.read(language) {
		return language
	}
	isChain := len(b.exceptions) > 1 && (language == Rust || language == Go) // their errors are printed without a type
	understood := !b.incomplete && len(b.exceptions) > 0 && (isChain || b.exceptions[0].Type != "")
	if sniffed := sniff(b.text); sniffed != language && b.read(sniffed) {
		return sniffed
	}
	// An exception without frames: use the header if the reader understood it, else typ and
	// message.
	b.reset()
	if understood {
		b.read(language)
	} else {
		b.incomplete = strings.TrimSpace(b.text) != "" && !isHeader(b.text, b.typ, b.message)
	}
	return language
}

// read reads the text as the language and reports whether it found a frame.
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
	case Dart:
		readDart(b)
	case Swift:
		readSwift(b)
	default:
		return false
	}
	return len(b.frames) > 0
}

// complete merges typ and message into the exception that was thrown. They come from the exception
// itself, so they take precedence over the printed text.
func (b *builder) complete(language Language) {
	if b.typ == "" && b.message == "" && b.text == "" {
		return
	}
	if len(b.exceptions) == 0 {
		b.begin(noParent, "")
	}
	b.order()
	thrown := &b.exceptions[0]
	if typ := givenType(language, b.typ); typ != "" && (thrown.Type == "" || replacesType(language, typ, thrown.Type)) {
		thrown.Type = typ
	}
	b.completeMessage(language, thrown)
	for i := range b.exceptions {
		b.exceptions[i].Module = moduleOf(language, b.exceptions[i].Type)
	}
}

// completeMessage sets the given message. What Python and Ruby print below it, such as notes, is
// kept.
func (b *builder) completeMessage(language Language, thrown *Exception) {
	more, begins := strings.CutPrefix(thrown.Message, b.message)
	if b.message == "" || begins && (more == "" || more[0] == '\n' && (language == Python || language == Ruby)) {
		return
	}
	if !strings.Contains(b.message, thrown.Message) {
		b.incomplete = true
	}
	thrown.Message = b.message
}

// isHeader reports whether the text consists only of the type and the message.
func isHeader(text, typ, message string) bool {
	text = strings.TrimSpace(text)
	rest, _ := strings.CutPrefix(text, typ)
	rest = strings.TrimPrefix(rest, ":")
	return strings.TrimSpace(rest) == strings.TrimSpace(message) || text == strings.TrimSpace(message)
}
