package tap_test

import (
	"bytes"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"

	"uswitch/switch/frame"
	"uswitch/tap"
)

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
func TestCable(t *testing.T) {
	t.Parallel()
	host, ping := newHost(t), needs(t, "ping")
	red, blue := create(t, host), create(t, host)
	redCfg := quietly("11.11.11.2/24")
	redCfg.MAC = frame.MAC{0x02, 0x42, 11, 11, 11, 2}
	redEnd, blueEnd := open(t, host, red, redCfg), open(t, host, blue, quietly("11.11.11.3/24"))
	go cable(redEnd, blueEnd)
	go cable(blueEnd, redEnd)

	for _, size := range []string{"0", "56", "1472", "65000"} {
		cmd := exec.Command(ping, "-n", "-c", "2", "-i", "0.01", "-W", "5", "-s", size, "11.11.11.3")
		var output bytes.Buffer
		cmd.Stdout, cmd.Stderr = &output, &output
		if err := host.Start(red, cmd); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("ping -s %s: %v\n%s", size, err, output.String())
		}
	}
	if neighbours := ip(t, "-n", blue.Name, "neigh"); !bytes.Contains([]byte(neighbours), []byte("02:42:0b:0b:0b:02")) {
		t.Errorf("BLUE's neighbours do not have RED's MAC address:\n%s", neighbours)
	}
}

// TestGone takes the device away under a reader in every way there is.
func TestGone(t *testing.T) {
	t.Parallel()
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
			device := open(t, host, ns, quietly("11.11.11.2/24"))
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

// TestDownAndUp takes a card down and up again under a reader and a writer.
func TestDownAndUp(t *testing.T) {
	t.Parallel()
	host := newHost(t)
	ns := create(t, host)
	device := open(t, host, ns, quietly("11.11.11.2/24"))
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
		if len(frames) != 0 {
			t.Error("Read returned while down")
		}
		ip(t, "-n", ns.Name, "link", "set", "eth0", "up")
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

// arpRequest asks who has 11.11.11.2, on behalf of 11.11.11.9.
var arpRequest = []byte{
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0x42, 11, 11, 11, 9, 0x08, 0x06, // Ethernet
	0, 1, 8, 0, 6, 4, 0, 1, // ARP: request
	0x02, 0x42, 11, 11, 11, 9, 11, 11, 11, 9, 0, 0, 0, 0, 0, 0, 11, 11, 11, 2,
}

// TestFramesAreWhole sends frames of odd kinds from inside, and compares the bytes that arrive.
func TestFramesAreWhole(t *testing.T) {
	t.Parallel()
	host := newHost(t)
	ns := create(t, host)
	cfg := quietly()
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
func TestWriteRefuses(t *testing.T) {
	t.Parallel()
	host := newHost(t)
	device := open(t, host, create(t, host), quietly())
	good := frame.Frame{Data: testFrame(60)}
	if err := device.Write(good); err != nil {
		t.Errorf("a good frame: %v", err)
	}
	unsummed, super := good, good
	unsummed.Offload.NeedsChecksum = true
	super.Offload.GSO = frame.GSOTCPv4
	for name, f := range map[string]frame.Frame{"without a checksum": unsummed, "super-frame": super} {
		if err := device.Write(f); !errors.Is(err, tap.ErrOffload) {
			t.Errorf("%s: %v, want ErrOffload", name, err)
		}
	}
	for _, length := range []int{0, 1, 13} {
		if err := device.Write(frame.Frame{Data: testFrame(length)}); err == nil || errors.Is(err, tap.ErrGone) {
			t.Errorf("a frame of %d bytes: %v, want an error that is not the end", length, err)
		}
	}
}

// TestNothingIsAllocated is not parallel, for it counts the allocations of this process.
func TestNothingIsAllocated(t *testing.T) {
	host := newHost(t)
	ns := create(t, host)
	device := open(t, host, ns, quietly("11.11.11.2/24"))
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
		t.Errorf("Write to a card that is down allocates %v times", allocs)
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
