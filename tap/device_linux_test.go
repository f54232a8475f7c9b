package tap_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"time"

	vswitch "uswitch/switch"
	"uswitch/switch/frame"
	"uswitch/tap"
)

// eachKind runs a test with plain interfaces and with interfaces with offload.
func eachKind(t *testing.T, test func(t *testing.T, offload bool)) {
	t.Parallel()
	for _, offload := range []bool{false, true} {
		t.Run(kindName(offload), func(t *testing.T) {
			t.Parallel()
			test(t, offload)
		})
	}
}

func kindName(offload bool) string {
	if offload {
		return "offload"
	}
	return "plain"
}

// cable carries frames one way until a device is gone.
func cable(from, to tap.Device) {
	for {
		f, err := from.Read()
		if err != nil {
			return
		}
		to.Write(f) // an error is a frame lost, as on a cable
	}
}

// TestCable joins two namespaces with nothing but a loop in between, and lets ping judge.
func TestCable(t *testing.T) { eachKind(t, testCable) }

func testCable(t *testing.T, offload bool) {
	host, ping := newHost(t), needs(t, "ping")
	red, blue := create(t, host), create(t, host)
	redCfg, blueCfg := quietly("11.11.11.2/24"), quietly("11.11.11.3/24")
	redCfg.MAC = frame.MAC{0x02, 0x42, 11, 11, 11, 2}
	redCfg.Offload, blueCfg.Offload = offload, offload
	redEnd, blueEnd := open(t, host, red, redCfg), open(t, host, blue, blueCfg)
	go cable(redEnd, blueEnd)
	go cable(blueEnd, redEnd)

	for _, size := range []string{"0", "56", "1472", "65000"} {
		cmd := exec.Command(ping, "-n", "-c", "2", "-i", "0.01", "-W", "5", "-s", size, "11.11.11.3")
		var output bytes.Buffer
		cmd.Stdout, cmd.Stderr = &output, &output
		process, err := host.Start(red, cmd)
		if err != nil {
			t.Fatal(err)
		}
		if status := process.Wait(); status != 0 {
			t.Errorf("ping -s %s: status %d\n%s", size, status, output.String())
		}
	}
	if neighbours := ip(t, "-n", blue.Name, "neigh"); !bytes.Contains([]byte(neighbours), []byte("02:42:0b:0b:0b:02")) {
		t.Errorf("BLUE's neighbours do not have RED's MAC address:\n%s", neighbours)
	}
}

// TestGone takes the device away under a reader in every way there is.
func TestGone(t *testing.T) { eachKind(t, testGone) }

func testGone(t *testing.T, offload bool) {
	ways := []struct {
		name string
		take func(t *testing.T, host tap.Host, ns tap.Namespace, device tap.Device)
	}{
		{"close", func(t *testing.T, _ tap.Host, _ tap.Namespace, device tap.Device) { device.Close() }},
		{"ip link del", func(t *testing.T, _ tap.Host, ns tap.Namespace, _ tap.Device) {
			ip(t, "-n", ns.Name, "link", "del", "eth0")
		}},
		{"ip netns del", func(t *testing.T, _ tap.Host, ns tap.Namespace, _ tap.Device) { ip(t, "netns", "del", ns.Name) }},
		{"release", func(t *testing.T, host tap.Host, ns tap.Namespace, _ tap.Device) {
			if err := host.Release(ns); err != nil {
				t.Error(err)
			}
		}},
	}
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			host := newHost(t)
			ns := create(t, host)
			cfg := quietly("11.11.11.2/24")
			cfg.Offload = offload
			device := open(t, host, ns, cfg)
			reads := make(chan error)
			go func() {
				_, err := device.Read()
				reads <- err
			}()
			way.take(t, host, ns, device)
			select {
			case err := <-reads:
				if !errors.Is(err, tap.ErrGone) {
					t.Errorf("Read: %v, want ErrGone", err)
				}
			case <-time.After(30 * time.Second):
				t.Fatal("Read still waits")
			}
			if _, err := device.Read(); !errors.Is(err, tap.ErrGone) {
				t.Errorf("second Read: %v, want ErrGone", err)
			}
			if err := device.Write(frame.Frame{Data: make([]byte, 60)}); !errors.Is(err, tap.ErrGone) {
				t.Errorf("Write: %v, want ErrGone", err)
			}
			if _, err := device.State(); !errors.Is(err, tap.ErrGone) {
				t.Errorf("State: %v, want ErrGone", err)
			}
			for range 2 {
				if err := device.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			}
		})
	}
}

