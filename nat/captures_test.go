package nat_test

import (
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	vswitch "uswitch/switch"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// captureVariable names a directory of captures, as the tests of tcpdump's Debian source package are (tcpdump/tests).
const captureVariable = "USWITCH_CAPTURES"

// TestCaptures replays every frame of captures of the real world's odd packets, to a host, to the gateway, and from outside, while
// somebody reads the trace: nothing fails, and each has an end.
func TestCaptures(t *testing.T) {
	files := captures(t, filepath.Join("..", "cmd", "internal", "tools", "tcpdump", "testdata"))
	if dir := os.Getenv(captureVariable); dir != "" {
		files = append(files, captures(t, dir)...)
	}
	frames := 0
	for _, file := range files {
		l := newLab6(t, "-t nat -A POSTROUTING -s fd00:1::/64 ! -o br0 -j MASQUERADE")
		s := vswitch.New(vswitch.Config{Name: "br0", Tracer: l.tracer, Epoch: epoch})
		s.SetLocal(gatewayMAC, l.br0.leg)
		k := vswitch.PortFlags{Learning: true, Flood: true, MulticastFlood: true, BroadcastFlood: true, NDGuard: true, DHCPGuard: true}
		red, err := s.Attach("RED", swallows{}, k)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Attach("BLUE", swallows{}, k); err != nil {
			t.Fatal(err)
		}
		s.Assign(red, l.red.mac, netip.MustParseAddr("fd00:1::2"))
		ring := trace.NewRing(64, 1<<20, 0)
		l.tracer.Attach(ring)
		printer := trace.NewPrinter(io.Discard, trace.TextOptions{})
		for _, b := range readCapture(t, file) {
			frames++
			for _, to := range []frame.MAC{frame.Broadcast, gatewayMAC, {}} {
				f := frame.Frame{Data: append([]byte(nil), b...)}
				if e, ok := frame.ParseEthernet(f.Data); ok && to != (frame.MAC{}) {
					e.SetHeader(to, l.red.mac, e.Type())
				}
				s.Input(red, f, l.now)
			}
			if len(b) > frame.EthernetHeader {
				l.wan.send(b[frame.EthernetHeader:])
			}
			for {
				var e trace.Event
				if _, ok := ring.TryNext(&e); !ok {
					break
				}
				if err := printer.Event(&e); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, r := range []trace.Reason{trace.PortFault, trace.GatewayFault, trace.UplinkFault} {
			if n := l.tracer.Drops(r); n > 0 {
				t.Errorf("%s: %d times %v", file, n, r)
			}
		}
	}
	t.Logf("%d frames of %d captures", frames, len(files))
}

// captures returns the captures of a directory.
func captures(t *testing.T, dir string) []string {
	files, err := filepath.Glob(filepath.Join(dir, "*.pcap"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no captures in %s: %v", dir, err)
	}
	return files
}

// readCapture returns the frames of a capture; packets of a link without Ethernet get a header. What is no capture has none.
func readCapture(t *testing.T, file string) (frames [][]byte) {
	b, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	in, err := pcapgo.NewReader(b)
	if err != nil {
		return nil
	}
	for {
		data, _, err := in.ReadPacketData()
		if err != nil {
			return frames
		}
		if in.LinkType() != layers.LinkTypeEthernet {
			header := make([]byte, frame.EthernetHeader)
			frame.Ethernet(header).SetHeader(gatewayMAC, frame.MAC{2}, frame.TypeIPv4)
			if len(data) > 0 && data[0]>>4 == 6 {
				frame.Ethernet(header).SetHeader(gatewayMAC, frame.MAC{2}, frame.TypeIPv6)
			}
			data = append(header, data...)
		}
		frames = append(frames, data)
	}
}

// swallows is a link that takes everything.
type swallows struct{}

func (swallows) Read() (frame.Frame, error) { return frame.Frame{}, frame.ErrLinkGone }
func (swallows) Write(frame.Frame) error    { return nil }
func (swallows) Close() error               { return nil }
