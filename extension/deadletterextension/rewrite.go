// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"bufio"
	"errors"
	"io"
	"os"
	"path/filepath"
)

// rewriter writes a new version of a file next to the old one, and replaces the old one atomically
// at the end.
type rewriter struct {
	path string
	in   *os.File
	temp *os.File
	out  *bufio.Writer
	// size is the number of bytes written, and changes the number of changed or removed lines.
	size    int64
	changes int
}

// rewriteFile starts a new version with the old file's bytes before the offset from, and leaves in
// positioned there.
func rewriteFile(path string, from int64) (*rewriter, error) {
	in, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	temp, err := os.OpenFile(path+temporarySuffix, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, fileMode)
	if err != nil {
		return nil, errors.Join(err, in.Close())
	}
	w := &rewriter{path: path, in: in, temp: temp, out: bufio.NewWriterSize(temp, 64<<10)}
	if w.size, err = io.CopyN(w.out, in, from); err != nil {
		w.abandon()
		return nil, err
	}
	return w, nil
}

func (w *rewriter) write(batch []item) error {
	for i := range batch {
		it := &batch[i]
		if it.removed || it.changed {
			w.changes++
		}
		if it.removed {
			continue
		}
		if err := w.keep(&it.line); err != nil {
			return err
		}
	}
	return nil
}

// keep writes a line; a line too long to be read is copied from the old file.
func (w *rewriter) keep(l *line) error {
	var n int64
	var err error
	if l.text == nil {
		n, err = io.Copy(w.out, io.NewSectionReader(w.in, l.offset, l.size))
	} else {
		var written int
		written, err = w.out.Write(append(l.text, '\n'))
		n = int64(written)
	}
	w.size += n
	return err
}

// finish copies the rest of the old file and replaces it with the new one. An empty file is
// removed.
func (w *rewriter) finish(rest int64) error {
	if w.changes == 0 {
		return nil
	}
	if _, err := w.in.Seek(rest, io.SeekStart); err != nil {
		return err
	}
	n, err := io.Copy(w.out, w.in)
	if err != nil {
		return err
	}
	if w.size+n == 0 {
		return os.Remove(w.path)
	}
	if err := errors.Join(w.out.Flush(), w.temp.Sync(), w.temp.Close(), w.in.Close()); err != nil {
		return err
	}
	if err := os.Rename(w.temp.Name(), w.path); err != nil {
		return err
	}
	syncDirectory(filepath.Dir(w.path))
	return nil
}

// abandon closes and removes the temporary file. After finish it has almost no effect.
func (w *rewriter) abandon() {
	_ = w.in.Close()
	_ = w.temp.Close()
	_ = os.Remove(w.temp.Name())
}
