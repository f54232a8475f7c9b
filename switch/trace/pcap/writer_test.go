package pcap_test

import (
	"bytes"
	"errors"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket/pcapgo"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
	"uswitch/switch/trace/pcap"
)

var (
	red   = netip.MustParseAddr("11.11.11.2")
	blue  = netip.MustParseAddr("11.11.11.3")
	start = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)
)

// packet is a UDP datagram of 5 bytes, whose checksum is left to the hardware if offload is set, else correct.
func packet(offload bool) frame.Frame {
	b := make([]byte, 14+20+8+5)
	frame.Ethernet(b).SetHeader(frame.MACFromIPv4(blue), frame.MACFromIPv4(red), frame.TypeIPv4)
	frame.PutIPv4(b[14:], frame.ProtoUDP, 64, 1, red, blue)
	u := b[34:]
	copy(u, []byte{0x9c, 0x40, 0x13, 0x88, 0, 13, 0, 0, 'h', 'e', 'l', 'l', 'o'})
	pseudo := frame.PseudoHeader(frame.ProtoUDP, red, blue, len(u))
	if !offload {
		sum := frame.Checksum(u, pseudo)
		u[6], u[7] = byte(sum>>8), byte(sum)
		return frame.Frame{Data: b}
	}
	for pseudo > 0xffff {
		pseudo = pseudo>>16 + pseudo&0xffff
	}
	u[6], u[7] = byte(pseudo>>8), byte(pseudo)
	return frame.Frame{Data: b, Offload: frame.Offload{NeedsChecksum: true, ChecksumStart: 34, ChecksumOffset: 6}}
}

// journey is a datagram that is bridged, another that goes to the gateway and out, and a third that is dropped.
func journey() []trace.Event {
	var all []trace.Event
	add := func(packetID uint64, hook trace.Hook, verdict trace.Verdict, e trace.Event) {
		e.Packet, e.Hook, e.Verdict = packetID, hook, verdict
		e.Time = start.Add(time.Duration(len(all)) * time.Microsecond)
		e.Frame = packet(hook == trace.Ingress)
		if e.IP {
			e.Frame = frame.Frame{Data: packet(false).Data[14:]}
		}
		e.Length = len(e.Frame.Data)
		all = append(all, e)
	}
	add(1, trace.Ingress, trace.Accept, trace.Event{Where: "br0", Port: "RED"})
	add(1, trace.Learn, trace.Accept, trace.Event{Where: "br0", Port: "RED", Note: trace.Learned, MAC: frame.MACFromIPv4(red)})
	add(1, trace.Bridge, trace.Unicast, trace.Event{Where: "br0", Port: "BLUE", Note: trace.Known})
	add(1, trace.Egress, trace.Accept, trace.Event{Where: "br0", Port: "BLUE"})
	add(2, trace.Ingress, trace.Accept, trace.Event{Where: "br0", Port: "RED"})
	add(2, trace.Postrouting, trace.Accept, trace.Event{Where: "gateway"})
	add(2, trace.Postrouting, trace.Accept, trace.Event{Where: "gateway", IP: true})
	add(2, trace.Egress, trace.Accept, trace.Event{Where: "uplink", Note: trace.UplinkSent, IP: true})
	add(3, trace.Bridge, trace.Drop, trace.Event{Where: "br0", Port: "RED", Reason: trace.Storm})
	add(4, trace.Forward, trace.Drop, trace.Event{Where: "gateway", Reason: trace.PolicyDrop, IP: true})
	return all
}

