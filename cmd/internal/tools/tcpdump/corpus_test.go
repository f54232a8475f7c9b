package tcpdump_test

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/tools/tcpdump"
	"uswitch/cmd/internal/tools/tcpdump/filter"
)

var update = flag.Bool("update", false, "write testdata/corpus*.txt anew, with the real tcpdump")

// corpus is testdata/corpus.pcap: the frames of a lab, and of its troublemakers. testdata/corpus.txt and corpus-e.txt are
// what tcpdump 4.99.3 prints of it with -n, and with -n -e; testdata/protocols* likewise. testdata/others.pcap are frames of protocols of which there is
// no more to read here than their addresses and their length.
func corpus(t testing.TB) []api.Frame { return read(t, "corpus.pcap") }

func read(t testing.TB, name string) (frames []api.Frame) {
	t.Helper()
	file, err := os.Open(filepath.Join("testdata", name))
	check(t, err)
	defer file.Close()
	in, err := pcapgo.NewReader(file)
	check(t, err)
	for {
		data, info, err := in.ReadPacketData()
		if errors.Is(err, io.EOF) {
			return frames
		}
		check(t, err)
		frames = append(frames, api.Frame{Time: info.Timestamp, Data: data})
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// real runs tcpdump on a file.
func real(t *testing.T, file string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command("tcpdump", append([]string{"-r", filepath.Join("testdata", file), "-n"}, args...)...)
	cmd.Env = append(cmd.Environ(), "TZ=UTC")
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("tcpdump %v: %v %s", args, err, &errs)
	}
	return out
}

// TestLinesAsTcpdumpHasThem compares with what tcpdump 4.99.3 has printed: protocols.pcap has a frame of every kind that is
// decoded besides the corpus's, and of what can be wrong with it.
func TestLinesAsTcpdumpHasThem(t *testing.T) {
	for _, name := range []string{"corpus", "protocols"} {
		for _, link := range []bool{false, true} {
			p, args, text := tcpdump.Printer{Link: link, NoTime: true}, []string{"-t"}, name+".txt"
			if link {
				args, text = append(args, "-e"), name+"-e.txt"
			}
			path := filepath.Join("testdata", text)
			if *update {
				check(t, os.WriteFile(path, real(t, name+".pcap", args...), 0o600))
			}
			want, err := os.ReadFile(path)
			check(t, err)
			var got strings.Builder
			for _, f := range read(t, name+".pcap") {
				got.WriteString(p.Line(&f) + "\n")
			}
			compare(t, text, strings.Split(string(want), "\n"), strings.Split(got.String(), "\n"))
		}
	}
}

// compare fails the test for each line that differs.
func compare(t *testing.T, name string, want, have []string) {
	t.Helper()
	for i := range min(len(want), len(have)) {
		if want[i] != have[i] {
			t.Errorf("%s:%d: tcpdump has\n%s\nand here it is\n%s", name, i+1, want[i], have[i])
		}
	}
	if len(want) != len(have) {
		t.Errorf("%s: %d lines, and here %d", name, len(want), len(have))
	}
}

// filters are those that tutorials use, and the corners of the language.
var filters = []string{
	"arp", "icmp", "tcp", "udp", "ip", "ip6", "rarp", "icmp6", "not arp", "! arp", "arp or icmp", "arp || icmp", "not (arp or icmp)",
	"host 11.11.11.2", "src host 11.11.11.1", "dst host 11.11.11.3", "src 11.11.11.1", "dst 11.11.11.3", "src or dst 11.11.11.3", "src and dst host 11.11.11.2",
	"host 11.11.11.3 or 11.11.11.1", "arp host 11.11.11.3", "ip host 11.11.11.1", "ip src 11.11.11.1", "arp src 11.11.11.2", "rarp host 11.11.11.2",
	"net 11.11.11.0/24", "net 11.11", "src net 11.11.11.0 mask 255.255.255.0", "dst net 224.0.0.0/4", "net 11.11.11.0", "net 8.0.0.0/8", "ip6 net ff02::/16", "host ::1",
	"port 80", "tcp port 80", "udp port 53", "port 53 or 80", "src port 53", "dst port 53", "tcp src port 80", "portrange 50-100", "port domain", "tcp port http", "port 80 and not 53",
	"tcp and host 11.11.11.1 and port 80", "icmp and src 11.11.11.2", "tcp or udp and port 53", "(tcp or udp) and port 53", "not tcp and udp", "not tcp or udp", "arp or tcp and port 80",
	"ether host 02:42:0b:0b:0b:01", "ether src 02:42:0b:0b:0b:01", "ether dst ff:ff:ff:ff:ff:ff", "ether broadcast", "broadcast", "ether multicast", "multicast", "ip multicast",
	"ether proto 0x88b5", "ether proto \\arp", "ip proto 47", "ip proto \\icmp", "proto 17", "ip6 proto 17", "ip proto \\tcp or arp", "less 60", "greater 100", "not less 60 and ip",
}

func TestFiltersAsTcpdumpHasThem(t *testing.T) {
	if _, err := exec.LookPath("tcpdump"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("needs tcpdump")
		}
		t.Skip("needs tcpdump")
	}
	for _, file := range []string{"corpus.pcap", "others.pcap"} {
		frames := read(t, file)
		for _, text := range filters {
			f, err := filter.Parse(text, func(string) []netip.Addr { return nil })
			if err != nil {
				t.Errorf("%s: %v", text, err)
				continue
			}
			var got []int64 // the second of each frame, which is its number
			for _, frame := range frames {
				if f.Match(frame.Data, false) {
					got = append(got, frame.Time.Unix()-1700000000)
				}
			}
			if want := matched(t, file, text); !slices.Equal(got, want) {
				t.Errorf("%s: %s: matches the frames\n%v\nand tcpdump's\n%v", file, text, got, want)
			}
		}
	}
}

