package hosttool_test

import (
	"bufio"
	"context"
	"io"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"uswitch/cmd/internal/session"
	"uswitch/cmd/internal/tools/tcpdump"
)

// heard are the lines of a tcpdump so far.
type heard struct {
	mu    sync.Mutex
	lines []string
}

func (h *heard) read(r io.Reader) {
	for in := bufio.NewScanner(r); in.Scan(); {
		h.mu.Lock()
		h.lines = append(h.lines, pingID.ReplaceAllString(in.Text(), "id N"))
		h.mu.Unlock()
	}
}

// pingID is the number that each ping has of its own.
var pingID = regexp.MustCompile(`id \d+`)

// sorted returns the lines in no order: the kernel and the switch tell the steps of one frame in different ones.
func (h *heard) sorted() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Sorted(slices.Values(h.lines))
}

// listen starts the real tcpdump on the twin, and the one here on the lab, with the same words.
func (w *twin) listen(args ...string) (real, ours *heard) {
	w.t.Helper()
	real, ours = &heard{}, &heard{}
	cmd := exec.Command("ip", append([]string{"netns", "exec", w.bridge, "tcpdump", "--immediate-mode", "-l", "-n", "-t"}, args...)...)
	out, err := cmd.StdoutPipe()
	check(w.t, err)
	errs, err := cmd.StderrPipe()
	check(w.t, err)
	check(w.t, cmd.Start())
	for in := bufio.NewReader(errs); ; {
		line, err := in.ReadString('\n')
		check(w.t, err)
		if strings.HasPrefix(line, "listening on") {
			break
		}
	}
	o, err := tcpdump.Parse(append([]string{"-n", "-t"}, args...))
	check(w.t, err)
	ctx, stop := context.WithCancel(context.Background())
	r, pipe := io.Pipe()
	began, begin := io.Pipe()
	var all sync.WaitGroup
	all.Go(func() { real.read(out) })
	all.Go(func() { ours.read(r) })
	all.Go(func() {
		if err := session.StreamEnd(ctx, w.lab.client.Lab(), tcpdump.Run(ctx, w.lab.client, o, pipe, begin)); err != nil {
			w.t.Error(err)
		}
		pipe.Close()
		begin.Close()
	})
	for in := bufio.NewReader(began); ; {
		line, err := in.ReadString('\n')
		check(w.t, err)
		if strings.HasPrefix(line, "listening on") {
			break
		}
	}
	all.Go(func() { _, _ = io.Copy(io.Discard, began) })
	w.t.Cleanup(func() {
		stop()
		_ = cmd.Process.Kill()
		all.Wait()
		_ = cmd.Wait()
	})
	return real, ours
}

func TestTcpdumpAsTheRealOne(t *testing.T) {
	needs(t, "tcpdump")
	for name, words := range map[string]string{
		"the bridge":                "-i br0 icmp",
		"the bridge with addresses": "-i br0 -e icmp",
		"a cable":                   "-i PORT icmp",
		"everywhere":                "-i any icmp",
		"everywhere with addresses": "-i any -e icmp",
		"a filter":                  "-i br0 icmp and src 11.11.11.2 or arp and dst host 11.11.11.77",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := start(t, redAndBlue)
			w := newTwin(t, l)
			w.inHosts("RED", "ping", "-n", "-c", "1", "-W", "5", "11.11.11.3") // who is where is known from now on
			w.inHosts("RED", "ping", "-n", "-c", "1", "-W", "5", "11.11.11.1")
			real, ours := w.listen(strings.Fields(strings.ReplaceAll(words, "PORT", l.veth("RED")))...)
			w.inHosts("RED", "ping", "-n", "-c", "2", "-i", "0.2", "-W", "5", "11.11.11.3")
			w.inHosts("RED", "ping", "-n", "-c", "1", "-W", "5", "-s", "1400", "11.11.11.1")
			w.inHosts("RED", "sh", "-c", "ping -n -c 1 -W 1 11.11.11.77 || true")
			t.Cleanup(func() {
				if t.Failed() {
					t.Logf("the real one\n%s\nand here\n%s", strings.Join(real.sorted(), "\n"), strings.Join(ours.sorted(), "\n"))
				}
			})
			eventually(t, "both have heard the same", func() bool {
				return len(real.sorted()) >= 3 && slices.Equal(real.sorted(), ours.sorted())
			})
		})
	}
}