// wantGone waits for a reader to be told.
func wantGone(t *testing.T, device tap.Device) {
	t.Helper()
	reads := make(chan error)
	go func() {
		for {
			if _, err := device.Read(); err != nil {
				reads <- err
				return
			}
		}
	}()
	select {
	case err := <-reads:
		if !errors.Is(err, tap.ErrGone) {
			t.Errorf("Read: %v, want ErrGone", err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("Read still waits")
	}
}

// TestDownAndUp takes an interface down and up again under a reader and a writer.
func TestDownAndUp(t *testing.T) { eachKind(t, testDownAndUp) }

func testDownAndUp(t *testing.T, offload bool) {
	host := newHost(t)
	ns := create(t, host)
	cfg := quietly("11.11.11.2/24")
	cfg.Offload = offload
	device := open(t, host, ns, cfg)
	frames := make(chan string, 10)
	go func() {
		for {
			f, err := device.Read()
			if err != nil {
				close(frames)
				return
			}
			frames <- string(f.Data)
		}
	}()
	for range 3 {
		ip(t, "-n", ns.Name, "link", "set", "eth0", "down")
		if err := device.Write(frame.Frame{Data: arpRequest}); !errors.Is(err, tap.ErrDown) {
			t.Errorf("Write while down: %v, want ErrDown", err)
		}
		if isReady(device) {
			t.Error("it is ready while down")
		}
		if len(frames) != 0 {
			t.Error("Read returned while down")
		}
		ip(t, "-n", ns.Name, "link", "set", "eth0", "up")
		if !isReady(device) {
			t.Error("it is not ready while up")
		}
		if err := device.Write(frame.Frame{Data: arpRequest}); err != nil {
			t.Errorf("Write after up: %v", err)
		}
		if reply := <-frames; !strings.HasPrefix(reply, string(arpRequest[6:12])) || len(reply) != 42 {
			t.Errorf("the kernel's answer: % x", reply)
		}
	}
	device.Close()
	if f, open := <-frames; open {
		t.Errorf("Read returned % x, want nothing more", f)
	}
}

func isReady(d tap.Device) bool { return d.(interface{ Ready() bool }).Ready() }

// arpRequest asks who has 11.11.11.2, on behalf of 11.11.11.9.
var arpRequest = []byte{
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0x42, 11, 11, 11, 9, 0x08, 0x06, // Ethernet
	0, 1, 8, 0, 6, 4, 0, 1, // ARP: request
	0x02, 0x42, 11, 11, 11, 9, 11, 11, 11, 9, 0, 0, 0, 0, 0, 0, 11, 11, 11, 2,
}

// TestFramesAreWhole sends frames of odd kinds from inside, and compares the bytes that arrive.
func TestFramesAreWhole(t *testing.T) { eachKind(t, testFramesAreWhole) }

func testFramesAreWhole(t *testing.T, offload bool) {
	host := newHost(t)
	ns := create(t, host)
	cfg := quietly()
	cfg.Offload = offload
	cfg.MTU = 65521
	device := open(t, host, ns, cfg)
	tests := []struct {
		name string
		data []byte
	}{
		{"smallest", testFrame(14)},
		{"odd", testFrame(61)},
		{"full", testFrame(1514)},
		{"tagged", append(append(testFrame(12), 0x81, 0x00, 0x20, 0x2a, 0x08, 0x00), testFrame(1500)...)},
		{"largest", testFrame(65521 + 14)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			send(t, ns, test.data)
			got, err := device.Read()
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Data, test.data) || got.Offload != (frame.Offload{}) {
				t.Errorf("got %d bytes, %+v; want the %d bytes that were sent", len(got.Data), got.Offload, len(test.data))
			}
			if err := device.Write(got); err != nil {
				t.Errorf("Write: %v", err)
			}
		})
	}
}

// TestWriteRefuses offers frames that the device cannot take.
func TestWriteRefuses(t *testing.T) { eachKind(t, testWriteRefuses) }

