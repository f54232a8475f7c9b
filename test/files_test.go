package test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Captures, and readers of the trace that are slow or go away.
//
//	     TestCaptureIsSound          tshark finds nothing malformed, no wrong checksum, and reads journeys in order
//	F60  TestCaptureOfAKilledLab     still opens
//	F77  TestF77DiskFull             the capture ends at a whole block, says so once; the lab goes on
//	F78  TestF78CapturePath          links, directories, devices, existing files, pipes that nobody reads
//	F79  TestF79SlowReader           misses the oldest events, and is told how many; the lab does not wait
//	F80  TestF80ReaderGoes           of a trace: the lab goes on; of the lab itself: it ends in order

func TestCaptureIsSound(t *testing.T) {
	needs(t, "tshark", "iperf3", "mausezahn")
	t.Parallel()
	capture := filepath.Join(t.TempDir(), "all.pcapng")
	l := startLab(t, threeHosts, "--pcap", capture)
	l.exec("RED", "ping", "-n", "-c", "2", "-i", "0.1", blueIP)
	l.exec("RED", "ping", "-n", "-c", "1", "-s", "4000", gatewayIP)
	begin(t, l.in("BLUE", "iperf3", "-s", "-1")...)
	eventually(t, "BLUE listens", func() bool { return strings.Contains(l.exec("BLUE", "ss", "-Hlnt"), ":5201") })
	l.exec("RED", "iperf3", "-c", blueIP, "-n", "300K") // super-frames, with checksums left open
	l.exec("RED", "mausezahn", "eth0", "-q", "-c", "1", "-a", redMAC, "-b", blueMAC, "-A", redIP, "-B", blueIP, "-t", "udp", "dp=9", "-p", "100")
	l.send("RED", everyone, "01:00:00:00:00:01", experiment, "01") // dropped
	l.drop("RED", "group-source")
	l.do("stop")
	l.wait()

	bad := must(t, "tshark", "-r", capture, "-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE",
		"-Y", "_ws.malformed || ip.checksum.status == 0 || tcp.checksum.status == 0 || udp.checksum.status == 0 || icmp.checksum.status == 0")
	if found := strings.Split(strings.TrimSpace(withoutWarnings(bad)), "\n"); found[0] != "" {
		t.Errorf("tshark finds fault with %d packets:\n%s", len(found), found[0])
	}

	text := must(t, "tshark", "-r", capture, "-Y", "arp.dst.proto_ipv4 == "+blueIP+" && arp.opcode == 1 && eth.src == "+redMAC,
		"-T", "fields", "-e", "frame.interface_name", "-e", "frame.comment")
	journey := strings.Split(strings.TrimSpace(strings.ReplaceAll(withoutWarnings(text), l.suffix, "")), "\n")
	want := []string{
		"RED ingress\t" + redMAC + " > " + everyone,
		"br0 learn\t" + redMAC + " lives behind RED",
		"br0 flood\tto BLUE, GREEN and the gateway: a broadcast goes to everyone but its sender",
		"BLUE egress\tsent",
		"GREEN egress\tsent",
		"gateway arp\t" + blueIP + " is not mine: no answer",
	}
	if strings.Join(journey, "\n") != strings.Join(want, "\n") {
		t.Errorf("tshark reads\n%s\nwant\n%s", strings.Join(journey, "\n"), strings.Join(want, "\n"))
	}
	if text := must(t, "tshark", "-r", capture, "-Y", "frame.interface_name == \"drops\"", "-T", "fields", "-e", "frame.comment"); !strings.Contains(text, "group-source") {
		t.Errorf("the drop is not among the drops: %s", text)
	}
	if info, err := os.Stat(capture); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the capture's mode: %v %v", info.Mode(), err)
	}
}

// withoutWarnings cuts off what tshark says of being root.
func withoutWarnings(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "Running as user") {
			b.WriteString(line)
		}
	}
	return b.String()
}

func TestCaptureOfAKilledLab(t *testing.T) {
	needs(t, "tshark")
	t.Parallel()
	kills(t)
	capture := filepath.Join(t.TempDir(), "all.pcapng")
	l := startLab(t, threeHosts, "--pcap", capture)
	flood := begin(t, l.in("RED", "ping", "-n", "-f", "-q", gatewayIP)...)
	eventually(t, "the capture grows", func() bool { info, err := os.Stat(capture); return err == nil && info.Size() > 100_000 })
	l.kill()
	flood.kill()
	if text, status := output(t, "tshark", "-r", capture, "-c", "100"); status != 0 {
		t.Errorf("tshark: status %d:\n%s", status, text)
	}
	l.do("cleanup")
}

func TestF77DiskFull(t *testing.T) {
	needs(t, "tshark")
	t.Parallel()
	disk := t.TempDir()
	must(t, "mount", "-t", "tmpfs", "-o", "size=256k", "none", disk)
	t.Cleanup(func() { must(t, "umount", disk) })
	capture := filepath.Join(disk, "all.pcapng")
	l := startLab(t, threeHosts, "--pcap", capture)
	probe := l.probe("GREEN", blueIP)
	flood := begin(t, l.in("RED", "ping", "-n", "-f", "-q", "-s", "1400", gatewayIP)...)
	full := containing("capture", "no space left", "the lab goes on")
	l.stderr.find(t, 0, "report of the full disk", full)
	flood.kill()
	probe.lostNothing()
	if text, status := output(t, "tshark", "-r", capture); status != 0 || strings.Contains(text, "cut short") {
		t.Errorf("the capture does not end at a whole block: status %d:\n%s", status, text[max(0, len(text)-300):])
	}
	l.do("stop")
	l.wait()
	if n := strings.Count(l.stderr.String(), "no space left"); n != 1 {
		t.Errorf("said %d times:\n%s", n, l.stderr)
	}
}

