package test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"uswitch/tap"
)

// predictLabs is how many labs TestPredictions makes, unless USWITCH_PREDICT says another number.
const predictLabs = 20

// questionsEach is how many questions each of them is asked.
const questionsEach = 5

// TestPredictions makes labs whose hosts have been changed inside, at random, by their owners: rules, routes, addresses,
// settings, forwarders, servers that are bound. What `explain` says of a question must be what a real packet does, or that it is
// not known; and most of it must be known. The labs are the same in each run, so that a change fails for what it did itself;
// with USWITCH_PREDICT, which says how many, they are others each time. USWITCH_SEED repeats a run.
func TestPredictions(t *testing.T) {
	needs(t, "iptables-nft", "iptables-legacy", "nft", "tc", "sysctl", "ip", "ping")
	n, seed := predictLabs, uint64(1)
	if os.Getenv("USWITCH_PREDICT") != "" {
		seed = uint64(time.Now().UnixNano()) % 1_000_000
	}
	for name, set := range map[string]func(uint64){"USWITCH_PREDICT": func(v uint64) { n = int(v) }, "USWITCH_SEED": func(v uint64) { seed = v }} {
		if text := os.Getenv(name); text != "" {
			v, err := strconv.ParseUint(text, 10, 63)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			set(v)
		}
	}
	var asked, decided atomic.Int64
	t.Logf("USWITCH_SEED=%d USWITCH_PREDICT=%d", seed, n)
	t.Run("labs", func(t *testing.T) {
		for i := range n {
			t.Run(strconv.FormatUint(seed+uint64(i), 10), func(t *testing.T) {
				t.Parallel()
				p := newPredicted(t, seed+uint64(i))
				for range questionsEach {
					asked.Add(1)
					if p.ask() {
						decided.Add(1)
					}
				}
			})
		}
	})
	share := 100 * decided.Load() / max(asked.Load(), 1)
	t.Logf("%d of %d questions were decided: %d %%", decided.Load(), asked.Load(), share)
	if share < 70 && n >= predictLabs {
		t.Errorf("seed %d: only %d %% of the questions were decided", seed, share)
	}
}

// predicted is a lab of TestPredictions.
type predicted struct {
	*lab
	random  *rand.Rand
	hosts   []predictedHost
	targets []string
	done    []string // what was changed
}

type predictedHost struct {
	name, addr string
	ns         tap.Namespace
}

// The labs, by chance: three hosts on one network; two networks with the gateway between; two with a host between.
var predictedLabs = []string{`
name: lab@
networks: {lan: {ipam: {config: [{subnet: 10.7.1.0/24}]}}}
services:
  A@: {networks: {lan: {ipv4_address: 10.7.1.11}}}
  B@: {networks: {lan: {ipv4_address: 10.7.1.12}}}
  C@: {networks: {lan: {ipv4_address: 10.7.1.13}}}
x-uswitch: {uplink: sim}
`, `
name: lab@
networks:
  lan: {ipam: {config: [{subnet: 10.7.1.0/24}]}}
  far: {ipam: {config: [{subnet: 10.7.2.0/24}]}}
services:
  A@: {networks: {lan: {ipv4_address: 10.7.1.11}}}
  B@: {networks: {lan: {ipv4_address: 10.7.1.12}}}
  C@: {networks: {far: {ipv4_address: 10.7.2.13}}}
x-uswitch: {uplink: none, rules: ["-I FORWARD -j ACCEPT"]}
`, `
name: lab@
networks:
  lan: {ipam: {config: [{subnet: 10.7.1.0/24, gateway: 10.7.1.254}]}, x-uswitch: {gateway: none}}
  far: {ipam: {config: [{subnet: 10.7.2.0/24, gateway: 10.7.2.254}]}, x-uswitch: {gateway: none}}
services:
  A@: {networks: {lan: {ipv4_address: 10.7.1.11}}}
  B@: {networks: {lan: {ipv4_address: 10.7.1.12}, far: {ipv4_address: 10.7.2.12}}}
  C@: {networks: {far: {ipv4_address: 10.7.2.13}}}
x-uswitch: {uplink: none}
`}

