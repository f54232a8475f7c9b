package test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestTrace(t *testing.T) {
	t.Parallel()
	needs(t)
	l := newLab(t, resting)
	l.up("--trace", "off")
	trace := beginCommand(t, l.uswitch("trace", "-o", "json", "--proto", "icmp", "--hook", "egress"))
	eventually(t, "the trace shows a ping", func() bool {
		l.do("exec", l.ns("RED"), "--", "uswitch", "ping", "-c", "1", "11.11.11.3")
		return trace.stdout.count() >= 2
	})
	first, _, _ := strings.Cut(trace.stdout.String(), "\n")
	var event map[string]any
	if err := json.Unmarshal([]byte(first), &event); err != nil || event["hook"] != "egress" {
		t.Errorf("%v: %s", err, first)
	}
	// The lab's end is the trace's.
	l.do("stop")
	if status := trace.wait(); status != 0 {
		t.Errorf("trace ends with status %d: %s", status, trace.stderr)
	}
}

func TestCaptures(t *testing.T) {
	t.Parallel()
	needs(t, "tshark")
	l := newLab(t, redBlue)
	file := filepath.Join(t.TempDir(), "all.pcapng")
	l.do("run", "--trace", "off", "--pcap", file, l.file)
	fields := func(file string) string {
		t.Helper()
		out, err := exec.Command("tshark", "-r", file, "-T", "fields", "-e", "frame.interface_name", "-e", "frame.comment").Output()
		if err != nil {
			t.Fatalf("tshark: %v", err)
		}
		return string(out)
	}
	contains(t, fields(file), l.ns("RED")+" ingress\t", "br0 flood\tto "+l.ns("BLUE"), "gateway postrouting\tMASQUERADE", "uplink egress\t")
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the capture: %v %v", info.Mode(), err)
	}
	if _, errs, status := l.try("run", "--pcap", file, l.file); status != 1 || !strings.Contains(errs, "--force") {
		t.Errorf("an existing capture: status %d, %s", status, errs)
	}
	bad, err := exec.Command("tshark", "-r", file, "-o", "ip.check_checksum:TRUE", "-Y", "_ws.malformed || ip.checksum.status == Bad || icmp.checksum.status == Bad").Output()
	if err != nil || len(bad) > 0 {
		t.Errorf("tshark finds fault: %v\n%s", err, bad)
	}

	live := newLab(t, resting)
	live.up("--trace", "off")
	second := filepath.Join(t.TempDir(), "live.pcapng")
	capture := beginCommand(t, live.uswitch("capture", "-w", second))
	eventually(t, "the capture holds a ping", func() bool {
		live.do("exec", live.ns("RED"), "--", "uswitch", "ping", "-c", "1", "11.11.11.3")
		info, err := os.Stat(second)
		return err == nil && info.Size() > 1000
	})
	capture.signal(syscall.SIGINT)
	if status := capture.wait(); status != 0 {
		t.Errorf("capture ends with status %d: %s", status, capture.stderr)
	}
	contains(t, fields(second), live.ns("BLUE")+" egress\t")
}
