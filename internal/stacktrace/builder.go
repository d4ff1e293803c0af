// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import (
	"slices"
	"strings"
)

// Limits of a stack; see the package documentation.
const (
	maxFrames     = 1000 // of an exception or a thread
	maxExceptions = 50
	maxThreads    = 100
	// maxAssembled is the size in bytes from which on no more parts are added to a message that is
	// printed in parts.
	maxAssembled = 4096
	// maxBranches is how deep errors with several causes may be nested in a tree. Deeper ones are
	// attached to the last depth.
	maxBranches = 32
	// initialFrames is the initial capacity for frames.
	initialFrames = 64
	// maxPooledFrames is the largest capacity, in frames, that a parser keeps for the next stack.
	maxPooledFrames = 8192
)

// noParent is the Parent of the exception that was thrown.
const noParent = -1

// unknownFunction is Sentry's name for an unknown function, and for an anonymous one of JavaScript.
// Sentry requires a function or a file.
const unknownFunction = "?"

// none is the index of an exception or thread that does not exist or exceeds the limits.
const none = -1

// builder collects what a reader finds. The frames of all exceptions and threads are in one slice,
// in the order of the text.
type builder struct {
	typ, message, text string // as given to Parse
	root               string
	modules            scriptModules

	exceptions []Exception
	threads    []Thread
	frames     []Frame
	// exceptionFrames and threadFrames are the frames of each exception and thread.
	exceptionFrames, threadFrames []extent

	// oldestFirst is true if the text begins with the oldest call, as in Python.
	oldestFirst bool
	// incomplete is true if a part of the text was not understood or did not fit.
	incomplete bool
	// ended is true below the header of a second stack, to which all further frames belong.
	ended bool

	// These receive what exceeds the limits.
	discardedException Exception
	discardedFrame     Frame
	reordered          []Exception
}

// extent is a run of frames that begins at start. seen frames were added; beyond maxFrames, each
// new one replaces the oldest in the second half. A closed extent takes no more frames.
type extent struct {
	start, seen int
	closed      bool
}

func (e extent) end() int { return e.start + min(e.seen, maxFrames) }

func (b *builder) reset() {
	if cap(b.frames) > maxPooledFrames {
		b.frames = nil
	}
	b.exceptions, b.threads, b.frames = b.exceptions[:0], b.threads[:0], b.frames[:0]
	b.exceptionFrames, b.threadFrames = b.exceptionFrames[:0], b.threadFrames[:0]
	b.oldestFirst, b.incomplete, b.ended = false, false, false
}

// begin adds an exception and returns its index.
func (b *builder) begin(parent int, relation string) int {
	if b.ended || len(b.exceptions) == maxExceptions {
		b.incomplete = true
		return none
	}
	b.exceptions = append(b.exceptions, Exception{Parent: parent, Relation: relation})
	b.exceptionFrames = append(b.exceptionFrames, extent{})
	return len(b.exceptions) - 1
}

// beginThread adds a thread and returns its index.
func (b *builder) beginThread(thread Thread) int {
	if b.ended || len(b.threads) == maxThreads {
		b.incomplete = true
		return none
	}
	b.threads = append(b.threads, thread)
	b.threadFrames = append(b.threadFrames, extent{})
	return len(b.threads) - 1
}

// exception returns the exception at an index that begin returned.
func (b *builder) exception(index int) *Exception {
	if index == none {
		return &b.discardedException
	}
	return &b.exceptions[index]
}

// unread records that a line was not understood. It closes the exception, because the frames below
// may belong to another one. If the line is the header of another exception, the whole stack ends.
// A line that begins with "..." only stands for omitted frames and closes nothing.
func (b *builder) unread(index int, line string) {
	b.incomplete = true
	if index == none || index >= len(b.exceptions) || strings.HasPrefix(unindented(line), "...") {
		return
	}
	b.exceptionFrames[index].closed = true
	b.ended = b.ended || isExceptionHeader(line)
}

// unreadInThread is unread for a thread.
func (b *builder) unreadInThread(index int, line string) {
	b.incomplete = true
	if index != none && !strings.HasPrefix(line, "...") {
		b.threadFrames[index].closed = true
	}
}