func TestF78CapturePath(t *testing.T) {
	needs(t)
	t.Parallel()
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	precious := path("precious")
	if err := os.WriteFile(precious, []byte("precious"), 0o644); err != nil {
		t.Fatal(err)
	}
	must(t, "ln", "-s", precious, path("link"))
	must(t, "ln", "-s", path("nothing"), path("dangling"))
	must(t, "mkfifo", path("fifo"))
	must(t, "mkdir", path("directory"))
	for name, args := range map[string][]string{
		"an existing file":                 {precious},
		"a link":                           {path("link")},
		"a link, with --force":             {path("link"), "--force"},
		"a link to nothing":                {path("dangling")},
		"a link to nothing, with --force":  {path("dangling"), "--force"},
		"a directory":                      {path("directory")},
		"a directory, with --force":        {path("directory"), "--force"},
		"a pipe that nobody reads":         {path("fifo")},
		"the same, with --force":           {path("fifo"), "--force"},
		"/dev/full":                        {"/dev/full"},
		"a directory that is not there":    {path("no/all.pcapng")},
		"a directory of a path with links": {path("link/all.pcapng")},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, threeHosts)
			_, text, status := l.try(append([]string{"run", l.file, "--pcap"}, append(args, "--", "true")...)...)
			if status != 1 || strings.Count(text, "\n") != 1 || !strings.Contains(text, args[0]) {
				t.Errorf("status %d, want 1 and a line that names the file: %s", status, text)
			}
		})
	}
	if text, err := os.ReadFile(precious); err != nil || string(text) != "precious" {
		t.Errorf("the file that was there: %q, %v", text, err)
	}
	if _, err := os.Lstat(path("nothing")); err == nil {
		t.Error("a link was followed")
	}
	l := newLab(t, threeHosts)
	l.do("run", l.file, "--trace", "off", "--pcap", precious, "--force", "--", "true")
	if info, err := os.Stat(precious); err != nil || info.Size() == 8 {
		t.Errorf("--force does not overwrite: %v %v", info, err)
	}
}

func TestF79SlowReader(t *testing.T) {
	needs(t)
	t.Parallel()
	l := newLab(t, threeHosts)
	l.up("--trace", "off")
	probe := l.probe("GREEN", blueIP)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	trace := l.uswitch("trace", "-o", "json")
	trace.Stdout = w
	reader := beginCommand(t, trace)
	w.Close()
	first := make([]byte, 1)
	for answered := false; !answered; { // until the trace has begun
		l.pings("RED", gatewayIP)
		_ = r.SetReadDeadline(time.Now().Add(patience))
		n, err := r.Read(first)
		if answered = n == 1; err != nil {
			t.Fatal(err)
		}
	}
	l.exec("RED", "ping", "-n", "-f", "-q", "-c", "10000", gatewayIP) // nobody reads
	probe.lostNothing()
	_ = r.SetReadDeadline(time.Time{}) // the pings may have taken longer than that
	out := newLines()
	go out.read(r)
	out.find(t, 0, "number of lost events", containing(`{"lost":`))
	reader.signal(syscall.SIGINT)
	if status := reader.wait(); status != 0 {
		t.Errorf("the trace ends with status %d: %s", status, reader.stderr)
	}
}

func TestF80ReaderGoes(t *testing.T) {
	needs(t)
	t.Parallel()
	l := newLab(t, threeHosts)
	l.up("--trace", "off")
	probe := l.probe("GREEN", blueIP)
	files := l.descriptors()
	for range 5 {
		text, status := output(t, "sh", "-c", `"$0" trace --lab "$1" | head -n 1`, uswitch, l.name)
		if status != 0 || !strings.Contains(text, "#") {
			t.Errorf("trace | head: status %d: %s", status, text)
		}
		killed := beginCommand(t, l.uswitch("trace"))
		killed.stdout.find(t, 0, "beginning of the trace", containing("ingress"))
		killed.kill()
	}
	eventually(t, "their files are closed", func() bool { return l.descriptors() <= files })
	probe.lostNothing()

	closed := newLab(t, threeHosts)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	run := closed.uswitch("run", closed.file)
	run.Stdout = w
	p := beginCommand(t, run)
	w.Close()
	if _, err := io.ReadFull(r, make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	r.Close()
	select {
	case <-p.ended:
	default:
		eventually(t, "the lab whose output nobody reads ends", func() bool {
			_, _ = output(t, "ip", "netns", "exec", closed.ns("RED"), "ping", "-c", "1", "-W", "1", blueIP)
			select {
			case <-p.ended:
				return true
			default:
				return false
			}
		})
	}
	if status := p.wait(); status != 0 && status != 141 {
		t.Errorf("status %d, want 0 or 141", status)
	}
}
