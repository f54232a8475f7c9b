package tap_test

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	vswitch "uswitch/switch"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
	"uswitch/tap"
)

// BenchmarkSwitch runs iperf3 between two namespaces: over a bare cable (a loop that reads one interface and writes the other,
// the most that any switch over the same interfaces can reach) and over a switch, taking turns. Only the ratios mean anything
// elsewhere. The processor time is this process's, the kernel's part of reading and writing included.
//
//	go test -run xxx -bench Switch -benchtime 3x ./tap
func BenchmarkSwitch(b *testing.B) {
	loads := []struct {
		name string
		args []string
	}{
		{"TCP", []string{"-P", "1"}},
		{"TCPx4", []string{"-P", "4"}},
		{"UDP64", []string{"-u", "-b", "0", "-l", "18"}},
	}
	for _, offload := range []bool{false, true} {
		for _, load := range loads {
			b.Run(kindName(offload)+"/"+load.name, func(b *testing.B) {
				host := newHost(b)
				var cable, bridge result
				for range b.N {
					cable.add(measure(b, host, offload, bareCable, load.args))
					bridge.add(measure(b, host, offload, overSwitch, load.args))
				}
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(cable.rate()/1e9, "cable-Gbit/s")
				b.ReportMetric(bridge.rate()/1e9, "switch-Gbit/s")
				b.ReportMetric(bridge.rate()/cable.rate(), "ratio")
				b.ReportMetric(cable.cost(), "cable-cpu-ns/KiB")
				b.ReportMetric(bridge.cost(), "switch-cpu-ns/KiB")
			})
		}
	}
}

// BenchmarkIdlePort opens interfaces whose readers wait, and tells what memory each takes.
func BenchmarkIdlePort(b *testing.B) {
	const nics = 100
	for _, offload := range []bool{false, true} {
		b.Run(kindName(offload), func(b *testing.B) {
			host := newHost(b)
			ns := create(b, host)
			before := memory()
			for i := range nics {
				device := open(b, host, ns, tap.Interface{Name: fmt.Sprintf("eth%d", i), DisableIPv6: true, Offload: offload})
				go device.Read()
			}
			time.Sleep(100 * time.Millisecond) // until every reader waits
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(memory()-before)/nics, "B/port")
		})
	}
}

// memory returns how many bytes the heap and the stacks take after a collection.
func memory() uint64 {
	runtime.GC()
	runtime.GC() // the first one only sets pools aside
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

// result is what iperf3's receiver and this process's accounts say.
type result struct {
	bits, seconds float64
	cpu           time.Duration
}

func (r *result) add(other result) {
	r.bits, r.seconds, r.cpu = r.bits+other.bits, r.seconds+other.seconds, r.cpu+other.cpu
}

func (r *result) rate() float64 { return r.bits / r.seconds }

func (r *result) cost() float64 { return float64(r.cpu) / (r.bits / 8 / 1024) }

// measure joins two namespaces and runs iperf3 from one to the other for a second.
func measure(b *testing.B, host tap.Host, offload bool, join func(testing.TB, [2]tap.Device), args []string) result {
	b.Helper()
	var r result
	withPair(b, host, [2]bool{offload, offload}, join, func(from, to tap.Namespace) {
		before := cpuTime(b)
		r = iperf(b, host, from, to, append([]string{"-c", "11.11.11.3", "-t", "1"}, args...)...)
		r.cpu = cpuTime(b) - before
	})
	return r
}

// withPair makes two namespaces with an interface each, the first 11.11.11.2 and fd00::2, the second 11.11.11.3 and fd00::3, and
// joins the interfaces for as long as use runs.
func withPair(t testing.TB, host tap.Host, offload [2]bool, join func(testing.TB, [2]tap.Device), use func(from, to tap.Namespace)) {
	t.Helper()
	var spaces [2]tap.Namespace
	var ends [2]tap.Device
	for i, address := range []string{"11.11.11.2/24", "11.11.11.3/24"} {
		spaces[i] = create(t, host)
		cfg := quietly(address)
		cfg.DisableIPv6 = false
		cfg.Offload = offload[i]
		ends[i] = open(t, host, spaces[i], cfg)
		defer ends[i].Close()
		ip(t, "-n", spaces[i].Name, "addr", "add", fmt.Sprintf("fd00::%d/64", i+2), "dev", "eth0", "nodad") // usable at once
	}
	join(t, ends)
	use(spaces[0], spaces[1])
}

func bareCable(_ testing.TB, ends [2]tap.Device) {
	go cable(ends[0], ends[1])
	go cable(ends[1], ends[0])
}

func overSwitch(t testing.TB, ends [2]tap.Device) {
	s := vswitch.New(vswitch.Config{Name: "br0", Tracer: new(trace.Tracer), Epoch: time.Now()})
	for i, name := range []string{"RED", "BLUE"} {
		p, err := s.Attach(name, ends[i], vswitch.PortFlags{Learning: true, Flood: true, MulticastFlood: true, BroadcastFlood: true})
		if err != nil {
			t.Fatal(err)
		}
		go p.Run()
	}
}

// iperf runs iperf3 from one namespace to the address of the other and returns what the receiver got.
func iperf(t testing.TB, host tap.Host, from, to tap.Namespace, args ...string) result {
	t.Helper()
	program := needs(t, "iperf3")
	server := exec.Command(program, "-s", "-1", "--forceflush")
	says, err := server.StdoutPipe()
	if err == nil {
		_, err = host.Start(to, server)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer server.Wait()
	defer server.Process.Kill()
	for heard := ""; !strings.Contains(heard, "listening"); {
		var b [256]byte
		n, err := says.Read(b[:])
		if err != nil {
			t.Fatalf("iperf3 -s: %v: %s", err, heard)
		}
		heard += string(b[:n])
	}
	client := exec.Command(program, append([]string{"-J"}, args...)...)
	var output strings.Builder
	client.Stdout = &output
	running, err := host.Start(from, client)
	if err != nil {
		t.Fatal(err)
	}
	var report struct {
		Error string
		End   struct {
			Received struct {
				Bits    float64 `json:"bits_per_second"`
				Seconds float64
			} `json:"sum_received"`
		}
	}
	status := running.Wait()
	if json.Unmarshal([]byte(output.String()), &report) != nil || status != 0 || report.Error != "" {
		t.Fatalf("iperf3 %v: status %d %s\n%s", args, status, report.Error, output.String())
	}
	seconds := report.End.Received.Seconds
	return result{bits: report.End.Received.Bits * seconds, seconds: seconds}
}

func cpuTime(t testing.TB) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// A Device tells the switch all that it asks of a link.
var (
	_ vswitch.Link     = tap.Device(nil)
	_ vswitch.Finisher = tap.Device(nil)
)

// BenchmarkWriteRead asks the interface for its address and reads the answer: a system call each way, and no waiting.
func BenchmarkWriteRead(b *testing.B) {
	for _, offload := range []bool{false, true} {
		b.Run(kindName(offload), func(b *testing.B) {
			host := newHost(b)
			cfg := quietly("11.11.11.2/24")
			cfg.Offload = offload
			device := open(b, host, create(b, host), cfg)
			b.ReportAllocs()
			for b.Loop() {
				if err := device.Write(frame.Frame{Data: arpRequest}); err != nil {
					b.Fatal(err)
				}
				if _, err := device.Read(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
