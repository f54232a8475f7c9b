package session

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/tools/view"
	"uswitch/cmd/internal/words"
	"uswitch/cmd/internal/world"
	"uswitch/switch/trace"
	"uswitch/switch/trace/pcap"
)

// Trace copies a lab's trace to out until the lab or ctx ends, or nobody reads any more.
func Trace(ctx context.Context, c *api.Client, q api.TraceQuery, out io.Writer) error {
	answer, err := c.Follow(ctx, "/v1/trace", q.Query())
	if err != nil {
		return quiet(ctx, err)
	}
	defer answer.Close()
	counted := &lossCounter{out: out}
	_, err = io.Copy(counted, answer)
	if text := missing(counted.lost, cutShort(ctx, err)); text != "" {
		fmt.Fprintf(os.Stderr, "uswitch: %s\n", text)
	}
	return StreamEnd(ctx, c.Lab(), err)
}

// missing is how a person is told of steps that a listener has lost, and of those at the end whose number nobody knows.
// Where none are it is empty.
func missing(steps uint64, cut bool) string {
	var parts []string
	if steps > 0 {
		parts = append(parts, words.In("%d steps are missing: the reader was slower than the network", steps))
	}
	if cut {
		parts = append(parts, words.In("at its end up to %d steps are missing: what the lab still held for it did not come in time", api.QueueEvents))
	}
	return strings.Join(parts, "; ")
}

// cutShort reports whether a stream that somebody has ended lacks what the lab still held.
func cutShort(ctx context.Context, err error) bool {
	return ctx.Err() != nil && err != nil && !errors.Is(err, syscall.EPIPE)
}

// lossCounter adds up what the lines of a trace say of losses.
type lossCounter struct {
	out  io.Writer
	line []byte // the beginning of one that has not ended
	lost uint64
}

func (c *lossCounter) Write(b []byte) (int, error) {
	for rest := b; ; {
		line, after, ended := bytes.Cut(rest, []byte("\n"))
		c.line = append(c.line, line[:min(len(line), trace.LossLength)]...)
		if !ended {
			break
		}
		c.lost += trace.LossIn(words.In, c.line)
		c.line, rest = c.line[:0], after
	}
	return c.out.Write(b)
}

// Capture writes a lab's capture to a file, or to out if path is -, until the lab or ctx ends. What is on a full disk
// ends with a whole block. How much a file holds is told on standard error, and what at the end of ctx did not come.
func Capture(ctx context.Context, c *api.Client, q api.TraceQuery, path string, force bool, out io.Writer) error {
	counted := &blockCounter{out: out}
	if path != "-" {
		file, err := pcap.Create(path, force)
		if err != nil {
			return err
		}
		defer file.Close()
		counted.out = file
		defer func() { fmt.Fprintf(os.Stderr, "uswitch: %s\n", counted.holds(path)) }()
	}
	q.Format = "pcapng"
	answer, err := c.Follow(ctx, "/v1/trace", q.Query())
	if err != nil {
		return quiet(ctx, err)
	}
	defer answer.Close()
	err = copyBlocks(counted, bufio.NewReader(answer))
	if counted.cut = cutShort(ctx, err); counted.cut && path == "-" {
		fmt.Fprintf(os.Stderr, "uswitch: %s\n", missing(0, true))
	}
	return StreamEnd(ctx, c.Lab(), err)
}

// StreamEnd returns nil for the errors with which a stream ends because somebody wants it to: ctx has ended, the lab is
// gone, or nobody reads any more. Of a lab that is gone it tells on standard error.
func StreamEnd(ctx context.Context, lab string, err error) error {
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		if ctx.Err() == nil {
			fmt.Fprintln(os.Stderr, "uswitch: "+words.In("lab %s is gone", lab))
		}
		return nil
	}
	return quiet(ctx, err)
}

// quiet leaves out the errors that somebody has brought about: who has ended ctx, and who reads no more.
func quiet(ctx context.Context, err error) error {
	if ctx.Err() != nil || errors.Is(err, syscall.EPIPE) {
		return nil
	}
	return err
}

// blockCounter counts on their way to out the packets that a capture holds, and those that it says are missing; it gets each
// block with one Write.
type blockCounter struct {
	out           io.Writer
	packets, lost uint64
	cut           bool // its end did not come
}

func (c *blockCounter) Write(block []byte) (int, error) {
	n, err := c.out.Write(block)
	if err == nil {
		packet, lost, sum := pcap.Losses(block)
		if packet {
			c.packets++
		}
		c.lost = max(c.lost+lost, sum)
	}
	return n, err
}

// holds is what a person is told of a capture at its end.
func (c *blockCounter) holds(path string) string {
	text := words.In("%s holds %d steps of packets", path, c.packets)
	if c.lost > 0 || c.cut {
		text += "; " + missing(c.lost, c.cut)
	}
	return text
}

// maxBlock bounds a block of pcapng: a frame of 64 KiB, its comment, and what stands around them.
const maxBlock = 1 << 20

// copyBlocks copies pcapng block by block, each with one Write, until the end of in. A block that is cut short is left
// out.
//
//	type (4 bytes), length of all of it (4 bytes), ..., length again
func copyBlocks(out io.Writer, in io.Reader) error {
	var block []byte
	for {
		block = append(block[:0], make([]byte, 8)...)
		if _, err := io.ReadFull(in, block); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		length := binary.LittleEndian.Uint32(block[4:])
		if length < 12 || length > maxBlock {
			return fmt.Errorf("the capture holds a block of %d bytes, which cannot be", length)
		}
		block = append(block, make([]byte, length-8)...)
		if _, err := io.ReadFull(in, block[8:]); err != nil {
			return err
		}
		if _, err := out.Write(block); err != nil {
			return err
		}
	}
}

// Logs writes what the hosts of a lab have written, each line with its host's name in front and, if times is set, when it was
// written. With q.Follow it goes on until the lab or ctx ends.
func Logs(ctx context.Context, c *api.Client, q api.LogQuery, times, colour bool, out io.Writer) error {
	width, err := longestName(ctx, c, q.Hosts)
	if err != nil {
		return err
	}
	answer, err := c.Stream(ctx, http.MethodGet, "/v1/logs", q.Query(), nil)
	if err != nil {
		return quiet(ctx, err)
	}
	defer answer.Close()
	decoder := json.NewDecoder(answer)
	for {
		var line api.LogLine
		if err := decoder.Decode(&line); err != nil {
			if err == io.EOF && !q.Follow {
				return nil
			}
			return StreamEnd(ctx, c.Lab(), err)
		}
		text := view.HostPrefix(line.Host, width, colour)
		if line.Lost > 0 {
			text += "uswitch: " + words.In("%d lines of %s are lost here: of what it writes the last %d KiB are kept", line.Lost, line.Host, world.LogBytes>>10) + "\n" + text
		}
		if times {
			text += line.Time.Format(time.RFC3339Nano) + " "
		}
		if _, err := io.WriteString(out, text+line.Text+"\n"); err != nil {
			return quiet(ctx, err)
		}
	}
}

// longestName returns how long the longest name is of the hosts that may write.
func longestName(ctx context.Context, c *api.Client, hosts []string) (longest int, err error) {
	var rows []api.Host
	if len(hosts) == 0 {
		if err := c.Get(ctx, "/v1/hosts", nil, &rows); err != nil {
			return 0, err
		}
	}
	for _, h := range rows {
		if h.State != api.CommandNone {
			hosts = append(hosts, h.Name)
		}
	}
	for _, name := range hosts {
		longest = max(longest, len(name))
	}
	return longest, nil
}
