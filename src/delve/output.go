package main

import (
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
	"unicode/utf8"
)

// A process that a program has left may hold its output open.
const linger = time.Second

// What a pipe holds (pipe(7)).
const pipeBytes = 64 << 10

// output is what a program prints, by pipes with names: Delve would tell it cut anywhere, within characters too, and would not tell of
// a program's end before all that it has started have ended.
type output struct {
	streams []*stream
}

type stream struct {
	path string
	// Held open so that nothing but the program's end is the end of it.
	writer *os.File
	ended  chan struct{}

	reader *os.File
	raw    syscall.RawConn
	tell   func(text string)
	mutex  sync.Mutex
	buffer [32 << 10]byte
	// Of a character that is not all there.
	kept int
}

// listen has what is printed told by its category, by pipes in a directory.
func listen(directory string, tell func(category, text string)) (*output, error) {
	o := &output{}
	for _, category := range []string{"stdout", "stderr"} {
		path := filepath.Join(directory, "."+category)
		if err := syscall.Mkfifo(path, 0o600); err != nil {
			return nil, err
		}
		reader, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
		if err != nil {
			return nil, err
		}
		writer, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return nil, err
		}
		raw, err := reader.SyscallConn()
		if err != nil {
			return nil, err
		}
		s := &stream{path: path, writer: writer, ended: make(chan struct{}), reader: reader, raw: raw}
		s.tell = func(text string) { tell(category, text) }
		o.streams = append(o.streams, s)
		go s.listen()
	}
	return o, nil
}

// catchUp tells what was printed before now.
func (o *output) catchUp() {
	for _, s := range o.streams {
		_ = s.raw.Control(func(fd uintptr) {
			for i := 0; i <= pipeBytes/len(s.buffer) && s.read(fd) == some; i++ {
			}
		})
	}
}

// finish waits until all is told that an ended program has printed; it may be called again.
func (o *output) finish() {
	late := time.After(linger)
	for _, s := range o.streams {
		s.writer.Close()
	}
	for _, s := range o.streams {
		select {
		case <-s.ended:
		case <-late:
			return
		}
	}
}

type found int

const (
	nothing found = iota
	some
	end
)

func (s *stream) listen() {
	defer close(s.ended)
	defer s.reader.Close()
	for last := some; last != end; {
		err := s.raw.Read(func(fd uintptr) bool {
			last = s.read(fd)
			return last != nothing
		})
		if err != nil {
			return
		}
	}
}

// read tells what is there, and never a part of a character.
func (s *stream) read(fd uintptr) found {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	read, err := syscall.Read(int(fd), s.buffer[s.kept:])
	switch {
	case err == syscall.EINTR:
		return some
	case err == syscall.EAGAIN:
		return nothing
	case err != nil:
		read = 0
	}
	filled := s.kept + read
	told := filled
	if read > 0 {
		told = whole(s.buffer[:filled])
	}
	if told > 0 {
		s.tell(string(s.buffer[:told]))
	}
	s.kept = copy(s.buffer[:], s.buffer[told:filled])
	if read == 0 {
		return end
	}
	return some
}

// whole is how many bytes there are before a character that is not all there.
func whole(text []byte) int {
	for i := len(text) - 1; i >= max(0, len(text)-utf8.UTFMax); i-- {
		if utf8.RuneStart(text[i]) {
			if utf8.FullRune(text[i:]) {
				break
			}
			return i
		}
	}
	return len(text)
}
