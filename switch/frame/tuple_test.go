package frame_test

import (
	"testing"

	"uswitch/switch/frame"
)

func TestTupleOf(t *testing.T) {
	change := func(fixture string, at int, value ...byte) []byte {
		b := fromHex(t, fixture)[14:]
		copy(b[at:], value)
		return b
	}
	for _, tt := range []struct {
		name     string
		packet   []byte
		src, dst string
		ok       bool
	}{
		{"UDP", change(dnsHex, 0), "11.11.11.2:40000", "8.8.8.8:53", true},
		{"TCP", change(synHex, 0), "11.11.11.2:50000", "8.8.8.8:80", true},
		{"ICMP echo", change(pingHex, 0), "11.11.11.2 id 7", "11.11.11.3 id 7", true},
		{"ICMP error", change(pingHex, 20, 3), "11.11.11.2 id 0", "11.11.11.3 id 0", false},
		{"another protocol", change(pingHex, 9, 47), "11.11.11.2", "11.11.11.3", true},
		{"first fragment", change(dnsHex, 6, 0x20, 0), "11.11.11.2:40000", "8.8.8.8:53", true},
		{"later fragment", change(dnsHex, 6, 0, 1), "11.11.11.2:0", "8.8.8.8:0", false},
		{"UDP cut short", change(dnsHex, 2, 0, 27), "11.11.11.2:0", "8.8.8.8:0", false},
		{"ICMP cut short", change(pingHex, 2, 0, 27), "11.11.11.2 id 0", "11.11.11.3 id 0", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := frame.ParseIPv4(tt.packet)
			if err != nil {
				t.Fatal(err)
			}
			tuple, ok := frame.TupleOf(p)
			if tuple.Source() != tt.src || tuple.Destination() != tt.dst || ok != tt.ok {
				t.Errorf("%s > %s, %v; want %s > %s, %v", tuple.Source(), tuple.Destination(), ok, tt.src, tt.dst, tt.ok)
			}
			if r := tuple.Reply(); r.Source() != tt.dst || r.Destination() != tt.src || r.Reply() != tuple {
				t.Errorf("reply %s > %s", r.Source(), r.Destination())
			}
		})
	}
}

func TestProtoName(t *testing.T) {
	for proto, want := range map[uint8]string{1: "icmp", 6: "tcp", 17: "udp", 47: "47"} {
		if got := frame.ProtoName(proto); got != want {
			t.Errorf("%d: %s, want %s", proto, got, want)
		}
	}
}

func TestSegments(t *testing.T) {
	for _, tt := range []struct {
		name    string
		offload frame.Offload
		length  int
		want    int
	}{
		{"no offload", frame.Offload{}, 9000, 1},
		{"no size", frame.Offload{GSO: frame.GSOTCPv4, HeaderLen: 54}, 9000, 1},
		{"one", frame.Offload{GSO: frame.GSOTCPv4, GSOSize: 1460, HeaderLen: 54}, 1514, 1},
		{"one byte more", frame.Offload{GSO: frame.GSOTCPv4, GSOSize: 1460, HeaderLen: 54}, 1515, 2},
		{"64 KiB", frame.Offload{GSO: frame.GSOTCPv4, GSOSize: 1460, HeaderLen: 54}, 65535, 45},
		{"a header alone", frame.Offload{GSO: frame.GSOTCPv4, GSOSize: 1460, HeaderLen: 54}, 54, 1},
	} {
		if got := tt.offload.Segments(tt.length); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestCloneSharesNothing(t *testing.T) {
	f := frame.Frame{Data: []byte{1, 2, 3}, Offload: frame.Offload{GSOSize: 1460}}
	c := f.Clone()
	f.Data[0] = 9
	if c.Data[0] != 1 || c.Offload != f.Offload {
		t.Errorf("clone %+v of %+v", c, f)
	}
}
