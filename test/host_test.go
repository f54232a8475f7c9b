package test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/gopacket/pcapgo"
)

// in returns a command line that runs inside a host.
func (l *lab) in(host string, argv ...string) []string {
	return append([]string{"ip", "netns", "exec", l.ns(host)}, argv...)
}

// exec runs a program inside a host, which must succeed, and returns what it wrote.
func (l *lab) exec(host string, argv ...string) string {
	l.t.Helper()
	return must(l.t, l.in(host, argv...)...)
}

// pings reports whether one ping is answered.
func (l *lab) pings(host, address string) bool {
	l.t.Helper()
	_, status := output(l.t, l.in(host, "ping", "-n", "-c", "1", "-W", "5", address)...)
	return status == 0
}

// send puts one frame, byte by byte, onto a host's wire. Two digits are a byte; spaces and colons are for the reader.
func (l *lab) send(host string, frame ...string) {
	l.t.Helper()
	b := octets(frame...)
	if 14 < len(b) && len(b) < 2000 {
		l.exec(host, "mausezahn", "eth0", "-q", "-c", "1", hexWords(b))
		return
	}
	// mausezahn makes the shortest frame one byte longer, and cuts long ones.
	argv := l.in(host, "socat", "-u", "-b", "70000", "STDIN", "INTERFACE:eth0")
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdin = bytes.NewReader(b)
	if out, err := cmd.CombinedOutput(); err != nil {
		l.t.Fatalf("socat: %v: %s", err, out)
	}
}

// hexWords is a frame as mausezahn reads it.
func hexWords(frame []byte) string { return fmt.Sprintf("% x", frame) }

func octets(frame ...string) []byte {
	digits := strings.NewReplacer(" ", "", ":", "", "\n", "", "\t", "").Replace(strings.Join(frame, ""))
	b, err := hex.DecodeString(digits)
	if err != nil {
		panic(err)
	}
	return b
}

// Words of frames for send.
const (
	everyone   = "ff:ff:ff:ff:ff:ff"
	experiment = "88b5" // an EtherType that is nobody's (IEEE 802, local experimental)
)

// sniffer is a tcpdump inside a host that hands over what it sees.
type sniffer struct {
	t      *testing.T
	mu     sync.Mutex
	frames [][]byte
}

// sniff starts tcpdump on a host's interface and waits until it listens. The filter is tcpdump's.
func (l *lab) sniff(host string, filter ...string) *sniffer {
	l.t.Helper()
	return l.sniffOn(host, "eth0", filter...)
}

// sniffOn does so on another interface.
func (l *lab) sniffOn(host, nic string, filter ...string) *sniffer {
	l.t.Helper()
	s := &sniffer{t: l.t}
	argv := l.in(host, append([]string{"tcpdump", "-i", nic, "-n", "-U", "-w", "-", "--immediate-mode", "-Q", "in"}, filter...)...)
	r, w, err := os.Pipe()
	if err != nil {
		l.t.Fatal(err)
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdout = w
	p := beginCommand(l.t, cmd)
	w.Close()
	go s.read(r)
	p.stderr.find(l.t, 0, "sign that tcpdump listens", containing("listening on"))
	return s
}

func (s *sniffer) read(r io.ReadCloser) {
	defer r.Close()
	in, err := pcapgo.NewReader(r)
	for err == nil {
		var frame []byte
		if frame, _, err = in.ReadPacketData(); err == nil {
			s.mu.Lock()
			s.frames = append(s.frames, frame)
			s.mu.Unlock()
		}
	}
}

// seen returns the frames so far.
func (s *sniffer) seen() [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([][]byte(nil), s.frames...)
}

// count returns how many frames so far are these bytes.
func (s *sniffer) count(frame []byte) (n int) {
	for _, f := range s.seen() {
		if string(f) == string(frame) {
			n++
		}
	}
	return n
}

// await waits for a frame of these bytes.
func (s *sniffer) await(what string, frame []byte) {
	s.t.Helper()
	eventually(s.t, what, func() bool { return s.count(frame) > 0 })
}

// probe is the ping that a fault elsewhere must not disturb.
type probe struct{ *process }

// probe begins to ping five times a second, and returns when the first answers are there.
func (l *lab) probe(from, address string) *probe {
	l.t.Helper()
	p := &probe{begin(l.t, l.in(from, "ping", "-n", "-O", "-i", "0.2", address)...)}
	p.goesOn()
	return p
}

var sequence = regexp.MustCompile(`bytes from .* icmp_seq=(\d+)`)

// goesOn waits for three more answers.
func (p *probe) goesOn() {
	p.t.Helper()
	seen := p.stdout.count()
	for range 3 {
		p.stdout.find(p.t, seen, "further answer", sequence.MatchString)
		seen = p.stdout.count()
	}
}

// lostNothing waits for three more answers, ends the ping, and looks for gaps.
func (p *probe) lostNothing() {
	p.t.Helper()
	p.goesOn()
	p.signal(syscall.SIGINT)
	p.waitOutput()
	all, _, _ := p.stdout.from(0)
	next := 1
	for _, line := range all {
		m := sequence.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		if n, _ := strconv.Atoi(m[1]); n != next {
			p.t.Errorf("the probe has lost answers:\n%s", p.stdout)
			return
		}
		next++
	}
}
