// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import "slices"

// Bounds of a stack; doc.go says what becomes of the rest.
const (
	maxFrames     = 1000 // of an exception or a thread
	maxExceptions = 50
	maxThreads    = 100
	// firstFrames is how many frames there is room for at first.
	firstFrames = 64
	// maxKept is how many frames' memory a parser keeps for the next stack.
	maxKept = 8192
)

// noParent is the parent of the exception that was thrown.
const noParent = -1

// unknownFunction is how Sentry calls a function without a name. A frame of Sentry's needs a function or a file.
const unknownFunction = "?"

// lost is the place of an exception or a thread beyond the bounds.
const lost = -1

// builder collects what a reader finds. The frames of all exceptions and threads lie in one slice, in the order of the text.
type builder struct {
	typ, message, text string // as given to Parse

	exceptions []Exception
	threads    []Thread
	frames     []Frame
	// ofException and ofThread say which frames are whose.
	ofException, ofThread []extent

	// oldestFirst tells that the text begins with the oldest call, as in Python.
	oldestFirst bool
	// unread tells that the text has a line that is in no exception and no frame.
	unread bool

	// What is beyond the bounds is written here.
	lostException Exception
	lostFrame     Frame
	placed        []Exception
}

// extent is a run of frames: it begins at start, and seen frames went into it. Beyond maxFrames, each new one takes the place
// of the oldest in the second half.
type extent struct{ start, seen int }

func (e extent) end() int { return e.start + min(e.seen, maxFrames) }

func (b *builder) reset() {
	if cap(b.frames) > maxKept {
		b.frames = nil
	}
	b.exceptions, b.threads, b.frames = b.exceptions[:0], b.threads[:0], b.frames[:0]
	b.ofException, b.ofThread = b.ofException[:0], b.ofThread[:0]
	b.oldestFirst, b.unread = false, false
}

// begin adds an exception, and returns its place.
func (b *builder) begin(parent int, relation string) int {
	if len(b.exceptions) == maxExceptions {
		b.unread = true
		return lost
	}
	b.exceptions = append(b.exceptions, Exception{Parent: parent, Relation: relation})
	b.ofException = append(b.ofException, extent{})
	return len(b.exceptions) - 1
}

// beginThread adds a thread, and returns its place.
func (b *builder) beginThread(thread Thread) int {
	if len(b.threads) == maxThreads {
		b.unread = true
		return lost
	}
	b.threads = append(b.threads, thread)
	b.ofThread = append(b.ofThread, extent{})
	return len(b.threads) - 1
}

// exception is the one at a place that begin returned.
func (b *builder) exception(place int) *Exception {
	if place == lost {
		return &b.lostException
	}
	return &b.exceptions[place]
}

// framesOf is how many frames the exception has so far.
func (b *builder) framesOf(place int) int {
	if place == lost {
		return 0
	}
	return b.ofException[place].seen
}

// frame adds an empty frame to the exception.
func (b *builder) frame(place int) *Frame { return b.frameIn(b.ofException, place) }

// lastFrame is the frame that was added last, to the exception.
func (b *builder) lastFrame(place int) *Frame {
	if place == lost || b.framesOf(place) == 0 {
		return &b.lostFrame
	}
	e := b.ofException[place]
	if e.seen <= maxFrames {
		return &b.frames[e.end()-1]
	}
	return &b.frames[e.start+e.oldestOfTail(e.seen-1)]
}

// threadFrame adds an empty frame to the thread.
func (b *builder) threadFrame(place int) *Frame { return b.frameIn(b.ofThread, place) }

func (b *builder) frameBeyond() *Frame {
	b.unread = true
	b.lostFrame = Frame{}
	return &b.lostFrame
}

func (b *builder) frameIn(extents []extent, place int) *Frame {
	if place == lost {
		return b.frameBeyond()
	}
	e := &extents[place]
	if e.seen == 0 {
		e.start = len(b.frames)
	}
	if e.end() != len(b.frames) { // another exception's frames came in between, which no runtime prints
		return b.frameBeyond()
	}
	e.seen++
	if e.seen > maxFrames {
		f := &b.frames[e.start+e.oldestOfTail(e.seen-1)]
		*f = Frame{}
		return f
	}
	return b.newFrame()
}

// newFrame is an empty frame behind the others.
func (b *builder) newFrame() *Frame {
	n := len(b.frames)
	if n == cap(b.frames) {
		b.frames = slices.Grow(b.frames, n+firstFrames)
	}
	b.frames = b.frames[:n+1]
	b.frames[n] = Frame{} // the memory is that of the stack before
	return &b.frames[n]
}

