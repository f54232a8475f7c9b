package tap_test

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"uswitch/switch/frame"
	"uswitch/tap"
)

// TestEthtool asks the namespace what its interface leaves to the device.
func TestEthtool(t *testing.T) {
	t.Parallel()
	host, ethtool := newHost(t), needs(t, "ethtool")
	for offload, want := range map[bool]string{true: ": on", false: ": off"} {
		ns := create(t, host)
		cfg := quietly()
		cfg.Offload = offload
		open(t, host, ns, cfg)
		output, err := exec.Command("ip", "netns", "exec", ns.Name, ethtool, "-k", "eth0").CombinedOutput()
		if err != nil {
			t.Fatalf("ethtool: %v: %s", err, output)
		}
		for _, feature := range []string{"tx-checksumming", "tcp-segmentation-offload", "tx-tcp6-segmentation"} {
			if !strings.Contains(string(output), feature+want) {
				t.Errorf("%s: want %s%s in\n%s", kindName(offload), feature, want, output)
			}
		}
	}
}

// kinds counts the frames that a cable saw, by what was left to do.
type kinds struct {
	mu    sync.Mutex
	count map[frame.GSO]int
	wrong []string
}

func (k *kinds) see(f frame.Frame) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.count[f.Offload.GSO]++
	if !f.Offload.Valid(len(f.Data)) || f.Offload.GSO != frame.GSONone && int(f.Offload.GSOSize)+int(f.Offload.HeaderLen) > 1514 {
		k.wrong = append(k.wrong, fmt.Sprintf("%+v of %d bytes", f.Offload, len(f.Data)))
	}
}

// spy joins two devices with a cable that looks at what passes, and cuts it for an end that takes only finished frames.
func (k *kinds) spy(_ testing.TB, ends [2]tap.Device) {
	k.count = map[frame.GSO]int{}
	for i := range ends {
		go func() {
			from, to, scratch := ends[i], ends[1-i], make([]byte, 1<<16+100)
			for {
				f, err := from.Read()
				if err != nil {
					return
				}
				k.see(f)
				if to.TakesOffload(f.Offload.GSO) {
					to.Write(f)
					continue
				}
				segments, _ := frame.Segment(f, scratch)
				for one, more := segments.Next(); more; one, more = segments.Next() {
					to.Write(one)
				}
			}
		}()
	}
}

// TestSuperFrames sends streams of each kind between interfaces with and without offload, and lets tshark judge what an interface
// without it gets.
func TestSuperFrames(t *testing.T) {
	tcp4, tcp6 := []string{"-c", "11.11.11.3"}, []string{"-c", "fd00::3"}
	tests := []struct {
		name string
		from bool
		to   bool
		args []string
		want frame.GSO
	}{
		{"TCPv4, both", true, true, tcp4, frame.GSOTCPv4},
		{"TCPv6, both", true, true, tcp6, frame.GSOTCPv6},
		{"TCPv4, sender only", true, false, tcp4, frame.GSOTCPv4},
		{"TCPv6, sender only", true, false, tcp6, frame.GSOTCPv6},
		{"TCPv4, receiver only", false, true, tcp4, frame.GSONone},
		{"TCPv4, neither", false, false, tcp4, frame.GSONone},
		{"UDP, sender only", true, false, append([]string{"-u", "-b", "80M"}, tcp4...), frame.GSONone},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			host := newHost(t)
			var seen kinds
			withPair(t, host, [2]bool{test.from, test.to}, seen.spy, func(from, to tap.Namespace) {
				judge := func() {}
				if !test.to { // one with offload believes frames whose checksum nobody has computed, and has nothing to show
					judge = capture(t, to)
				}
				got := iperf(t, host, from, to, append([]string{"-n", "20M"}, test.args...)...)
				judge()
				enough := 0.8
				if test.args[0] == "-u" {
					enough = 0.3 // datagrams are lost where a machine has other work
				}
				if got.bits < 8*20e6*enough {
					t.Errorf("iperf3 received %.0f bytes", got.bits/8)
				}
			})
			seen.mu.Lock() // a last frame may be on its way yet
			defer seen.mu.Unlock()
			if len(seen.wrong) > 0 {
				t.Errorf("%d frames such as %s", len(seen.wrong), seen.wrong[0])
			}
			if test.want != frame.GSONone && seen.count[test.want] < 100 || test.want == frame.GSONone && len(seen.count) != 1 {
				t.Errorf("kinds of frames seen: %v, want kind %d", seen.count, test.want)
			}
		})
	}
}