func newPredicted(t *testing.T, seed uint64) *predicted {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 13))
	kind := random.IntN(len(predictedLabs))
	p := &predicted{lab: newLab(t, predictedLabs[kind]), random: random}
	p.upInBackground()
	host, err := tap.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { host.Close() })
	for name, addr := range map[string]string{"A": "10.7.1.11", "B": "10.7.1.12", "C": map[bool]string{true: "10.7.1.13", false: "10.7.2.13"}[kind == 0]} {
		ns, err := host.Adopt(p.ns(name))
		if err != nil {
			t.Fatal(err)
		}
		p.hosts = append(p.hosts, predictedHost{name: name, addr: addr, ns: ns})
	}
	slices.SortFunc(p.hosts, func(a, b predictedHost) int { return strings.Compare(a.name, b.name) })
	p.targets = []string{"10.7.1.11", "10.7.1.12", p.hosts[2].addr, p.hosts[2].addr, "10.7.1.50", "10.7.1.1", "10.7.1.255", "224.0.0.1", "8.8.8.8", "10.7.2.13", "10.7.2.12"}
	if kind == 2 {
		for _, line := range []string{"A ip route add default via 10.7.1.12", "C ip route add default via 10.7.2.12", "B sysctl -q -w net.ipv4.ip_forward=1"} {
			p.change(line)
		}
	}
	p.serve()
	for range p.random.IntN(4) {
		p.change(p.randomChange())
	}
	return p
}

func (p *predicted) one(of ...string) string { return of[p.random.IntN(len(of))] }

// change is what somebody types in a host. What its kernel refuses has changed nothing.
func (p *predicted) change(line string) {
	host, command, _ := strings.Cut(line, " ")
	for _, c := range strings.Split(command, " && ") {
		text, status := output(p.t, p.in(host, strings.Fields(c)...)...)
		p.done = append(p.done, fmt.Sprintf("%s: %s", host, c))
		if status != 0 {
			p.done = append(p.done, "  refused: "+strings.TrimSpace(text))
		}
	}
}

// randomChange is one of all kinds of things that decide inside a host.
func (p *predicted) randomChange() string {
	h := p.hosts[p.random.IntN(len(p.hosts))]
	o := p.hosts[p.random.IntN(len(p.hosts))]
	third := p.hosts[p.random.IntN(len(p.hosts))]
	to := p.one(o.addr, o.addr+"/32", "10.7.1.0/24", "10.7.2.0/24", "8.8.8.8", "0.0.0.0/1")
	return h.name + " " + p.one(
		p.one("iptables-nft", "iptables-legacy")+" -A "+p.one("INPUT", "OUTPUT", "FORWARD")+" -p "+p.one("icmp", "tcp", "udp")+" -j "+p.one("DROP", "REJECT", "ACCEPT"),
		p.one("iptables-nft", "iptables-legacy")+" -P "+p.one("INPUT", "OUTPUT", "FORWARD")+" DROP",
		"ip route add "+p.one("blackhole", "unreachable", "prohibit", "throw")+" "+to,
		"ip route add "+p.one("blackhole", "unreachable", "prohibit")+" "+to,
		"ip route add "+to+" via "+o.addr,
		"ip route replace default via "+o.addr,
		"ip route del default",
		"ip route del "+p.one("10.7.1.0/24", "10.7.2.0/24"),
		"ip route add "+o.addr+"/32 dev eth0 mtu 600",
		"ip route replace default dev eth0",
		"ip rule add "+p.one("to "+o.addr, "from "+h.addr, "to 10.7.2.0/24", "ipproto tcp", "iif eth0")+" "+p.one("blackhole", "prohibit", "unreachable"),
		"ip rule add to "+to+" table 7 && ip route add default via "+o.addr+" table 7",
		"ip rule add from "+h.addr+" table 7 && ip route add default via "+o.addr+" table 7",
		"ip addr add 10.7.1.50/24 dev eth0",
		"ip addr add 10.7.1.50/32 dev lo",
		"ip addr add "+o.addr+"/24 dev eth0",
		"ip addr add 10.7.1.1/24 dev eth0",
		"ip addr flush dev eth0",
		"ip link set eth0 down",
		"ip link set eth0 arp off",
		"ip link set eth0 address "+p.one("02:00:00:00:07:07", "02:42:0a:07:01:0b", "02:42:0a:07:01:0c"),
		"ip link add d0 type dummy && ip link set d0 up && ip route add "+to+" dev d0",
		"sysctl -q -w net.ipv4.icmp_echo_ignore_all=1",
		"sysctl -q -w net.ipv4.icmp_echo_ignore_broadcasts=0",
		"sysctl -q -w net.ipv4.ip_forward="+p.one("0", "1"),
		"sysctl -q -w net.ipv4.conf."+p.one("all", "eth0")+".rp_filter="+p.one("1", "2"),
		"sysctl -q -w net.ipv4.conf."+p.one("all", "eth0")+".arp_ignore="+p.one("1", "2", "8"),
		"sysctl -q -w net.ipv4.conf.all.arp_announce="+p.one("1", "2"),
		"sysctl -q -w net.ipv4.conf.eth0.arp_filter=1",
		"sysctl -q -w net.ipv4.conf.eth0.proxy_arp=1",
		"sysctl -q -w net.ipv4.ip_default_ttl="+p.one("1", "2"),
		"ip neigh replace "+p.one(o.addr, "10.7.1.1")+" lladdr "+p.one("02:00:00:00:09:09", "02:42:0a:07:01:0b", "02:42:0a:07:01:0c", "02:42:0a:07:01:0d")+" dev eth0 nud permanent",
		"tc qdisc replace dev eth0 root tbf rate 100mbit burst 32kb latency 50ms",
		"ip route add 10.7.1.50/32 via "+o.addr+" && ip route replace "+third.addr+"/32 via "+o.addr,
	)
}

