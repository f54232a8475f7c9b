package tap_test

import (
	"bytes"
	"errors"
	"os/exec"
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
