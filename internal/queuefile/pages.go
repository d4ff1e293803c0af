// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package queuefile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math"
	"math/bits"
	"os"
)

// The format of bbolt's files. A page begins with its id (8 bytes), kind (2), number of elements (2)
// and number of pages that it continues on (4). Numbers have the machine's byte order.
const (
	magic        = 0xED0CDAED
	version      = 2
	pageHead     = 16
	elementSize  = 16
	bucketHead   = 16
	metaSize     = 64 // with the checksum
	metaChecksum = 56
	minPageSize  = 1 << 10
	maxPageSize  = 1 << 24
	maxKeySize   = 1 << 15
	noFreelist   = math.MaxUint64
	// A page with more elements stores their number in the first one.
	freelistFull = 0xFFFF

	branchPage   = 0x01
	leafPage     = 0x02
	freelistPage = 0x10
	bucketFlag   = 0x01

	// maxDepth limits pages within pages, each of which has a buffer. Real files have fewer than ten.
	maxDepth = 40
	// bufferSize is how much of a page is read at once.
	bufferSize = 64 << 10
)

var order = binary.NativeEndian //nolint:gochecknoglobals // a constant

// value is a stored value that has not been read.
type value struct {
	file io.ReaderAt
	at   int64
	size int
}

func (v value) read() ([]byte, error) {
	data := make([]byte, v.size)
	err := readAt(v.file, data, v.at)
	return data, err
}

// visitor is called with each key of the bucket that file_storage uses, in order. The key is valid
// during the call.
type visitor func(key []byte, v value) error

// defaultBucket is the bucket that file_storage uses.
const defaultBucket = "default"

// walk visits the content of a database of the given size in the way that bbolt would find it. It
// returns an error for everything that bbolt does not write, so bbolt can open what walk accepts.
func walk(file io.ReaderAt, size int64, visit visitor) error {
	if size == 0 {
		return nil // bbolt makes a new database of it
	}
	m, err := readMeta(file, size)
	if err != nil {
		return err
	}
	t := &tree{file: file, pageSize: m.pageSize, pages: m.pages, seen: make([]uint64, (m.pages+63)/64), visit: visit}
	if _, err := t.page(m.root, bounds{}, 0, true); err != nil {
		return err
	}
	if m.freelist == noFreelist {
		return nil
	}
	return t.freelist(m.freelist)
}

// meta holds the fields of a meta page that are used here.
type meta struct {
	pageSize int64
	root     uint64
	freelist uint64
	pages    uint64 // bbolt's high-water mark
	txid     uint64
}

// readMeta returns the meta that bbolt would use: that of the last transaction that is intact.
func readMeta(file io.ReaderAt, size int64) (*meta, error) {
	if size < 2*minPageSize {
		return nil, fmt.Errorf("it has only %d bytes", size)
	}
	first, problem := parseMeta(file, 0, size)
	second, err := secondMeta(file, first, size)
	if err != nil {
		return nil, err
	}
	m := first
	switch {
	case first == nil && second == nil:
		return nil, fmt.Errorf("both of its meta pages are invalid: %w", problem)
	case first == nil:
		m = second
	case second != nil && second.txid > first.txid:
		m = second
	}
	switch {
	case (m == second) != (m.txid%2 == 1):
		return nil, fmt.Errorf("the meta page of transaction %d is not in its place", m.txid)
	case m.pages < 2 || m.pages > uint64(size/m.pageSize): //nolint:gosec // a size is not negative
		return nil, fmt.Errorf("it has %d bytes, but should have %d pages of %d bytes; it was probably cut short", size, m.pages, m.pageSize)
	case m.freelist != noFreelist && (m.freelist < 2 || m.freelist >= m.pages):
		return nil, fmt.Errorf("its list of free pages would be page %d of %d", m.freelist, m.pages)
	}
	return m, nil
}