// serve lets hosts listen: everywhere, and at one address.
func (p *predicted) serve() {
	for i := range p.hosts {
		h := &p.hosts[i]
		err := tap.Do(h.ns, func() error {
			for _, at := range []string{"0.0.0.0:80", "127.0.0.1:81", h.addr + ":82"} {
				l, err := net.Listen("tcp4", at)
				if err != nil {
					return err
				}
				p.t.Cleanup(func() { l.Close() })
				go func() {
					for {
						c, err := l.Accept()
						if err != nil {
							return
						}
						c.Close()
					}
				}()
			}
			for _, at := range []string{"0.0.0.0:80", h.addr + ":82"} {
				u, err := net.ListenPacket("udp4", at)
				if err != nil {
					return err
				}
				p.t.Cleanup(func() { u.Close() })
				go func() {
					b := make([]byte, 100)
					for {
						n, from, err := u.ReadFrom(b)
						if err != nil {
							return
						}
						_, _ = u.WriteTo(b[:n], from)
					}
				}()
			}
			return nil
		})
		if err != nil {
			p.t.Fatal(err)
		}
	}
}

// ask asks a question of explain and, where that is sure, of the network. It reports whether explain was sure.
func (p *predicted) ask() bool {
	p.t.Helper()
	from := p.hosts[p.random.IntN(len(p.hosts))]
	to := p.targets[p.random.IntN(len(p.targets))]
	for to == from.addr {
		to = p.targets[p.random.IntN(len(p.targets))]
	}
	protocol, port := p.one("icmp", "icmp", "tcp", "udp"), ""
	args := []string{"explain", p.ns(from.name), to, "-o", "json"}
	if protocol != "icmp" {
		port = p.one("80", "80", "81", "82", "9")
		args = append(args, "--"+protocol, port)
	}
	var answer struct{ Verdict, Sentence, Unknown string }
	if err := json.Unmarshal([]byte(p.do(args...)), &answer); err != nil {
		p.t.Fatal(err)
	}
	if answer.Verdict == "unknown" {
		if answer.Unknown == "" {
			p.t.Errorf("%s to %s, %s %s: not known, and not why", from.name, to, protocol, port)
		}
		p.t.Logf("%s to %s, %s %s: not known: %s", from.name, to, protocol, port, answer.Unknown)
		return false
	}
	// An answer that does not come is waited for as long as a loaded machine may take, where one is foretold.
	wait := time.Second
	if answer.Verdict == "yes" {
		wait = 20 * time.Second
	}
	works, what := p.really(from, to, protocol, port, wait)
	if works != (answer.Verdict == "yes") {
		p.t.Errorf("%s to %s, %s %s: explain says %s (%s), and really: %v (%s)\nin the lab %s, with\n  %s\n%s", from.name, to, protocol, port,
			answer.Verdict, answer.Sentence, works, what, p.file, strings.Join(p.done, "\n  "), p.do(args[:3:3]...))
	}
	return true
}

// really sends a packet, as ordinary programs do.
func (p *predicted) really(from predictedHost, to, protocol, port string, wait time.Duration) (works bool, what string) {
	p.t.Helper()
	if protocol == "icmp" {
		text, _ := output(p.t, p.in(from.name, "ping", "-n", "-c", "1", "-W", strconv.Itoa(int(wait.Seconds())), to)...)
		return pingAnswer.MatchString(text), text
	}
	err := tap.Do(from.ns, func() error {
		d := net.Dialer{Timeout: wait}
		conn, err := d.Dial(protocol+"4", to+":"+port)
		if err != nil || protocol == "tcp" {
			if err == nil {
				conn.Close()
			}
			return err
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(wait))
		if _, err = conn.Write([]byte("hello?")); err == nil {
			_, err = conn.Read(make([]byte, 100))
		}
		return err
	})
	return err == nil, explain(err)
}