// TestSuperDatagrams has the kernel send many UDP datagrams as one frame (UDP_SEGMENT), and reads them one by one.
func TestSuperDatagrams(t *testing.T) {
	const size, count = 1000, 40
	payload := testFrame(size*count - 1) // the last one is shorter
	for _, address := range []string{"11.11.11.3:9", "[fd00::3]:9"} {
		for _, to := range []bool{true, false} {
			t.Run(address+"/"+kindName(to), func(t *testing.T) {
				t.Parallel()
				var seen kinds
				host := newHost(t)
				withPair(t, host, [2]bool{true, to}, seen.spy, func(from, into tap.Namespace) {
					receiver := socketIn(t, into, func() (net.Conn, error) {
						conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(address)))
						return conn, err
					})
					sender := socketIn(t, from, func() (net.Conn, error) { return net.Dial("udp", address) })
					raw, err := sender.(*net.UDPConn).SyscallConn()
					if err == nil {
						raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_UDP, unix.UDP_SEGMENT, size) })
					}
					if err == nil {
						_, err = sender.Write(payload)
					}
					if err != nil {
						t.Fatal(err)
					}
					var got, buffer []byte
					buffer = make([]byte, 1<<16)
					receiver.SetReadDeadline(time.Now().Add(30 * time.Second)) // for the failure only
					for range count {
						n, err := receiver.Read(buffer)
						if err != nil {
							t.Fatalf("after %d bytes: %v", len(got), err)
						}
						got = append(got, buffer[:n]...)
					}
					if !bytes.Equal(got, payload) {
						t.Errorf("%d bytes arrived, not the %d that were sent", len(got), len(payload))
					}
				})
				seen.mu.Lock()
				defer seen.mu.Unlock()
				if seen.count[frame.GSOUDPL4] == 0 {
					skip(t, fmt.Sprintf("this kernel does not leave the cutting of datagrams to a TAP (before Linux 6.2): %v", seen.count))
				}
				if len(seen.wrong) > 0 {
					t.Error(seen.wrong)
				}
			})
		}
	}
}

// socketIn opens a socket in a namespace for the length of a test.
func socketIn(t *testing.T, ns tap.Namespace, open func() (net.Conn, error)) (conn net.Conn) {
	t.Helper()
	err := tap.Do(ns, func() (err error) {
		conn, err = open()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// capture records what the interface of a namespace receives from elsewhere, until judge is called, which reports bad checksums.
func capture(t *testing.T, ns tap.Namespace) (judge func()) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "in.pcap")
	tcpdump, tshark := needs(t, "tcpdump"), needs(t, "tshark")
	cmd := exec.Command("ip", "netns", "exec", ns.Name, tcpdump, "-Z", "root", "-i", "eth0", "-Q", "in", "-U", "-c", "2000", "-w", file, "ip or ip6")
	var says bytes.Buffer
	ready, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	for !strings.Contains(says.String(), "listening") {
		var b [256]byte
		n, err := ready.Read(b[:])
		if err != nil {
			t.Fatalf("tcpdump: %v: %s", err, says.String())
		}
		says.Write(b[:n])
	}
	return func() {
		t.Helper()
		cmd.Process.Signal(os.Interrupt)
		cmd.Wait()
		output, err := exec.Command(tshark, "-r", file, "-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE",
			"-Y", "ip.checksum.status==0 || tcp.checksum.status==0 || udp.checksum.status==0 || _ws.malformed").Output()
		if err != nil {
			t.Fatalf("tshark: %v", err)
		}
		if len(output) > 0 {
			lines := strings.SplitN(string(output), "\n", 4)
			t.Errorf("tshark finds %d bad packets, such as\n%s", strings.Count(string(output), "\n"), strings.Join(lines[:min(3, len(lines))], "\n"))
		}
	}
}
