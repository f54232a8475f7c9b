package tap_test

import (
	"net"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"uswitch/tap"
)

// look looks into a namespace for the length of a test.
func look(t *testing.T, ns tap.Namespace) *tap.Inside {
	t.Helper()
	in, err := tap.Look(ns)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(in.Close)
	return in
}

// inside runs a command in a namespace.
func inside(t *testing.T, ns tap.Namespace, line string) {
	t.Helper()
	words := strings.Fields(line)
	needs(t, words[0])
	if out, err := exec.Command("ip", append([]string{"netns", "exec", ns.Name}, words...)...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", line, err, out)
	}
}

// TestInsideRoute asks the kernel of a namespace what it would do, with all that can decide about it.
func TestInsideRoute(t *testing.T) {
	host := newHost(t)
	ns := create(t, host)
	open(t, host, ns, quietly("10.9.0.2/24"))
	for _, line := range []string{
		"ip route add default via 10.9.0.1",
		"ip addr add 10.9.0.50/24 dev eth0",
		"ip route add blackhole 10.1.0.0/16", "ip route add unreachable 10.2.0.0/16", "ip route add prohibit 10.3.0.0/16",
		"ip route add 10.4.0.0/16 via 10.9.0.4 table 7", "ip rule add to 10.4.0.0/16 table 7", "ip rule add to 10.5.0.0/16 prohibit",
		"sysctl -q -w net.ipv4.conf.eth0.rp_filter=1", "ip route add 10.6.0.0/16 dev lo", "sysctl -q -w net.ipv4.ip_default_ttl=9",
	} {
		inside(t, ns, line)
	}
	in := look(t, ns)
	for _, tt := range []struct {
		dst, src, dev string
		want          tap.RouteType
		via, from     string
		text          string
	}{
		{dst: "8.8.8.8", want: tap.Unicast, via: "10.9.0.1", from: "10.9.0.2", text: "default via 10.9.0.1 dev eth0"},
		{dst: "10.9.0.7", want: tap.Unicast, from: "10.9.0.2", text: "10.9.0.0/24 dev eth0"},
		{dst: "10.9.0.50", want: tap.Local, text: "local 10.9.0.50 dev eth0"},
		{dst: "10.9.0.255", want: tap.Broadcast, from: "10.9.0.2", text: "broadcast 10.9.0.255 dev eth0"},
		{dst: "224.0.0.1", want: tap.Multicast, from: "10.9.0.2"},
		{dst: "10.1.2.3", want: tap.Blackhole}, {dst: "10.2.2.3", want: tap.Unreachable}, {dst: "10.3.2.3", want: tap.Prohibit},
		{dst: "10.4.2.3", want: tap.Unicast, via: "10.9.0.4", from: "10.9.0.2", text: "10.4.0.0/16 via 10.9.0.4 dev eth0"},
		{dst: "10.5.2.3", want: tap.Prohibit},
		{dst: "8.8.8.8", src: "10.9.0.50", want: tap.Unicast, via: "10.9.0.1", text: "default via 10.9.0.1 dev eth0"},
		{dst: "10.9.0.2", src: "10.9.0.9", dev: "eth0", want: tap.Local},
		{dst: "10.9.0.50", src: "8.8.8.8", dev: "eth0", want: tap.Local},
		{dst: "10.9.0.2", src: "10.6.1.1", dev: "eth0", want: tap.Blackhole},  // the way back is another
		{dst: "8.8.8.8", src: "10.9.0.9", dev: "eth0", want: tap.Unreachable}, // it does not forward
		{dst: "10.9.0.2", src: "10.9.0.50", dev: "eth0", want: tap.Blackhole}, // its own address as a source
	} {
		f := tap.Flow{Dst: netip.MustParseAddr(tt.dst), In: tt.dev}
		if tt.src != "" {
			f.Src = netip.MustParseAddr(tt.src)
		}
		d, err := in.Route(f)
		if err != nil {
			t.Errorf("%+v: %v", f, err)
			continue
		}
		via, from := "", ""
		if d.Via.IsValid() {
			via = d.Via.String()
		}
		if d.Src.IsValid() && tt.from != "" {
			from = d.Src.String()
		}
		if d.Type == tap.ReversePath { // before Linux 6.13
			d.Type = tap.Blackhole
		}
		if d.Type != tt.want || via != tt.via || from != tt.from {
			t.Errorf("%+v: got %+v, want %s via %q from %q", f, d, tt.want, tt.via, tt.from)
		}
		if _, text := in.Matching(d, f.Dst); tt.text != "" && text != tt.text {
			t.Errorf("%+v: by %q, want %q", f, text, tt.text)
		}
	}
	if n, _ := in.Sysctl("ip_default_ttl"); n != 9 || len(in.Rules) != 2 {
		t.Errorf("ip_default_ttl %d, rules %+v", n, in.Rules)
	}
	rules := "pref 32764 to 10.5.0.0/16 prohibit, pref 32765 to 10.4.0.0/16 lookup 7"
	if got := in.Rules[0].Text + ", " + in.Rules[1].Text; got != rules || in.Rules[0].Type != tap.Prohibit || in.Rules[1].Type != tap.Unicast {
		t.Errorf("%s, want %s", got, rules)
	}
	in.Close()
	if _, err := in.Route(tap.Flow{Dst: netip.MustParseAddr("8.8.8.8")}); err == nil {
		t.Error("a closed look still answers")
	}
}