// secondMeta returns the second meta page, or nil if it is invalid. If the first one is, the place of
// the second one gives the size of pages.
func secondMeta(file io.ReaderAt, first *meta, size int64) (*meta, error) {
	if first != nil {
		if first.pageSize < minPageSize || first.pageSize > maxPageSize || bits.OnesCount64(uint64(first.pageSize)) != 1 {
			return nil, fmt.Errorf("its pages would have %d bytes", first.pageSize)
		}
		second, _ := parseMeta(file, first.pageSize, size)
		if second != nil && second.pageSize != first.pageSize {
			return nil, fmt.Errorf("its pages would have %d or %d bytes", first.pageSize, second.pageSize)
		}
		return second, nil
	}
	for at := int64(minPageSize); at <= maxPageSize; at *= 2 {
		second, _ := parseMeta(file, at, size)
		switch {
		case second == nil:
		case second.pageSize != at:
			return nil, fmt.Errorf("its pages would have %d bytes", second.pageSize)
		default:
			return second, nil
		}
	}
	return nil, nil //nolint:nilnil // there is none
}

func parseMeta(file io.ReaderAt, at, size int64) (*meta, error) {
	if at+pageHead+metaSize > size {
		return nil, io.ErrUnexpectedEOF
	}
	var page [pageHead + metaSize]byte
	if err := readAt(file, page[:], at); err != nil {
		return nil, err
	}
	data := page[pageHead:]
	sum := fnv.New64a()
	_, _ = sum.Write(data[:metaChecksum])
	m := &meta{
		pageSize: int64(order.Uint32(data[8:])), root: order.Uint64(data[16:]),
		freelist: order.Uint64(data[32:]), pages: order.Uint64(data[40:]), txid: order.Uint64(data[48:]),
	}
	switch {
	case order.Uint32(data) != magic:
		return nil, errors.New("they do not say that it is a database")
	case order.Uint32(data[4:]) != version:
		return nil, fmt.Errorf("the version is %d", order.Uint32(data[4:]))
	case order.Uint64(data[metaChecksum:]) != sum.Sum64():
		return nil, errors.New("the checksum is wrong")
	}
	return m, nil
}

// readAt reads all of data. A file that ends before is damaged, like one that cannot be read.
func readAt(file io.ReaderAt, data []byte, at int64) error {
	if n, err := file.ReadAt(data, at); n < len(data) {
		if pathError, ok := errors.AsType[*os.PathError](err); ok {
			err = pathError.Err // the caller names the file
		}
		return fmt.Errorf("reading %d bytes at %d: %w", len(data), at, err)
	}
	return nil
}

// tree is a walk through the pages of a database.
type tree struct {
	file     io.ReaderAt
	pageSize int64
	pages    uint64
	seen     []uint64 // a bit for each page
	visit    visitor
	buffers  [maxDepth][]byte
}

// bounds limit the keys of a page. The first is low, as the page above says, and all are below high if
// there is a high. The first page of a bucket has neither.
type bounds struct{ low, high []byte }

// mark notes that pages are in use. A page has one use.
func (t *tree) mark(id, count uint64) error {
	if id < 2 || id >= t.pages || count > t.pages-id {
		return fmt.Errorf("page %d: it has %d pages, but the file has %d", id, count, t.pages)
	}
	for i := id; i < id+count; i++ {
		if t.seen[i/64]&(1<<(i%64)) != 0 {
			return fmt.Errorf("page %d: it is used twice", i)
		}
		t.seen[i/64] |= 1 << (i % 64)
	}
	return nil
}

// open reads the head of a page, and marks the page.
func (t *tree) open(id uint64, depth int) (*view, error) {
	if depth >= maxDepth {
		return nil, fmt.Errorf("page %d: it is %d pages deep", id, depth)
	}
	if id < 2 || id >= t.pages {
		return nil, fmt.Errorf("page %d: the file has %d pages", id, t.pages)
	}
	v := &view{tree: t, name: id, at: int64(id) * t.pageSize, depth: depth} //nolint:gosec // within the file
	if err := v.load(t.pageSize); err != nil {
		return nil, err
	}
	if v.id != id {
		return nil, fmt.Errorf("page %d: its id is %d", id, v.id)
	}
	if err := t.mark(id, 1+uint64(v.overflow)); err != nil {
		return nil, err
	}
	if v.overflow > 0 {
		err := v.load((1 + int64(v.overflow)) * t.pageSize)
		return v, err
	}
	return v, nil
}

// page walks the tree below a page, and returns its last key. root says that the page belongs to the
// outermost bucket, which contains the others.
func (t *tree) page(id uint64, limits bounds, depth int, root bool) (last []byte, err error) {
	v, err := t.open(id, depth)
	if err != nil {
		return nil, err
	}
	switch v.kind {
	case leafPage:
		return t.leaf(v, limits, root, root)
	case branchPage:
		return t.branch(v, limits, root)
	default:
		return nil, fmt.Errorf("page %d: its kind is %#x", id, v.kind)
	}
}