func testWriteRefuses(t *testing.T, offload bool) {
	host := newHost(t)
	cfg := quietly()
	cfg.Offload = offload
	device := open(t, host, create(t, host), cfg)
	for _, kind := range []frame.GSO{frame.GSONone, frame.GSOTCPv4, frame.GSOTCPv6} {
		if device.TakesOffload(kind) != offload {
			t.Errorf("TakesOffload(%d): %v, want %v", kind, device.TakesOffload(kind), offload)
		}
	}
	if super := superDatagram(); device.TakesOffload(frame.GSOUDPL4) != (device.Write(super) == nil) {
		t.Errorf("TakesOffload of datagrams says %v, and Write %v", device.TakesOffload(frame.GSOUDPL4), device.Write(super))
	}
	if _, ok := device.(vswitch.Burster); !ok {
		t.Error("the device does not tell the switch about bursts")
	}
	good := frame.Frame{Data: testFrame(60)}
	if err := device.Write(good); err != nil {
		t.Errorf("a good frame: %v", err)
	}
	tests := []struct {
		name   string
		frame  frame.Offload
		refuse bool
	}{
		{"without a checksum", frame.Offload{NeedsChecksum: true, ChecksumStart: 34, ChecksumOffset: 6}, !offload},
		{"with a checksum that somebody vouches for", frame.Offload{ChecksumValid: true}, false},
		{"checksum behind the end", frame.Offload{NeedsChecksum: true, ChecksumStart: 50, ChecksumOffset: 9}, true},
		{"super-frame without a checksum to complete", frame.Offload{GSO: frame.GSOTCPv4, GSOSize: 10, HeaderLen: 54}, true},
		{"segments without a size", frame.Offload{GSO: frame.GSOTCPv4, HeaderLen: 54, NeedsChecksum: true, ChecksumStart: 34, ChecksumOffset: 16}, true},
		{"headers behind the end", frame.Offload{GSO: frame.GSOUDPL4, GSOSize: 8, HeaderLen: 60, NeedsChecksum: true, ChecksumStart: 34, ChecksumOffset: 6}, true},
		{"segments of no kind that is known", frame.Offload{GSO: 3, GSOSize: 8, HeaderLen: 42, NeedsChecksum: true, ChecksumStart: 34, ChecksumOffset: 6}, true},
	}
	for _, test := range tests {
		f := good
		f.Offload = test.frame
		err := device.Write(f)
		if !test.refuse && err != nil || test.refuse && !errors.Is(err, tap.ErrOffload) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	for _, length := range []int{0, 1, 13} {
		if err := device.Write(frame.Frame{Data: testFrame(length)}); err == nil || errors.Is(err, tap.ErrGone) {
			t.Errorf("a frame of %d bytes: %v, want an error that is not the end", length, err)
		}
	}
}

// superDatagram is a super-frame of three datagrams, whose checksum the kernel believes.
func superDatagram() frame.Frame {
	const udp = frame.EthernetHeader + frame.IPv4Header
	f := frame.Frame{Data: testFrame(udp + frame.UDPHeader + 250), Offload: frame.Offload{NeedsChecksum: true,
		ChecksumStart: udp, ChecksumOffset: 6, GSO: frame.GSOUDPL4, GSOSize: 100, HeaderLen: udp + frame.UDPHeader}}
	binary.BigEndian.PutUint16(f.Data[12:], frame.TypeIPv4)
	a := netip.MustParseAddr("11.11.11.9")
	frame.PutIPv4(f.Data[frame.EthernetHeader:], frame.ProtoUDP, 64, 1, a, a)
	binary.BigEndian.PutUint16(f.Data[udp+4:], frame.UDPHeader+250)
	return f
}

// TestNothingIsAllocated is not parallel, for it counts the allocations of this process.
func TestNothingIsAllocated(t *testing.T) {
	for _, offload := range []bool{false, true} {
		t.Run(kindName(offload), func(t *testing.T) { testNothingIsAllocated(t, offload) })
	}
}

func testNothingIsAllocated(t *testing.T, offload bool) {
	host := newHost(t)
	ns := create(t, host)
	cfg := quietly("11.11.11.2/24")
	cfg.Offload = offload
	device := open(t, host, ns, cfg)
	ask := frame.Frame{Data: arpRequest}
	allocs := testing.AllocsPerRun(100, func() {
		if err := device.Write(ask); err != nil {
			t.Fatal(err)
		}
		if _, err := device.Read(); err != nil {
			t.Fatal(err)
		}
	})
	if allocs != 0 {
		t.Errorf("Write and Read allocate %v times", allocs)
	}
	ip(t, "-n", ns.Name, "link", "set", "eth0", "down")
	if allocs := testing.AllocsPerRun(100, func() { device.Write(ask) }); allocs != 0 {
		t.Errorf("Write to an interface that is down allocates %v times", allocs)
	}
}

// testFrame returns length bytes, no two neighbours alike, with an EtherType that nobody answers.
func testFrame(length int) []byte {
	data := make([]byte, max(length, 14))
	for i := range data {
		data[i] = byte(i*7 + i>>8)
	}
	copy(data, []byte{0x02, 0, 0, 0, 0, 1, 0x02, 0, 0, 0, 0, 2, 0x88, 0xb5}) // 0x88b5: local experiments (IEEE 802)
	return data[:length]
}

// TestAnnounce: an interface that is to announce its address does so when it comes up, once, and its setting is then as on others.
func TestAnnounce(t *testing.T) {
	host := newHost(t)
	ns := create(t, host)
	config := quietly("11.11.11.2/24")
	config.Announce = true
	nic := open(t, host, ns, config)
	f, err := nic.Read()
	if err != nil {
		t.Fatal(err)
	}
	e, ok := frame.ParseEthernet(f.Data)
	if !ok || e.Type() != frame.TypeARP {
		t.Fatalf("the first frame is % x", f.Data)
	}
	if a, ok := frame.ParseARP(e.Payload()); !ok || !a.IsAnnouncement() || a.SenderIP() != netip.MustParseAddr("11.11.11.2") || e.Dst() != frame.Broadcast {
		t.Errorf("the first frame is % x", f.Data)
	}
	out, err := exec.Command("ip", "netns", "exec", ns.Name, "cat", "/proc/sys/net/ipv4/conf/"+config.Name+"/arp_notify").CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "0" {
		t.Errorf("arp_notify is %s afterwards, %v", out, err)
	}
}