// oldestOfTail is where, within an extent that has seen so many frames, the next one goes.
func (extent) oldestOfTail(seen int) int {
	const half = maxFrames / 2
	return half + seen%half
}

// dropFrom takes back the exception and those that were begun after it.
func (b *builder) dropFrom(place int) {
	for i := len(b.exceptions) - 1; i >= place; i-- {
		if e := b.ofException[i]; e.seen > 0 && e.end() == len(b.frames) {
			b.frames = b.frames[:e.start]
		}
	}
	b.exceptions, b.ofException = b.exceptions[:place], b.ofException[:place]
}

// dropTop drops the frames above the one that threw, but never all of them: down to the first for which last is true, and then those
// for which more is.
func (b *builder) dropTop(place int, last, more func(*Frame) bool) {
	if place == lost || b.framesOf(place) > maxFrames {
		return
	}
	e := &b.ofException[place]
	frames := b.frames[e.start:e.end()]
	top := 0
	for i := range frames {
		if last(&frames[i]) {
			top = i + 1
			break
		}
	}
	for top < len(frames) && more(&frames[top]) {
		top++
	}
	if top < len(frames) {
		e.start, e.seen = e.start+top, e.seen-top
	}
}

// settle brings the frames of a trimmed extent into their order.
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

// shareFrames gives the exception the last n frames of another: those that a runtime does not print twice.
func (b *builder) shareFrames(place, from, n int) {
	if place == lost || from == lost {
		b.unread = true
		return
	}
	b.settle(&b.ofException[from])
	e := b.ofException[from]
	n = min(n, e.end()-e.start)
	for i := e.end() - n; i < e.end(); i++ {
		f := b.frame(place) // may move b.frames
		*f = b.frames[i]
	}
}

// insertFrames puts n frames of another exception, from the first on, into the exception. Both are complete. It reports whether
// there were so many, and room for them.
func (b *builder) insertFrames(place, at, from, first, n int) bool {
	to, source := &b.ofException[place], b.ofException[from]
	if to.seen+n > maxFrames || first+n > source.end()-source.start {
		return false
	}
	shared := slices.Clone(b.frames[source.start+first : source.start+first+n])
	start := to.start
	b.frames = slices.Insert(b.frames, start+at, shared...)
	to.seen += n
	for i := range b.ofException {
		if e := &b.ofException[i]; i != place && e.start >= start+at {
			e.start += n
		}
	}
	return true
}

// order puts the exception that was thrown first, and each other one after its parent.
func (b *builder) order() {
	inOrder := true
	for i := range b.exceptions {
		inOrder = inOrder && b.exceptions[i].Parent < i && (i == 0) == (b.exceptions[i].Parent == noParent)
	}
	if inOrder {
		return
	}
	var order, places [maxExceptions]int
	thrown := slices.IndexFunc(b.exceptions, func(e Exception) bool { return e.Parent == noParent })
	n := b.place(thrown, &order, 0)
	if n < len(b.exceptions) { // a second one that was thrown, which no runtime prints
		b.unread = true
	}
	b.permute(order[:n], &places)
}

// place appends the exception and, after it, those that belong to it.
func (b *builder) place(i int, order *[maxExceptions]int, n int) int {
	order[n] = i
	n++
	for child := range b.exceptions {
		if b.exceptions[child].Parent == i {
			n = b.place(child, order, n)
		}
	}
	return n
}

func (b *builder) permute(order []int, places *[maxExceptions]int) {
	b.placed = b.placed[:0]
	var extents [maxExceptions]extent
	for to, from := range order {
		places[from] = to
		extents[to] = b.ofException[from]
		b.placed = append(b.placed, b.exceptions[from])
	}
	for i := range b.placed {
		if parent := b.placed[i].Parent; parent != noParent {
			b.placed[i].Parent = places[parent]
		}
	}
	b.exceptions, b.placed = b.placed, b.exceptions
	b.ofException = append(b.ofException[:0], extents[:len(order)]...)
}

// finish hands the frames to the exceptions and threads they belong to, oldest first, each with its in_app.
func (b *builder) finish(rules *Rules, language Language) {
	for i := range b.frames {
		f := &b.frames[i]
		if f.Filename == "" { // nothing is behind the folder of the libraries
			f.Filename, f.AbsPath = f.AbsPath, ""
		}
		f.InApp = rules.inApp(language, f)
		if f.Function == "" && f.Filename == "" {
			f.Function = unknownFunction
		}
	}
	for i := range b.exceptions {
		b.exceptions[i].Frames = b.ordered(&b.ofException[i])
	}
	for i := range b.threads {
		b.threads[i].Frames = b.ordered(&b.ofThread[i])
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
