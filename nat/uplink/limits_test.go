//go:build linux

package uplink_test

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"

	"uswitch/nat"
	"uswitch/nat/uplink"
	"uswitch/switch/frame"
)

// fewFiles leaves the process n more file descriptors until the returned function is called.
func fewFiles(t *testing.T, n int) (restore func()) {
	t.Helper()
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	next, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	unix.Close(next)
	few := before
	few.Cur = uint64(next + n)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &few); err != nil {
		t.Fatal(err)
	}
	return sync.OnceFunc(func() {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
			t.Fatal(err)
		}
	})
}

// A host that makes up addresses is one host still, and holds no more of the machine's ports.
func TestManyAddressesAreOneHost(t *testing.T) {
	h, err := uplink.NewHost(uplink.HostConfig{Limits: uplink.Limits{Flows: 8, Dials: 4}})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	before := openSockets()
	for i := range 100 {
		for _, proto := range []uint8{frame.ProtoUDP, frame.ProtoTCP} {
			f := frame.Tuple{Proto: proto, SrcIP: frame.AddrOf(netip.AddrFrom4([4]byte{11, 11, byte(i), 2})), SrcPort: 5353, DstIP: frame.AddrOf(netip.AddrFrom4([4]byte{203, 0, 113, 10})), DstPort: 53}
			if _, r := h.Bind(nat.Binding{Tuple: f, Source: 7}, time.Now()); r != 0 {
				t.Fatalf("address %d: %v", i, r)
			}
		}
	}
	eventually(t, "more sockets stay open than 8 flows and 4 dials", func() bool { return openSockets() <= before+12 })
}

// Without file descriptors new flows are refused, old ones go on, and afterwards all is as before.
func TestNoFileDescriptorsLeft(t *testing.T) {
	l := newLab(t, uplink.HostConfig{}, dnat("tcp", 8090, "11.11.11.2:90"))
	serve(t, wanPID, server+":20", echo)
	l.service(t, 90, func(c net.Conn) { _, _ = io.Copy(c, c) })
	l.publish(t, frame.ProtoTCP, "0.0.0.0:8090")
	old := l.mustDial(t, red, server+":20")
	_ = old.SetDeadline(time.Now().Add(patience))
	b := make([]byte, 1)
	carries := func(when string) {
		t.Helper()
		if _, err := old.Write([]byte("x")); err != nil {
			t.Errorf("the old connection, %s: %v", when, err)
		}
		if _, err := old.Read(b); err != nil {
			t.Errorf("the old connection, %s: %v", when, err)
		}
	}
	carries("before")
	restore := fewFiles(t, 0)
	defer restore()
	if _, err := l.dial(blue, 0, server+":20", patience); err == nil || strings.Contains(err.Error(), "deadline") {
		t.Errorf("a new connection: %v, want a refusal", err)
	}
	carries("meanwhile")
	restore()
	exchange(t, l.mustDial(t, blue, server+":20"), []byte("again"))
	c := client(t, host+":8090")
	_ = c.SetDeadline(time.Now().Add(patience))
	_, _ = c.Write([]byte("y"))
	if _, err := io.ReadFull(c, b); err != nil {
		t.Errorf("the published port: %v", err)
	}
}

// A client that never answers the SYN-ACK does not keep Close waiting.
func TestCloseDuringAHandshake(t *testing.T) {
	l := newLab(t, uplink.HostConfig{})
	accepted := make(chan struct{}, 1)
	serve(t, wanPID, server+":21", func(*net.TCPConn) { accepted <- struct{}{} })
	l.send(frame.ProtoTCP, 64, "11.11.11.77", server, packet(frame.ProtoTCP, "11.11.11.77", server, syn(1000, 21)).Data[34:])
	<-accepted
}

// A connection that the gateway is told to forget ends on both sides.
func TestForgottenConnectionIsReset(t *testing.T) {
	l := newLab(t, uplink.HostConfig{})
	ended := make(chan error, 1)
	serve(t, wanPID, server+":22", func(c *net.TCPConn) {
		_, err := c.Read(make([]byte, 1))
		ended <- err
	})
	c := l.mustDial(t, red, server+":22")
	if n := l.gateway.DropConns(func(nat.Conn) bool { return true }, l.now()); n != 1 {
		t.Fatalf("forgot %d connections", n)
	}
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "reset") {
		t.Errorf("the outside read %v", err)
	}
	_ = c
}

