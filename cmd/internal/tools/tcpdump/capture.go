package tcpdump

import (
	"encoding/binary"
	"io"

	"uswitch/cmd/internal/control/api"
	"uswitch/switch/frame"
	"uswitch/switch/trace/pcap"
)

// Link types of a capture (www.tcpdump.org/linktypes.html).
const (
	linkEthernet = 1
	linkRaw      = 101 // bare IP packets
	linkCooked   = 276 // LINUX_SLL2: frames of several devices
)

const snapLength = 262144 // tcpdump's

// create opens the file of a capture; - is out.
func create(path string, force bool, out io.Writer) (io.WriteCloser, error) {
	if path == "-" {
		return nopCloser{out}, nil
	}
	return pcap.Create(path, force)
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// capture writes frames to a pcap file (draft-ietf-opsawg-pcap), one Write each. The link type is that of the first frame.
//
//	magic (4 bytes), version 2.4 (2+2), zero (4+4), most bytes of a frame (4), link type (4)
//	seconds (4), microseconds (4), bytes here (4), bytes of the frame (4), the frame; and so on
type capture struct {
	out    io.Writer
	cooked bool
	began  bool
}

func (c *capture) frame(f *api.Frame) error {
	data, link := f.Data, uint32(linkEthernet)
	switch {
	case c.cooked:
		data, link = cook(f), linkCooked
	case f.IP:
		link = linkRaw
	}
	le := binary.LittleEndian
	var b []byte
	if !c.began {
		c.began = true
		b = le.AppendUint32(b, 0xa1b2c3d4)
		b = append(b, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0)
		b = le.AppendUint32(le.AppendUint32(b, snapLength), link)
	}
	b = le.AppendUint32(b, uint32(f.Time.Unix()))
	b = le.AppendUint32(b, uint32(f.Time.Nanosecond()/1000))
	b = le.AppendUint32(b, uint32(len(data)))
	b = le.AppendUint32(b, uint32(len(data)))
	_, err := c.out.Write(append(b, data...))
	return err
}

// cook puts the header of LINUX_SLL2 in front of what a frame carries:
//
//	protocol (2 bytes), zero (2), interface (4), kind of link (2), direction (1), length of the address (1), address (8)
func cook(f *api.Frame) []byte {
	const kindEther, kindNone = 1, 0xfffe // ARPHRD_ETHER, ARPHRD_NONE
	header := make([]byte, cookedHeader)
	header[10] = map[string]byte{api.DirectionIn: 0, api.DirectionBroadcast: 1, api.DirectionMulticast: 2,
		api.DirectionOther: 3, api.DirectionOut: 4}[f.Direction]
	binary.BigEndian.PutUint32(header[4:], uint32(f.Index))
	e, ok := frame.ParseEthernet(f.Data)
	if f.IP || !ok {
		binary.BigEndian.PutUint16(header, frame.TypeIPv4)
		binary.BigEndian.PutUint16(header[8:], kindNone)
		return append(header, f.Data...)
	}
	binary.BigEndian.PutUint16(header, e.Type())
	binary.BigEndian.PutUint16(header[8:], kindEther)
	source := e.Src()
	header[11] = byte(copy(header[12:], source[:]))
	return append(header, e.Payload()...)
}
