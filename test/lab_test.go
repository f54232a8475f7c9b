package test

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// threeHosts is the lab of most tests. An @ in a lab file stands for the test's own suffix: namespaces are names that the
// whole machine shares.
//
//	RED   11.11.11.2 02:42:0b:0b:0b:02 --+
//	BLUE  11.11.11.3 02:42:0b:0b:0b:03 --+-- br0 -- gateway 11.11.11.1 02:42:0b:0b:0b:01
//	GREEN 11.11.11.4 02:42:0b:0b:0b:04 --+
const threeHosts = `
name: lab@
networks:
  br0: {ipam: {config: [{subnet: 11.11.11.0/24}]}}
services:
  RED@: {networks: {br0: {ipv4_address: 11.11.11.2}}}
  BLUE@: {networks: {br0: {ipv4_address: 11.11.11.3}}}
  GREEN@: {networks: {br0: {ipv4_address: 11.11.11.4}}}
x-uswitch: {uplink: none}
`

// Addresses of threeHosts.
const (
	gatewayIP, redIP, blueIP, greenIP     = "11.11.11.1", "11.11.11.2", "11.11.11.3", "11.11.11.4"
	gatewayMAC, redMAC, blueMAC, greenMAC = "02:42:0b:0b:0b:01", "02:42:0b:0b:0b:02", "02:42:0b:0b:0b:03", "02:42:0b:0b:0b:04"
)

// lab is a `uswitch run` that has the lab up.
type lab struct {
	*process
	t      *testing.T
	suffix string
	name   string
	file   string
}

var labs atomic.Int64

// newLab writes a lab file; nothing runs yet. At the end of the test nothing may be left of the lab.
func newLab(t *testing.T, file string) *lab {
	t.Helper()
	l := &lab{t: t, suffix: fmt.Sprintf("-%d-%d", os.Getpid(), labs.Add(1))}
	l.name = "lab" + l.suffix
	l.file = filepath.Join(t.TempDir(), "lab.yaml")
	if err := os.WriteFile(l.file, []byte(l.own(file)), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.checkNothingLeft)
	return l
}

// startLab brings a lab up, with its trace in JSON, and takes it down at the end of the test.
func startLab(t *testing.T, file string, args ...string) *lab {
	t.Helper()
	l := newLab(t, file)
	l.run(args...)
	l.waitUp()
	return l
}

// own puts the test's own suffix in the place of every @.
func (l *lab) own(text string) string { return strings.ReplaceAll(text, "@", l.suffix) }

// ns returns the namespace of a host.
func (l *lab) ns(host string) string { return host + l.suffix }

// run starts `uswitch run`, with the trace in JSON.
func (l *lab) run(args ...string) {
	l.t.Helper()
	l.process = begin(l.t, append([]string{uswitch, "run", l.file, "--trace", "json"}, args...)...)
	l.t.Cleanup(l.stop)
}

// waitUp waits until the lab answers.
func (l *lab) waitUp() {
	l.t.Helper()
	eventually(l.t, "somebody answers behind "+l.socket(), func() bool {
		select {
		case <-l.ended:
			l.t.Fatalf("the lab has ended; stderr:\n%s", l.stderr)
		default:
		}
		conn, err := net.Dial("unix", l.socket())
		if err != nil {
			return false
		}
		conn.Close()
		return true
	})
}

// socket returns the path of the lab's control socket.
func (l *lab) socket() string { return "/run/uswitch/" + l.name + ".sock" }

// stop asks the lab to end, if it still runs, and looks at how it has ended.
func (l *lab) stop() {
	l.t.Helper()
	l.signal(syscall.SIGTERM)
	l.wait()
	for _, bad := range []string{"DATA RACE", "panic:", "goroutine "} {
		if strings.Contains(l.stderr.String(), bad) {
			l.t.Errorf("the lab has written:\n%s", l.stderr)
			break
		}
	}
}