// matched lists the frames of a file that the real tcpdump's filter matches.
func matched(t *testing.T, file, text string) (all []int64) {
	t.Helper()
	in, err := pcapgo.NewReader(bytes.NewReader(real(t, file, "-w", "-", text)))
	check(t, err)
	for {
		_, info, err := in.ReadPacketData()
		if err != nil {
			return all
		}
		all = append(all, info.Timestamp.Unix()-1700000000)
	}
}

func TestTime(t *testing.T) {
	p := tcpdump.Printer{Device: true}
	at := time.Date(2026, 5, 4, 3, 2, 1, 234567891, time.Local)
	got := p.Line(&api.Frame{Time: at, Device: "br0", Direction: api.DirectionIn, IP: true, Data: corpus(t)[8].Data[14:]})
	if want := "03:02:01.234567 br0   In  IP 11.11.11.2 > 11.11.11.1: ICMP echo request, id 7, seq 1, length 64"; got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

// decoded are the captures among tcpdump's own tests that are of protocols that are decoded here, by their names.
var decoded = []string{"*dhcp*", "*bootp*", "*ospf*", "*OSPF*", "*igmp*", "*IGMP*", "*icmp*", "*mld*", "*vlan*", "*QinQ*", "*stp*", "*vrrp*", "*VRRP*",
	"*vxlan*", "*gre*", "*pim*", "*PIM*", "*rip*", "*RIP*", "*ntp*", "*NTP*", "*snmp*", "*ipv6*", "*arp*", "*dns*", "*tfo*", "*ssh*"}

// undecoded are those of them that are of something else as well, or are damaged in ways that are not followed.
var undecoded = []string{
	"vxlan-gpe*", "nsh-*", "lisp*", "hncp*", "EIGRP*", "rsvp*", "*lsp-ping*", "lspping*", "*vtp*", "*UDLD*", "*DTP*", "*dccp*", "rpvstp*", // other protocols
	"PIM-SM_join_prune*", "ripng*", "icmpv6-ni*", "*rpl*", "*mobileprefix*", "pptp*", "ipv6-srh-ipproto-ether*", "ipv6-too-long-jumbo*",
	"dns-badlabel*", "dns-badvers*", "dns-uri*", "dns_fwdptr*", "arp-oobr*",
}

// TestTcpdumpsOwnCaptures compares, line by line, with the tcpdump of this machine: over the captures here, and over those of
// tcpdump's own tests where USWITCH_TCPDUMP_TESTS names their folder (tests/ of the source package tcpdump).
func TestTcpdumpsOwnCaptures(t *testing.T) {
	if _, err := exec.LookPath("tcpdump"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("needs tcpdump")
		}
		t.Skip("needs tcpdump")
	}
	files := []string{filepath.Join("testdata", "corpus.pcap"), filepath.Join("testdata", "protocols.pcap")}
	named := func(patterns []string, file string) bool {
		return slices.ContainsFunc(patterns, func(p string) bool { ok, _ := filepath.Match(p, filepath.Base(file)); return ok })
	}
	if dir := os.Getenv("USWITCH_TCPDUMP_TESTS"); dir != "" {
		own, err := filepath.Glob(filepath.Join(dir, "*.pcap"))
		check(t, err)
		if len(own) == 0 {
			t.Fatalf("%s: no captures", dir)
		}
		for _, file := range own {
			if named(decoded, file) && !named(undecoded, file) {
				files = append(files, file)
			}
		}
	}
	lines := 0
	for _, file := range files {
		frames, ok := wholeFrames(t, file)
		if !ok {
			continue // of another link than Ethernet's, or frames that are cut short
		}
		for _, link := range []bool{false, true} {
			args := []string{"-r", file, "-n", "-t"}
			if link {
				args = append(args, "-e")
			}
			want, err := exec.Command("tcpdump", args...).Output()
			if err != nil {
				t.Errorf("%s: tcpdump: %v", file, err)
				continue
			}
			p, got := tcpdump.Printer{Link: link, NoTime: true}, strings.Builder{}
			for i := range frames {
				got.WriteString(p.Line(&frames[i]) + "\n")
			}
			compare(t, file, strings.Split(string(want), "\n"), strings.Split(got.String(), "\n"))
			lines += strings.Count(string(want), "\n")
		}
	}
	t.Logf("%d lines of %d captures", lines, len(files))
}

// wholeFrames reads a capture; ok is false if it is not of Ethernet, or if a frame is not whole.
func wholeFrames(t *testing.T, name string) (frames []api.Frame, ok bool) {
	t.Helper()
	file, err := os.Open(name)
	check(t, err)
	defer file.Close()
	in, err := pcapgo.NewReader(file)
	if err != nil || in.LinkType() != layers.LinkTypeEthernet {
		return nil, false
	}
	for {
		data, info, err := in.ReadPacketData()
		switch {
		case errors.Is(err, io.EOF):
			return frames, true
		case err != nil, info.CaptureLength < info.Length, info.CaptureLength < 14:
			return nil, false
		}
		frames = append(frames, api.Frame{Time: info.Timestamp, Data: data})
	}
}