// A reader that does not read holds its own connection up, and only a bounded amount of memory.
func TestSlowReaderHoldsUpTheWriter(t *testing.T) {
	l := newLab(t, uplink.HostConfig{})
	serve(t, wanPID, server+":23", func(c *net.TCPConn) {
		_ = c.SetReadBuffer(64 << 10)
		<-t.Context().Done()
	})
	serve(t, wanPID, server+":24", echo)
	c := l.mustDial(t, red, server+":23")
	_ = c.SetWriteDeadline(time.Now().Add(time.Second))
	n, err := c.Write(make([]byte, 64<<20))
	if err == nil || n > 16<<20 {
		t.Errorf("wrote %d bytes to somebody who does not read (%v)", n, err)
	}
	exchange(t, l.mustDial(t, red, server+":24"), randomBytes(1<<20))
}

// On a host without a way out everything starts, and says so when it is used.
func TestNoRoute(t *testing.T) {
	l := newLab(t, uplink.HostConfig{})
	run(t, "ip route del default")
	defer run(t, "ip route add default via 198.18.0.1")
	if got, ok := uplink.OutgoingAddr(); ok || got != uplink.FallbackAddr {
		t.Errorf("outgoing address %v, want the fallback", got)
	}
	if _, err := l.dial(red, 0, "192.0.2.1:80", patience); err == nil || !strings.Contains(err.Error(), "unreachable") {
		t.Errorf("TCP: %v, want network unreachable", err)
	}
	want := told{"11.11.11.1", red.String(), 3, 0, 4444, 64, red.String() + ">192.0.2.1"}
	if got := l.hears(t, func() { l.probe(red.String(), 4444, "192.0.2.1", 53, 64) }); got != want {
		t.Errorf("UDP: heard %+v", got)
	}
}

func TestOutgoingAddr(t *testing.T) {
	outside(t)
	if got, ok := uplink.OutgoingAddr(); !ok || got.String() != host+"/24" {
		t.Errorf("outgoing address %v", got)
	}
}

func run(t *testing.T, line string) {
	t.Helper()
	words := strings.Fields(line)
	if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", line, err, out)
	}
}

// serverVariable makes the test binary a server that accepts and holds connections.
const serverVariable = "USWITCH_UPLINK_TEST_SERVER"

func holdConnections(at string) {
	l, err := net.Listen("tcp4", at)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("up")
	for {
		c, err := l.Accept()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		go func() { _, _ = io.Copy(c, struct{ io.Reader }{c}) }() // not by splice(2), which would take pipes too
	}
}

// A thousand connections at once: they all carry, and what one costs is logged, half of it the test's own inside. Ten
// thousand are for TestF41TenThousand of package test, where no race detector watches each of them.
func TestManyConnections(t *testing.T) {
	l := newLab(t, uplink.HostConfig{})
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s := exec.Command("nsenter", "-t", fmt.Sprint(wanPID), "-n", self)
	s.Env = append(os.Environ(), serverVariable+"="+server+":25")
	s.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	runtime.LockOSThread() // the thread has to live as long as the child
	defer runtime.UnlockOSThread()
	s.Stderr = os.Stderr
	out, err := s.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Process.Kill(); _ = s.Wait() })
	if b := make([]byte, 3); true {
		if _, err := io.ReadFull(out, b); err != nil || string(b) != "up\n" {
			t.Fatalf("the server said %q", b)
		}
	}
	const count = 1000
	before := memory()
	conns := make([]*gonet.TCPConn, count)
	var group sync.WaitGroup
	for i := range 16 {
		group.Go(func() {
			for j := i; j < count; j += 16 {
				c, err := l.dial([]netip.Addr{red, blue}[j%2], 0, server+":25", patience)
				if err != nil {
					t.Errorf("connection %d: %v", j, err)
					return
				}
				conns[j] = c
			}
		})
	}
	group.Wait()
	if t.Failed() {
		return
	}
	t.Logf("a connection costs %d bytes, with both of its ends", (memory()-before)/count)
	for i, c := range conns {
		if _, err := c.Write([]byte{byte(i)}); err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
	}
	for i, c := range conns {
		b := make([]byte, 1)
		if _, err := c.Read(b); err != nil || b[0] != byte(i) {
			t.Fatalf("connection %d: %v %v", i, b, err)
		}
		abort(c)
	}
}

func memory() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapInuse + m.StackInuse)
}