// TestInsideSockets: who listens where, of either family.
func TestInsideSockets(t *testing.T) {
	host := newHost(t)
	ns := create(t, host)
	open(t, host, ns, quietly("10.9.0.2/24"))
	err := tap.Do(ns, func() error {
		for _, at := range []string{"0.0.0.0:80", "127.0.0.1:81", "10.9.0.2:82", "[::]:83"} {
			l, err := net.Listen("tcp", at)
			if err != nil {
				return err
			}
			t.Cleanup(func() { l.Close() })
		}
		u, err := net.ListenPacket("udp4", "10.9.0.2:53")
		if err == nil {
			t.Cleanup(func() { u.Close() })
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	inV6Only, err := v6only(ns)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(inV6Only) })
	var got []string
	for _, s := range look(t, ns).Sockets {
		got = append(got, map[uint8]string{6: "tcp", 17: "udp"}[s.Proto]+" "+netip.AddrPortFrom(s.Addr, s.Port).String())
	}
	slices.Sort(got)
	if want := []string{"tcp 0.0.0.0:80", "tcp 0.0.0.0:83", "tcp 10.9.0.2:82", "tcp 127.0.0.1:81", "udp 10.9.0.2:53"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// v6only listens on port 84 for IPv6 alone.
func v6only(ns tap.Namespace) (fd int, err error) {
	err = tap.Do(ns, func() error {
		fd, err = syscall.Socket(syscall.AF_INET6, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
		if err == nil {
			err = syscall.SetsockoptInt(fd, syscall.IPPROTO_IPV6, syscall.IPV6_V6ONLY, 1)
		}
		if err == nil {
			err = syscall.Bind(fd, &syscall.SockaddrInet6{Port: 84})
		}
		if err == nil {
			err = syscall.Listen(fd, 1)
		}
		return err
	})
	return fd, err
}

// TestInsideUnseen: what decides about packets and is not evaluated is found without the programs that made it.
func TestInsideUnseen(t *testing.T) {
	host := newHost(t)
	for name, tt := range map[string]struct {
		lines []string
		want  []string
	}{
		"nothing":         {},
		"nothing, listed": {lines: []string{"iptables-nft -L", "iptables-legacy -L", "iptables-legacy -t nat -L"}},
		"nft input": {lines: []string{"iptables-nft -A INPUT -p icmp -j DROP"},
			want: []string{"input 1 firewall rule of its own only"}},
		"nft chains": {lines: []string{"iptables-nft -N X", "iptables-nft -A X -j DROP", "iptables-nft -A OUTPUT -j X", "iptables-nft -N Y", "iptables-nft -A Y -j DROP"},
			want: []string{"output 2 firewall rules of its own only"}},
		"nft policy": {lines: []string{"iptables-nft -P INPUT DROP"}, want: []string{"input a firewall of its own whose policy drops everything only drops"}},
		"nft nat": {lines: []string{"iptables-nft -t nat -A POSTROUTING -j MASQUERADE"},
			want: []string{"postrouting 1 firewall rule of its own"}},
		"nft itself": {lines: []string{"nft add table inet t", "nft add chain inet t c { type filter hook forward priority 0 ; policy drop ; }", "nft add rule inet t c ip ttl set 3"},
			want: []string{"forward 1 firewall rule of its own"}},
		"nft of IPv6": {lines: []string{"ip6tables-nft -A INPUT -j DROP"}},
		"nft arp": {lines: []string{"nft add table arp t", "nft add chain arp t c { type filter hook input priority 0 ; }", "nft add rule arp t c drop"},
			want: []string{"arp in 1 firewall rule of its own only"}},
		"nft device": {lines: []string{"nft add table netdev t", "nft add chain netdev t c { type filter hook ingress device eth0 priority 0 ; }", "nft add rule netdev t c drop"},
			want: []string{"ingress 1 firewall rule of its own eth0 only"}},
		"legacy": {lines: []string{"iptables-legacy -A INPUT -p icmp -j DROP", "iptables-legacy -P FORWARD DROP"},
			want: []string{"forward a firewall of its own whose policy drops everything only drops", "input 1 firewall rule of its own only"}},
		"legacy mangle": {lines: []string{"iptables-legacy -t mangle -A OUTPUT -j TTL --ttl-set 1"}, want: []string{"output 1 firewall rule of its own"}},
		"a queue":       {lines: []string{"tc qdisc add dev eth0 root tbf rate 1mbit burst 2kb latency 50ms"}, want: []string{"egress a queue of tc's (tbf) at eth0 eth0"}},
		"a filter": {lines: []string{"tc qdisc add dev eth0 ingress", "tc filter add dev eth0 ingress protocol ip u32 match u32 0 0 flowid 1:1"},
			want: []string{"ingress filters of tc's at eth0 eth0"}},
	} {
		t.Run(name, func(t *testing.T) {
			ns := create(t, host)
			open(t, host, ns, quietly("10.9.0.2/24"))
			for _, line := range tt.lines {
				inside(t, ns, line)
			}
			var got []string
			for _, u := range look(t, ns).Unseen {
				text := string(u.At) + " " + u.Text
				for _, more := range []struct {
					is   bool
					text string
				}{{u.Dev != "", u.Dev}, {u.Only, "only"}, {u.Drops, "drops"}} {
					if more.is {
						text += " " + more.text
					}
				}
				got = append(got, text)
			}
			slices.Sort(got)
			if !slices.Equal(got, tt.want) {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}
