package types

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Two outputs on one connection, as Docker's API has them (moby api/types/container, "Stream format"):
//
//	stream (1 byte: 1 is stdout, 2 is stderr), 3 bytes of zero, length (4 bytes, big endian), so many bytes; and again
const (
	StreamHeader = 8

	StreamOut = 1
	StreamErr = 2
)

// Frames writes one output into such a connection, each Write a frame with one Write of its own.
type Frames struct {
	Out    io.Writer
	Stream byte
}

func (f Frames) Write(b []byte) (int, error) {
	frame := make([]byte, StreamHeader, StreamHeader+len(b))
	frame[0] = f.Stream
	binary.BigEndian.PutUint32(frame[4:], uint32(len(b)))
	if _, err := f.Out.Write(append(frame, b...)); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Demultiplex copies such a connection to two writers until its end.
func Demultiplex(in io.Reader, out, err io.Writer) error {
	for {
		var header [StreamHeader]byte
		if _, failed := io.ReadFull(in, header[:]); failed != nil {
			if errors.Is(failed, io.EOF) {
				return nil
			}
			return failed
		}
		to := out
		switch header[0] {
		case StreamOut:
		case StreamErr:
			to = err
		default:
			return fmt.Errorf("the container's output has a stream %d, which cannot be", header[0])
		}
		if _, failed := io.CopyN(to, in, int64(binary.BigEndian.Uint32(header[4:]))); failed != nil {
			return failed
		}
	}
}
