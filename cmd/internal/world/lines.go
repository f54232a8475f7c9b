package world

import (
	"bytes"
	"io"
)

// maxLine is how much of a line without end is kept before it is taken for one.
const maxLine = 8 << 10

// Lines cuts what is written to it into lines and hands them on, without their ends. What is left without an end when it is
// closed is a line too. One goroutine writes.
func Lines(take func(lines []string)) io.WriteCloser { return &lineCutter{take: take} }

type lineCutter struct {
	take func([]string)
	rest []byte // the beginning of a line whose end has not come yet
}

// Write implements io.Writer.
func (c *lineCutter) Write(b []byte) (int, error) {
	c.rest = append(c.rest, b...)
	var lines []string
	for {
		line, rest, ok := bytes.Cut(c.rest, []byte("\n"))
		if len(line) > maxLine {
			line, rest, ok = c.rest[:maxLine], c.rest[maxLine:], true
		}
		if !ok {
			break
		}
		lines = append(lines, string(line))
		c.rest = rest
	}
	if len(lines) > 0 {
		c.take(lines)
	}
	return len(b), nil
}

// Close implements io.Closer.
func (c *lineCutter) Close() error {
	if len(c.rest) > 0 {
		c.take([]string{string(c.rest)})
		c.rest = nil
	}
	return nil
}
