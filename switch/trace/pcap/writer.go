package pcap

import (
	"bytes"
	"io"
	"runtime"
	"time"

	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"uswitch/switch/trace"
)

// Options describe the capture as a whole. The zero value is usable.
type Options struct {
	Application string         // who writes it; empty means uswitch
	Comment     string         // what it is of, the lab's name for instance
	In          trace.Language // what the comments of packets are in; nil means English
	SnapLength  uint32         // the most bytes that a frame's event carries, 0 meaning all; it is noted in the file, not enforced
}

// linkRaw is LINKTYPE_RAW, a bare IP packet.
const linkRaw = layers.LinkType(101)

// Writer is a trace.Sink that writes pcapng. It is for one goroutine. The first error is final: every later call returns
// it again and writes nothing.
type Writer struct {
	w     io.Writer
	block bytes.Buffer     // blocks on their way to w
	ng    *pcapgo.NgWriter // writes section and interface blocks into block
	in    trace.Language
	snap  uint32
	ids   map[hop]int // interfaces so far
	lost  uint64      // events that are missing before the next packet
	stamp uint64      // of the last packet

	written, missing uint64 // events in all
	told             uint64 // of missing, what the last statistics said
	toldAt           time.Time
	data             []byte // a frame whose checksum is completed
	err              error
}

// hop is what gets an interface of its own.
type hop struct {
	name string
	link layers.LinkType
}

// New writes the beginning of a capture, which has one interface, for drops, and returns the Writer for the rest.
func New(w io.Writer, o Options) (*Writer, error) {
	c := &Writer{w: w, in: o.In, snap: o.SnapLength, ids: map[hop]int{}}
	if c.in == nil {
		c.in = trace.English
	}
	if o.Application == "" {
		o.Application = "uswitch"
	}
	drops := hop{"drops", layers.LinkTypeEthernet}
	var err error
	c.ng, err = pcapgo.NewNgWriterInterface(&c.block, c.describe(drops), pcapgo.NgWriterOptions{
		SectionInfo: pcapgo.NgSectionInfo{
			Application: trace.Printable(o.Application), Comment: trace.Printable(o.Comment),
			Hardware: runtime.GOARCH, OS: runtime.GOOS,
		},
	})
	if err != nil {
		return nil, err
	}
	c.ids[drops] = 0
	if err := c.ng.Flush(); err != nil {
		return nil, err
	}
	return c, c.send()
}

// Event implements trace.Sink: it appends the frame as it is at this step.
func (c *Writer) Event(e *trace.Event) error {
	if c.err != nil {
		return c.err
	}
	id, err := c.interfaceOf(e)
	if err != nil {
		c.err = err
		return err
	}
	if e.Outer.IsValid() {
		c.outer(id, e)
	} else {
		c.packet(id, e, c.complete(e), e.Length)
	}
	c.lost, c.stamp = 0, nanoseconds(e)
	c.written++
	return c.send()
}

// interfaceOf returns the number of the step's interface, describing it first if it is new. An interface has one link
// type: where Ethernet frames and bare IP packets meet at the same step, there are two of the same name.
func (c *Writer) interfaceOf(e *trace.Event) (int, error) {
	h := hop{name: "drops", link: layers.LinkTypeEthernet}
	if e.Verdict != trace.Drop {
		where, what := e.Step()
		h.name = where + " " + what
	}
	if e.IP || e.Outer.IsValid() {
		h.link = linkRaw
	}
	if id, known := c.ids[h]; known {
		return id, nil
	}
	id, err := c.ng.AddInterface(c.describe(h))
	if err != nil {
		return 0, err
	}
	c.ids[h] = id
	return id, c.ng.Flush()
}

func (c *Writer) describe(h hop) pcapgo.NgInterface {
	return pcapgo.NgInterface{Name: h.name, LinkType: h.link, SnapLength: c.snap, TimestampResolution: 9}
}

// send hands the blocks to w in one Write.
func (c *Writer) send() error {
	if c.err == nil {
		_, c.err = c.w.Write(c.block.Bytes())
	}
	c.block.Reset()
	return c.err
}

// Lost implements trace.Sink: the number stands in the next packet's epb_dropcount, and the sum in statistics.
func (c *Writer) Lost(n uint64) error {
	c.lost += n
	c.missing += n
	return c.err
}

// tellGap is between two statistics of a capture that goes on losing events: one that ends suddenly has said how many, up
// to a second before.
const tellGap = time.Second

// Idle implements trace.Sink.
func (c *Writer) Idle(now time.Time) error {
	if c.missing == c.told || now.Sub(c.toldAt) < tellGap {
		return c.err
	}
	c.toldAt = now
	return c.Flush()
}

// Flush implements trace.Sink: a capture that has lost something ends with how much.
func (c *Writer) Flush() error {
	if c.err != nil || c.missing == c.told {
		return c.err
	}
	c.told = c.missing
	c.statistics(c.stamp)
	return c.send()
}