// write returns the capture of events and the length of each Write.
func write(t *testing.T, events []trace.Event) ([]byte, []int) {
	t.Helper()
	var b bytes.Buffer
	var writes []int
	w, err := pcap.New(writerFunc(func(p []byte) (int, error) {
		writes = append(writes, len(p))
		return b.Write(p)
	}), pcap.Options{Comment: "red-blue"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range events {
		if err := w.Event(&events[i]); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes(), writes
}

var _ trace.Sink = (*pcap.Writer)(nil)

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

// read counts the packets that gopacket finds in a capture.
func read(t *testing.T, capture []byte, each func(r *pcapgo.NgReader, i, iface int, data []byte, at time.Time, length int)) int {
	t.Helper()
	r, err := pcapgo.NewNgReader(bytes.NewReader(capture), pcapgo.NgReaderOptions{WantMixedLinkType: true})
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; ; n++ {
		data, ci, err := r.ReadPacketData()
		if errors.Is(err, io.EOF) {
			return n
		}
		if err != nil {
			t.Fatal(err)
		}
		if each != nil {
			each(r, n, ci.InterfaceIndex, data, ci.Timestamp, ci.Length)
		}
	}
}

func TestGopacketReadsIt(t *testing.T) {
	events := journey()
	events[3].Length, events[3].Frame.Data = 1514, events[3].Frame.Data[:40]
	capture, _ := write(t, events)
	var names []string
	n := read(t, capture, func(r *pcapgo.NgReader, i, iface int, data []byte, at time.Time, length int) {
		in, err := r.Interface(iface)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, in.Name)
		e := &events[i]
		if !at.Equal(e.Time) || length != e.Length || len(data) != len(e.Frame.Data) {
			t.Errorf("packet %d: %v, %d of %d bytes; want %v, %d of %d", i, at, len(data), length, e.Time, len(e.Frame.Data), e.Length)
		}
		if in.TimestampResolution != 9 || in.LinkType == 101 != e.IP {
			t.Errorf("interface %q: resolution %v, link type %v", in.Name, in.TimestampResolution, in.LinkType)
		}
	})
	want := "RED ingress, br0 learn, br0 forward, BLUE egress, RED ingress, gateway postrouting, gateway postrouting, uplink egress, drops, drops"
	if got := strings.Join(names, ", "); got != want || n != len(events) {
		t.Errorf("%d packets on %s\nwant %s", n, got, want)
	}
}

func TestChecksumIsCompletedInACopy(t *testing.T) {
	want := packet(false).Data
	lent := packet(true)
	e := trace.Event{Hook: trace.Ingress, Verdict: trace.Accept, Frame: lent, Length: len(lent.Data)}
	short := e
	short.Frame.Data = lent.Data[:44]
	capture, _ := write(t, []trace.Event{e, short})
	read(t, capture, func(_ *pcapgo.NgReader, i, _ int, data []byte, _ time.Time, _ int) {
		if i == 0 && !bytes.Equal(data, want) {
			t.Errorf("got  %x\nwant %x", data, want)
		}
		if i == 1 && !bytes.Equal(data, lent.Data[:44]) {
			t.Error("a frame that is cut short was changed")
		}
	})
	if !bytes.Equal(lent.Data, packet(true).Data) {
		t.Error("the borrowed bytes were changed")
	}
}

// TestEveryPrefixOfWholeWritesOpens is what a crash leaves behind.
func TestEveryPrefixOfWholeWritesOpens(t *testing.T) {
	events := journey()
	capture, writes := write(t, events)
	if len(writes) != len(events)+1 {
		t.Fatalf("%d writes for %d events", len(writes), len(events))
	}
	end := 0
	for i, n := range writes {
		end += n
		if got := read(t, capture[:end], nil); got != i {
			t.Errorf("after %d writes: %d packets, want %d", i+1, got, i)
		}
	}
}

func TestFirstErrorIsFinal(t *testing.T) {
	calls := 0
	w, err := pcap.New(writerFunc(func(b []byte) (int, error) {
		if calls++; calls > 2 {
			return 0, pcap.ErrFull
		}
		return len(b), nil
	}), pcap.Options{})
	if err != nil {
		t.Fatal(err)
	}
	e := journey()[0]
	for i, want := range []error{nil, pcap.ErrFull, pcap.ErrFull} {
		if err := w.Event(&e); !errors.Is(err, want) {
			t.Errorf("event %d: %v, want %v", i, err, want)
		}
	}
	if calls != 3 {
		t.Errorf("%d writes, want 3: none after the failure", calls)
	}
}

func TestTsharkReadsIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "all.pcapng")
	events := journey()
	events[1].Port = "\x1b[31mRED"
	f, err := pcap.Create(path, false)
	if err != nil {
		t.Fatal(err)
	}
	w, err := pcap.New(f, pcap.Options{Comment: "red-blue"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range events {
		if i == 2 {
			if err := w.Lost(7); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Event(&events[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	got := tshark(t, "-r", path, "-T", "fields", "-E", "separator=|", "-e", "frame.interface_name", "-e", "frame.packet_flags",
		"-e", "frame.packet_id", "-e", "frame.drop_count", "-e", "frame.time_epoch", "-e", "frame.comment")
	want := `RED ingress|0x00000001|1||1772366400.123456789|02:42:0b:0b:0b:02 > 02:42:0b:0b:0b:03
br0 learn||1||1772366400.123457789|02:42:0b:0b:0b:02 lives behind \x1b[31mRED
br0 forward||1|7|1772366400.123458789|to BLUE only: learned just now
BLUE egress|0x00000002|1||1772366400.123459789|sent
RED ingress|0x00000001|2||1772366400.123460789|02:42:0b:0b:0b:02 > 02:42:0b:0b:0b:03
gateway postrouting||2||1772366400.123461789|passes
gateway postrouting||2||1772366400.123462789|passes
uplink egress|0x00000002|2||1772366400.123463789|handed to the outside
drops||3||1772366400.123464789|` + events[8].Text(trace.English) + `
drops||4||1772366400.123465789|` + events[9].Text(trace.English) + "\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	bad := tshark(t, "-r", path, "-o", "udp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE",
		"-Y", "_ws.malformed || udp.checksum.status == Bad || ip.checksum.status == Bad")
	if bad != "" {
		t.Errorf("malformed or bad checksums:\n%s", bad)
	}
}

// tshark returns what it prints, which must not be a complaint.
func tshark(t *testing.T, args ...string) string {
	t.Helper()
	path, err := exec.LookPath("tshark")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("tshark is not installed")
		}
		t.Skip("tshark is not installed")
	}
	cmd := exec.Command(path, args...)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("tshark: %v\n%s", err, &stderr)
	}
	return stdout.String()
}