// framesOf returns the number of frames added to the exception so far.
func (b *builder) framesOf(index int) int {
	if index == none {
		return 0
	}
	return b.exceptionFrames[index].seen
}

// frame adds an empty frame to the exception.
func (b *builder) frame(index int) *Frame { return b.frameIn(b.exceptionFrames, index) }

// lastFrame returns the frame that was last added to the exception.
func (b *builder) lastFrame(index int) *Frame {
	if index == none || b.framesOf(index) == 0 {
		return &b.discardedFrame
	}
	e := b.exceptionFrames[index]
	if e.seen <= maxFrames {
		return &b.frames[e.end()-1]
	}
	return &b.frames[e.start+e.oldestOfTail(e.seen-1)]
}

// threadFrame adds an empty frame to the thread.
func (b *builder) threadFrame(index int) *Frame { return b.frameIn(b.threadFrames, index) }

func (b *builder) discardFrame() *Frame {
	b.incomplete = true
	b.discardedFrame = Frame{}
	return &b.discardedFrame
}

func (b *builder) frameIn(extents []extent, index int) *Frame {
	if index == none {
		return b.discardFrame()
	}
	e := &extents[index]
	if e.closed || b.ended {
		return b.discardFrame()
	}
	if e.seen == 0 {
		e.start = len(b.frames)
	}
	if e.end() != len(b.frames) { // another exception's frames are in between; no runtime prints that
		return b.discardFrame()
	}
	e.seen++
	if e.seen > maxFrames {
		f := &b.frames[e.start+e.oldestOfTail(e.seen-1)]
		*f = Frame{}
		return f
	}
	return b.newFrame()
}

// newFrame appends an empty frame.
func (b *builder) newFrame() *Frame {
	n := len(b.frames)
	if n == cap(b.frames) {
		b.frames = slices.Grow(b.frames, n+initialFrames)
	}
	b.frames = b.frames[:n+1]
	b.frames[n] = Frame{} // the memory is reused
	return &b.frames[n]
}

// oldestOfTail returns the offset within the extent of the next frame to replace.
func (extent) oldestOfTail(seen int) int {
	const half = maxFrames / 2
	return half + seen%half
}

// dropFrom removes the exception and all that were added after it.
func (b *builder) dropFrom(index int) {
	for i := len(b.exceptions) - 1; i >= index; i-- {
		if e := b.exceptionFrames[i]; e.seen > 0 && e.end() == len(b.frames) {
			b.frames = b.frames[:e.start]
		}
	}
	b.exceptions, b.exceptionFrames = b.exceptions[:index], b.exceptionFrames[:index]
}

// dropFrames removes the frames of an exception, which must be the latest ones.
func (b *builder) dropFrames(index int) {
	e := &b.exceptionFrames[index]
	b.frames = b.frames[:e.start]
	*e = extent{}
}

// moveToEnd moves the frames of an exception after all others, so that frames can be added to them.
func (b *builder) moveToEnd(index int) {
	e := &b.exceptionFrames[index]
	b.settle(e)
	if e.seen == 0 || e.end() == len(b.frames) {
		return
	}
	b.frames = append(b.frames, b.frames[e.start:e.end()]...)
	e.start = len(b.frames) - e.seen
}

// dropTop removes the frames above the one that threw: those up to and including the first that
// isLast matches, and then those that isMore matches. It never removes all frames.
func (b *builder) dropTop(index int, isLast, isMore func(*Frame) bool) {
	if index == none || b.framesOf(index) > maxFrames {
		return
	}
	e := &b.exceptionFrames[index]
	frames := b.frames[e.start:e.end()]
	top := 0
	for i := range frames {
		if isLast(&frames[i]) {
			top = i + 1
			break
		}
	}
	for top < len(frames) && isMore(&frames[top]) {
		top++
	}
	if top < len(frames) {
		e.start, e.seen = e.start+top, e.seen-top
	}
}

