package tcpdump_test

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"uswitch/cmd/internal/control/api"
	"uswitch/cmd/internal/tools/tcpdump"
	"uswitch/cmd/internal/tools/tcpdump/filter"
)

func TestOthersHaveALine(t *testing.T) {
	p := tcpdump.Printer{NoTime: true}
	var got strings.Builder
	for _, f := range read(t, "others.pcap") {
		line := p.Line(&f)
		first, _, _ := strings.Cut(line, "\n")
		if !strings.Contains(first, "11.11.11.") && !strings.Contains(first, "02:42:0b:0b:0b:02 > ") && !strings.Contains(first, "length") {
			t.Errorf("%q", line)
		}
		got.WriteString(line + "\n")
	}
	path := filepath.Join("testdata", "others.txt")
	if *update {
		check(t, os.WriteFile(path, []byte(got.String()), 0o600))
	}
	want, err := os.ReadFile(path)
	if check(t, err); got.String() != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
}

func TestParse(t *testing.T) {
	for line, want := range map[string]tcpdump.Options{
		"-i br0":                             {Device: "br0"},
		"-ni any -c 5 icmp or arp":           {Device: "any", Count: 5, Filter: "icmp or arp"},
		"-nnle -i RED -c1 (port 80)":         {Device: "RED", Link: true, Count: 1, Filter: "(port 80)"},
		"-i br0 -w x --force icmp":           {Device: "br0", Write: "x", Force: true, Filter: "icmp"},
		"-t -U -ibr0 -w - tcp port 80 -n -x": {Device: "br0", NoTime: true, Write: "-", Filter: "tcp port 80 -n -x"},
	} {
		if got, err := tcpdump.Parse(strings.Fields(line)); err != nil || got != want {
			t.Errorf("%s: %+v, %v", line, got, err)
		}
	}
	for line, want := range map[string]string{
		"":              "want -i",
		"icmp":          "want -i",
		"-i":            "option requires an argument -- 'i'",
		"-i br0 -c x":   "invalid packet count x",
		"-i br0 -c 0":   "invalid packet count 0",
		"-i br0 -v":     "option -v is not answered here",
		"-i br0 -nX":    "option -X is not answered here",
		"-r file":       "option -r is not answered here",
		"-i br0 --help": "option -- is not answered here",
	} {
		if _, err := tcpdump.Parse(strings.Fields(line)); err == nil || !strings.HasPrefix(err.Error(), "tcpdump: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", line, err, want)
		}
	}
}

// names are those of a lab.
func names(name string) []netip.Addr {
	return map[string][]netip.Addr{"RED": {netip.MustParseAddr("11.11.11.2"), netip.MustParseAddr("172.17.0.2")}}[name]
}

func TestFilterRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"(":                       "syntax error",
		"arp)":                    "syntax error",
		"(arp":                    "syntax error",
		"and":                     "syntax error",
		"arp and":                 "syntax error",
		"not":                     "syntax error",
		"host":                    "syntax error",
		"src":                     "syntax error",
		"11.11.11.3":              "syntax error",
		"ether":                   "syntax error",
		"less x":                  "syntax error",
		"foo bar baz":             "syntax error",
		"host BLUE":               "unknown host 'BLUE'",
		"port foo":                "unknown port 'foo'",
		"port 99999":              "illegal port number 99999 > 65535",
		"icmp host 11.11.11.2":    "'icmp' modifier applied to host",
		"tcp net 11":              "'tcp' modifier applied to net",
		"arp port 80":             "illegal qualifier of 'port'",
		"net 11.11.11.2/24":       `non-network bits set in "11.11.11.2/24"`,
		"net zz":                  "unknown network 'zz'",
		"ether host 1.2.3.4":      "hardware address",
		"host 02:42:0b:0b:0b:02":  "ether host",
		"tcp[13] & 2 != 0":        `"tcp[13]"`,
		"tcp[tcpflags]==2":        "brackets",
		"vlan 5":                  `"vlan" is not answered`,
		"gateway RED":             `"gateway" is not answered`,
		"len > 100":               `"len" is not answered`,
		"ip broadcast":            `"ip broadcast" is not answered`,
		"ether proto foo":         "unknown ether proto 'foo'",
		"ip proto foo":            "unknown ip proto 'foo'",
		strings.Repeat("(", 1000): "nested",
	} {
		if _, err := filter.Parse(text, names); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func TestFilterKnowsTheLab(t *testing.T) {
	f, err := filter.Parse("host RED", names)
	check(t, err)
	n := 0
	for _, frame := range corpus(t) {
		if f.Match(frame.Data, false) {
			n++
		}
		if f.Match(frame.Data[min(len(frame.Data), 14):], true) != f.Match(frame.Data, false) && len(frame.Data) > 14 && frame.Data[12] == 8 && frame.Data[13] == 0 {
			t.Errorf("% x: with and without its link's header", frame.Data)
		}
	}
	if n < 50 {
		t.Errorf("%d frames", n)
	}
}

func FuzzPrinter(f *testing.F) {
	for _, frame := range slices.Concat(corpus(f), read(f, "protocols.pcap"), read(f, "others.pcap")) {
		f.Add(frame.Data, false, "tcp port 80 or not host RED")
	}
	f.Fuzz(func(t *testing.T, data []byte, ip bool, text string) {
		for _, p := range []*tcpdump.Printer{{}, {Link: true}, {Device: true}, {Device: true, Link: true, NoTime: true}} {
			line := p.Line(&api.Frame{IP: ip, Data: data, Device: "br0", Direction: "In"})
			if bytes.ContainsFunc([]byte(line), func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' }) {
				t.Errorf("%q", line)
			}
		}
		if f, err := filter.Parse(text, names); err == nil {
			f.Match(data, ip)
		}
	})
}
