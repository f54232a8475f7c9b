package test

import (
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestReplay: a journey is shown again, from the lab's memory and from a capture.
func TestReplay(t *testing.T) {
	needs(t)
	t.Parallel()
	l := newLab(t, threeHosts)
	file := t.TempDir() + "/all.pcapng"
	l.up("--trace", "json", "--pcap", file)
	if !l.pings("RED", blueIP) {
		t.Fatal("not answered")
	}
	e := l.event("forwarded ping", func(e event) bool { return e.Hook == "egress" && e.Port == "BLUE" && e.EtherType == "0x0800" })
	number := strconv.FormatUint(e.Packet, 10)
	want := []string{"RED      ingress", "br0      forward", "to BLUE only: learned", "BLUE     egress",
		"02:42:0b:0b:0b:02 > 02:42:0b:0b:0b:03, ethertype IPv4 (0x0800), length 98: 11.11.11.2 > 11.11.11.3: ICMP echo request"}
	spaces := regexp.MustCompile(` +`)
	squeezed := func(s string) string { return spaces.ReplaceAllString(strings.ReplaceAll(s, l.suffix, ""), " ") }
	for _, args := range [][]string{{number}, {"-r", file, number}} {
		out := squeezed(strings.ReplaceAll(l.do(append([]string{"replay"}, args...)...), "\n", " "))
		for _, w := range want {
			if !strings.Contains(out, squeezed(w)) {
				t.Errorf("replay %v: want %q in\n%s", args, w, out)
			}
		}
	}
	for _, args := range [][]string{{"999999"}, {"0"}, {"-r", l.file, "1"}, {"-r", file, "999999"}} {
		if _, errs, status := l.try(append([]string{"replay"}, args...)...); status == 0 || !strings.HasPrefix(errs, "uswitch: ") {
			t.Errorf("replay %v: status %d, %s", args, status, errs)
		}
	}
	l.stop()
	cmd := exec.Command(uswitch, "replay", "-r", file, number)
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "egress") {
		t.Errorf("without a lab: %v\n%s", err, out)
	}
}