// settle restores the order of the frames of an extent that exceeded maxFrames.
func (b *builder) settle(e *extent) {
	if e.seen <= maxFrames {
		return
	}
	tail := b.frames[e.start+maxFrames/2 : e.end()]
	first := e.oldestOfTail(e.seen) - maxFrames/2
	slices.Reverse(tail[:first])
	slices.Reverse(tail[first:])
	slices.Reverse(tail)
	e.seen = maxFrames
}

// shareFrames copies the last n frames of another exception, which runtimes print only once.
func (b *builder) shareFrames(index, from, n int) {
	if index == none || from == none {
		b.incomplete = true
		return
	}
	b.settle(&b.exceptionFrames[from])
	e := b.exceptionFrames[from]
	n = min(n, e.end()-e.start)
	for i := e.end() - n; i < e.end(); i++ {
		f := b.frame(index) // may move b.frames
		*f = b.frames[i]
	}
}

// insertFrames inserts n frames of the exception from, starting at its frame first, before the frame
// at. All frames of both must have been read. It returns false if from has too few frames, or index
// has no room for them.
func (b *builder) insertFrames(index, at, from, first, n int) bool {
	to, source := &b.exceptionFrames[index], b.exceptionFrames[from]
	if to.seen+n > maxFrames || first+n > source.end()-source.start {
		return false
	}
	shared := slices.Clone(b.frames[source.start+first : source.start+first+n])
	start := to.start
	b.frames = slices.Insert(b.frames, start+at, shared...)
	to.seen += n
	for i := range b.exceptionFrames {
		if e := &b.exceptionFrames[i]; i != index && e.start >= start+at {
			e.start += n
		}
	}
	return true
}

// order puts the exception that was thrown first, and every other one after its parent.
func (b *builder) order() {
	inOrder := true
	for i := range b.exceptions {
		inOrder = inOrder && b.exceptions[i].Parent < i && (i == 0) == (b.exceptions[i].Parent == noParent)
	}
	if inOrder {
		return
	}
	var order, newIndexes [maxExceptions]int
	thrown := slices.IndexFunc(b.exceptions, func(e Exception) bool { return e.Parent == noParent })
	n := b.appendTree(thrown, &order, 0)
	if n < len(b.exceptions) { // a second root; no runtime prints that
		b.incomplete = true
	}
	b.permute(order[:n], &newIndexes)
}

// appendTree appends the exception and then, recursively, those that belong to it.
func (b *builder) appendTree(i int, order *[maxExceptions]int, n int) int {
	order[n] = i
	n++
	for child := range b.exceptions {
		if b.exceptions[child].Parent == i {
			n = b.appendTree(child, order, n)
		}
	}
	return n
}

func (b *builder) permute(order []int, newIndexes *[maxExceptions]int) {
	b.reordered = b.reordered[:0]
	var extents [maxExceptions]extent
	for to, from := range order {
		newIndexes[from] = to
		extents[to] = b.exceptionFrames[from]
		b.reordered = append(b.reordered, b.exceptions[from])
	}
	for i := range b.reordered {
		if parent := b.reordered[i].Parent; parent != noParent {
			b.reordered[i].Parent = newIndexes[parent]
		}
	}
	b.exceptions, b.reordered = b.reordered, b.exceptions
	b.exceptionFrames = append(b.exceptionFrames[:0], extents[:len(order)]...)
}

// finish assigns the frames to their exceptions and threads, oldest first, and sets InApp.
func (b *builder) finish(rules *Rules, language Language) {
	for i := range b.frames {
		f := &b.frames[i]
		if f.Filename == "" { // the path is only the folder of the libraries
			f.Filename, f.AbsPath = f.AbsPath, ""
		}
		f.InApp = rules.inApp(language, f)
		if f.Function == "" && (f.Filename == "" || language == JavaScript) {
			f.Function = unknownFunction
		}
	}
	for i := range b.exceptions {
		b.exceptions[i].Frames = b.ordered(&b.exceptionFrames[i])
	}
	for i := range b.threads {
		b.threads[i].Frames = b.ordered(&b.threadFrames[i])
	}
}

func (b *builder) ordered(e *extent) []Frame {
	b.settle(e)
	frames := b.frames[e.start:e.end():e.end()]
	if !b.oldestFirst {
		slices.Reverse(frames)
	}
	return frames
}