func (t *tree) branch(v *view, limits bounds, root bool) (last []byte, err error) {
	if v.count == 0 {
		return nil, fmt.Errorf("page %d: it is empty", v.name)
	}
	next := int64(pageHead + v.count*elementSize)
	key, child, err := v.branchElement(0, &next)
	if err != nil {
		return nil, err
	}
	for i := range v.count {
		if err := v.checkKey(i, key, last, limits); err != nil {
			return nil, err
		}
		nextKey, nextChild := limits.high, uint64(0)
		if i+1 < v.count {
			if nextKey, nextChild, err = v.branchElement(i+1, &next); err != nil {
				return nil, err
			}
		}
		if last, err = t.page(child, bounds{low: key, high: nextKey}, v.depth+1, root); err != nil {
			return nil, err
		}
		key, child = nextKey, nextChild
	}
	return last, nil
}

// leaf walks a page of keys and values. nested says that values may be buckets.
func (t *tree) leaf(v *view, limits bounds, root, nested bool) (last []byte, err error) {
	if v.count == 0 && limits.low != nil {
		return nil, fmt.Errorf("page %d: it is empty", v.name)
	}
	var own []byte
	next := int64(pageHead + v.count*elementSize)
	for i := range v.count {
		e, err := v.leafElement(i, &next)
		if err != nil {
			return nil, err
		}
		if err := v.checkKey(i, e.key, last, limits); err != nil {
			return nil, err
		}
		own = append(own[:0], e.key...)
		last = own
		switch {
		case e.bucket && !nested:
			return nil, fmt.Errorf("page %d: element %d is a bucket", v.name, i)
		case e.bucket:
			if err := t.bucket(v, e); err != nil {
				return nil, err
			}
		case root:
			if string(e.key) == defaultBucket {
				return nil, fmt.Errorf("page %d: element %d is no bucket", v.name, i)
			}
		case t.visit != nil:
			if err := t.visit(e.key, e.value); err != nil {
				return nil, err
			}
		}
	}
	return last, nil
}

// bucket walks a bucket. A small one is within its element.
func (t *tree) bucket(v *view, e element) error {
	if e.value.size < bucketHead {
		return fmt.Errorf("page %d: a bucket has only %d bytes", v.name, e.value.size)
	}
	var head [bucketHead]byte
	if err := readAt(t.file, head[:], e.value.at); err != nil {
		return err
	}
	visit := t.visit
	if string(e.key) != defaultBucket {
		t.visit = nil
		defer func() { t.visit = visit }()
	}
	if id := order.Uint64(head[:]); id != 0 {
		_, err := t.page(id, bounds{}, v.depth+1, false)
		return err
	}
	if e.value.size < bucketHead+pageHead {
		return fmt.Errorf("page %d: a bucket has only %d bytes", v.name, e.value.size)
	}
	inline := &view{tree: t, name: v.name, at: e.value.at + bucketHead, depth: v.depth + 1}
	if err := inline.load(int64(e.value.size - bucketHead)); err != nil {
		return err
	}
	if inline.kind != leafPage || inline.id != 0 || inline.overflow != 0 {
		return fmt.Errorf("page %d: the kind of a bucket is %#x, its id %d", v.name, inline.kind, inline.id)
	}
	_, err := t.leaf(inline, bounds{}, false, false)
	return err
}

// freelist checks the list of free pages: each is free once, and not in use.
func (t *tree) freelist(id uint64) error {
	v, err := t.open(id, 0)
	if err != nil {
		return err
	}
	if v.kind != freelistPage {
		return fmt.Errorf("page %d: the kind of the list of free pages is %#x", id, v.kind)
	}
	count, at := uint64(v.count), int64(pageHead) //nolint:gosec // not negative
	if count == freelistFull {
		head, err := v.bytes(at, 8)
		if err != nil {
			return err
		}
		count, at = order.Uint64(head), at+8
	}
	if count > t.pages {
		return fmt.Errorf("page %d: it lists %d free pages of %d", id, count, t.pages)
	}
	for ; count > 0; count-- {
		data, err := v.bytes(at, 8)
		if err != nil {
			return err
		}
		if err := t.mark(order.Uint64(data), 1); err != nil {
			return fmt.Errorf("page %d: the list of free pages: %w", id, err)
		}
		at += 8
	}
	return nil
}