// event is a line of the trace. Names of hosts are without the test's suffix.
type event struct {
	Packet    uint64
	Hop       int
	Hook      string
	Verdict   string
	Reason    string
	Before    tuple
	After     tuple
	Rule      string
	Where     string
	Port      string
	Ports     []string
	SrcMAC    string `json:"src_mac"`
	DstMAC    string `json:"dst_mac"`
	EtherType string
	Length    int
	Text      string
	Lost      uint64
}

// tuple is what a translation changes.
type tuple struct {
	Proto, Src, Dst  string
	Sport, Dport, ID int
}

func (l *lab) decode(line string) (e event) {
	line = strings.ReplaceAll(line, l.suffix, "")
	if err := json.Unmarshal([]byte(line), &e); err != nil {
		l.t.Errorf("a line of the trace that is no JSON: %v: %s", err, line)
	}
	return e
}

// event waits for an event.
func (l *lab) event(what string, is func(event) bool) event {
	l.t.Helper()
	return l.eventFrom(0, what, is)
}

// eventFrom waits for an event behind the nth line of the trace.
func (l *lab) eventFrom(n int, what string, is func(event) bool) event {
	l.t.Helper()
	return l.decode(l.stdout.find(l.t, n, what, func(line string) bool { return is(l.decode(line)) }))
}

// events returns the events so far that match.
func (l *lab) events(is func(event) bool) (matching []event) {
	all, _, _ := l.stdout.from(0)
	for _, line := range all {
		if e := l.decode(line); is(e) {
			matching = append(matching, e)
		}
	}
	return matching
}

// drop waits for a drop at a port for a reason, which must also be counted.
func (l *lab) drop(port, reason string) event {
	l.t.Helper()
	e := l.event("drop of "+reason+" at "+port, func(e event) bool { return e.Reason == reason && e.Port == port })
	if l.drops(reason) == 0 {
		l.t.Errorf("%s is in the trace, but not counted", reason)
	}
	return e
}

// drops returns how many packets the lab has dropped for a reason.
func (l *lab) drops(reason string) (n uint64) {
	l.t.Helper()
	var rows []struct {
		Reason string
		Count  uint64
	}
	l.get("drops", &rows)
	for _, row := range rows {
		if row.Reason == reason {
			n = row.Count
		}
	}
	return n
}

// get asks the lab's control socket with curl. Names of hosts come without the test's suffix.
func (l *lab) get(what string, into any) {
	l.t.Helper()
	text := must(l.t, "curl", "-s", "--fail-with-body", "--unix-socket", l.socket(), "http://uswitch/v1/"+what)
	if err := json.Unmarshal([]byte(strings.ReplaceAll(text, l.suffix, "")), into); err != nil {
		l.t.Fatalf("%s: %v: %s", what, err, text)
	}
}

// station is a row of the forwarding table.
type station struct {
	MAC, Ifname, Master, State string
	Flags                      []string
}

// behind returns the port behind which a station lives, "" if nobody knows.
func (l *lab) behind(mac string) string {
	l.t.Helper()
	var rows []station
	l.get("fdb", &rows)
	for _, row := range rows {
		if row.MAC == mac {
			return row.Ifname
		}
	}
	return ""
}

// port is a row of the ports' table.
type port struct {
	Name      string
	Received  uint64 `json:"rx_packets"`
	RxDropped uint64 `json:"rx_dropped"`
	TxDropped uint64 `json:"tx_dropped"`
}

// port returns the port of a host, the zero value if there is none.
func (l *lab) port(host string) port {
	l.t.Helper()
	var rows []port
	l.get("ports", &rows)
	for _, row := range rows {
		if row.Name == host {
			return row
		}
	}
	return port{}
}

// set is `uswitch set`, which must succeed.
func (l *lab) set(args ...string) {
	l.t.Helper()
	l.do(append([]string{"set"}, args...)...)
}