// view is a page, or a bucket that is within an element.
type view struct {
	*tree

	name  uint64 // the page's id, for messages
	at    int64
	size  int64
	depth int
	data  []byte // the first bytes

	id       uint64
	kind     uint16
	count    int
	overflow uint32
}

// load reads the first bytes of a page of the given size.
func (v *view) load(size int64) error {
	buffer := &v.buffers[min(v.depth, maxDepth-1)]
	if n := int(min(size, bufferSize)); cap(*buffer) < n {
		*buffer = make([]byte, n)
	}
	v.size, v.data = size, (*buffer)[:min(size, bufferSize)]
	if err := readAt(v.file, v.data, v.at); err != nil {
		return fmt.Errorf("page %d: %w", v.name, err)
	}
	v.id, v.kind = order.Uint64(v.data), order.Uint16(v.data[8:])
	v.count, v.overflow = int(order.Uint16(v.data[10:])), order.Uint32(v.data[12:])
	return nil
}

// bytes returns a part of the page, which is valid until the next page of the same depth is read.
func (v *view) bytes(at, n int64) ([]byte, error) {
	switch {
	case at+n > v.size:
		return nil, fmt.Errorf("page %d: it ends before its content", v.name)
	case at+n <= int64(len(v.data)):
		return v.data[at : at+n], nil
	}
	data := make([]byte, n)
	if err := readAt(v.file, data, v.at+at); err != nil {
		return nil, fmt.Errorf("page %d: %w", v.name, err)
	}
	return data, nil
}

// element is an element of a leaf.
type element struct {
	key    []byte
	value  value
	bucket bool
}

func (v *view) leafElement(i int, next *int64) (element, error) {
	data, err := v.bytes(pageHead+int64(i)*elementSize, elementSize)
	if err != nil {
		return element{}, err
	}
	flags, position := order.Uint32(data), order.Uint32(data[4:])
	keySize, valueSize := int64(order.Uint32(data[8:])), int64(order.Uint32(data[12:]))
	if flags&^bucketFlag != 0 {
		return element{}, fmt.Errorf("page %d: the flags of element %d are %#x", v.name, i, flags)
	}
	key, err := v.key(i, position, keySize, next)
	if err != nil {
		return element{}, err
	}
	at := *next
	if *next += valueSize; *next > v.size {
		return element{}, fmt.Errorf("page %d: element %d has %d bytes, more than the page", v.name, i, valueSize)
	}
	return element{key: key, value: value{v.file, v.at + at, int(valueSize)}, bucket: flags == bucketFlag}, nil
}

// branchElement returns the first key of a page below, and the page. The key is a copy.
func (v *view) branchElement(i int, next *int64) (key []byte, child uint64, err error) {
	data, err := v.bytes(pageHead+int64(i)*elementSize, elementSize)
	if err != nil {
		return nil, 0, err
	}
	child = order.Uint64(data[8:])
	key, err = v.key(i, order.Uint32(data), int64(order.Uint32(data[4:])), next)
	return bytes.Clone(key), child, err
}

// key reads the key of an element. Keys and values follow one another without gaps; next is where the
// key has to begin, and is moved behind it.
func (v *view) key(i int, position uint32, size int64, next *int64) ([]byte, error) {
	at := pageHead + int64(i)*elementSize + int64(position)
	if at != *next || size == 0 || size > maxKeySize {
		return nil, fmt.Errorf("page %d: element %d has a key of %d bytes at %d", v.name, i, size, at)
	}
	*next += size
	return v.bytes(at, size)
}

// checkKey checks that the keys are in order.
func (v *view) checkKey(i int, key, previous []byte, limits bounds) error {
	inOrder := bytes.Compare(previous, key) < 0
	if i == 0 && limits.low != nil {
		inOrder = bytes.Equal(limits.low, key)
	}
	if !inOrder || limits.high != nil && bytes.Compare(key, limits.high) >= 0 {
		return fmt.Errorf("page %d: the key of element %d is out of order", v.name, i)
	}
	return nil
}
