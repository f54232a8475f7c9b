package test

import (
	"net"
	"strings"
	"testing"
	"time"
)

// Published ports, on the host's sockets; what the kernel's DNAT does with them is compared in TestLikeTheKernel.

// forms has ports in every form that Compose knows.
const forms = `
name: lab@
networks:
  br0: {ipam: {config: [{subnet: 11.11.11.0/24}]}}
services:
  RED@: {networks: {br0: {ipv4_address: 11.11.11.2}}}
  BLUE@:
    networks: {br0: {ipv4_address: 11.11.11.3}}
    ports:
      - "8080:80"
      - "8081:80/tcp"
      - "127.0.0.1:8082:80"
      - "192.168.104.2:8083:80"
      - "8090-8092:90-92"
      - "5353:53/udp"
      - "127.0.0.1:5354:53/udp"
      - {target: 80, published: "8084"}
      - {target: 80, published: "8085", host_ip: 127.0.0.1, protocol: tcp, mode: host, name: page}
      - {target: 53, published: "5355", protocol: udp}
      - {target: 80, published: "8080-8099"}
      - 80
x-uswitch: {uplink: UPLINK}
`

func TestN24EveryFormOfPorts(t *testing.T) {
	needs(t, "curl", "nsenter")
	t.Parallel()
	s := startSite(t, byHost, forms)
	s.sayWho("BLUE", ":80", ":53")
	for _, port := range []string{":90", ":91", ":92"} {
		s.sayWho("BLUE", port, "")
	}
	published := map[string]string{} // of each rule that was asked for
	for line := range strings.Lines(s.tell("show", "published")) {
		if f := strings.Fields(line); len(f) == 4 && f[0] != "OUTSIDE" {
			published[f[0]+"/"+f[1]] = f[3]
		}
	}
	const local = "closed from outside"
	for _, p := range []struct{ at, to, from string }{
		{"0.0.0.0:8080/tcp", "11.11.11.3:80", ""}, {"0.0.0.0:8081/tcp", "11.11.11.3:80", ""},
		{"127.0.0.1:8082/tcp", "11.11.11.3:80", local}, {"192.168.104.2:8083/tcp", "11.11.11.3:80", ""},
		{"0.0.0.0:8090/tcp", "11.11.11.3:90", ""}, {"0.0.0.0:8091/tcp", "11.11.11.3:91", ""}, {"0.0.0.0:8092/tcp", "11.11.11.3:92", ""},
		{"0.0.0.0:8084/tcp", "11.11.11.3:80", ""}, {"127.0.0.1:8085/tcp", "11.11.11.3:80", local},
		{"0.0.0.0:8086/tcp", "11.11.11.3:80", ""}, // the first one of 8080-8099 that is free
	} {
		t.Run(p.at, func(t *testing.T) {
			if published[p.at] != p.to {
				t.Errorf("show published: %q, want %s", published[p.at], p.to)
			}
			host, port, _ := net.SplitHostPort(strings.TrimSuffix(p.at, "/tcp"))
			fromOutside, want := s.asksTCP("NET", hostIP+":"+port, "--local-port", "4"+port), netIP+":4"+port
			if p.from == local {
				want = "curl: status 7"
			}
			if !strings.HasPrefix(fromOutside, want) {
				t.Errorf("from outside: %s; want %s", fromOutside, want)
			}
			if host == "0.0.0.0" || host == "127.0.0.1" {
				if got := s.asksTCP("HOST", "127.0.0.1:"+port); !strings.HasPrefix(got, ispIP+":") {
					t.Errorf("from the host's loopback: %s; want the gateway's address on the uplink, %s", got, ispIP)
				}
			}
		})
	}
	for at, want := range map[string]string{":5353": netIP + ":40053", ":5355": netIP + ":40055", ":5354": "refused"} {
		if got := s.asksUDP("NET", netIP+":400"+at[3:], hostIP+at); got != want {
			t.Errorf("UDP %s from outside: %s; want %s", at, got, want)
		}
		if got := s.asksUDP("HOST", "", "127.0.0.1"+at); !strings.HasPrefix(got, ispIP+":") {
			t.Errorf("UDP %s from the host's loopback: %s", at, got)
		}
	}
	if n := len(published); n != 14 {
		t.Errorf("%d ports are published, want 14, one of which the kernel chose: %v", n, published)
	}
	contains(t, s.iptables("-t nat -S"), "-A PREROUTING -p tcp -m addrtype --dst-type LOCAL -m tcp --dport 8080 -m comment --comment docker-proxy -j DNAT --to-destination 11.11.11.3:80\n")
	contains(t, s.stderr.String(), "0.0.0.0:8080", "open to every machine that reaches this one")
}

func TestF49TakenPorts(t *testing.T) {
	needs(t, "socat", "nsenter")
	t.Parallel()
	s := newSite(t, byHost, gatewayLab)
	owner := begin(t, s.in("HOST", "socat", "TCP-LISTEN:8080,reuseaddr", "STDIO")...)
	eventually(t, "socat listens", func() bool {
		text, _ := output(t, s.in("HOST", "ss", "-Hlnt")...)
		return strings.Contains(text, ":8080")
	})
	refused := begin(t, "nsenter", "--net=/run/netns/"+s.ns("HOST"), uswitch, "run", s.file, "--trace", "off")
	if status := refused.waitOutput(); status == 0 {
		t.Error("the lab has started all the same")
	}
	contains(t, refused.stderr.String(), "8080", "socat", "already allocated")
	owner.kill()
	s.start()
	for _, wrong := range []struct{ ports, says string }{
		{"8080:80", "BLUE"}, {"0:80000", "80000"}, {"65536:80", "65536"}, {"8000-8001:80-82", "8000-8001:80-82"},
		{"203.0.113.1:8070:80", "203.0.113.1 is not an address of this host"}, {"x:80", "x:80"},
	} {
		out, errs, status := s.try("publish", "add", s.ns("RED"), wrong.ports)
		if status == 0 {
			t.Errorf("publish add %s: done", wrong.ports)
		}
		contains(t, out+errs, wrong.says)
	}
	contains(t, s.tell("show", "published"), "0.0.0.0:8080") // the one that was there is there still
}

func TestPublishLive(t *testing.T) {
	needs(t, "curl", "nsenter")
	t.Parallel()
	s := startSite(t, byHost, gatewayLab)
	s.sayWho("RED", ":80", "")
	red := s.ns("RED")
	udp := s.packets("RED", ":53")
	rules := s.iptables("-t nat -S")

	if got := s.firstByte("NET", hostIP+":8070"); got != "refused" {
		t.Errorf("before: %s", got)
	}
	contains(t, s.tell("publish", "add", red, "8070:80"), "0.0.0.0:8070", "11.11.11.2:80")
	if got, want := s.asksTCP("NET", hostIP+":8070", "--local-port", "40070"), netIP+":40070"; got != want {
		t.Errorf("added: %s, want %s", got, want)
	}
	s.do("publish", "rm", red, "8070:80")
	if got := s.firstByte("NET", hostIP+":8070"); got != "refused" {
		t.Errorf("removed: %s", got)
	}
	if _, errs, status := s.try("publish", "rm", red, "8070:80"); status == 0 || !strings.Contains(errs, "published") {
		t.Errorf("removed twice: status %d: %s", status, errs)
	}

	// F50: removing a UDP port ends its flows: what the service still says goes nowhere.
	s.do("publish", "add", red, "5070:53/udp")
	client, err := s.dial("NET", "udp4", netIP+":40071", hostIP+":5070", 0)
	if err != nil {
		t.Fatal(err)
	}
	say := func() (string, error) {
		_ = client.SetReadDeadline(time.Now().Add(time.Second))
		b := make([]byte, 100)
		n, err := client.Read(b)
		return string(b[:n]), err
	}
	_, _ = client.Write([]byte("hello"))
	_ = udp.SetReadDeadline(time.Now().Add(patience))
	_, from, err := udp.ReadFromUDPAddrPort(make([]byte, 100))
	if err != nil || from.String() != netIP+":40071" {
		t.Fatalf("the service sees %v, %v", from, err)
	}
	_, _ = udp.WriteToUDPAddrPort([]byte("one"), from)
	if got, err := say(); got != "one" {
		t.Errorf("%q, %v", got, err)
	}
	s.do("publish", "rm", red, "5070:53/udp")
	_, _ = udp.WriteToUDPAddrPort([]byte("two"), from)
	if got, err := say(); err == nil {
		t.Errorf("removed, and yet the client hears %q", got)
	}
	if list := s.conntrack("-L", "-p", "udp", "-s", netIP); strings.Contains(list, "dport=5070") {
		t.Errorf("the flow is still there:\n%s", list)
	}
	if now := s.iptables("-t nat -S"); now != rules {
		t.Errorf("rules that were not there before:\n%s\nwant\n%s", now, rules)
	}
}

// TestF50ServiceGone: a service that does not listen resets; one whose cable is out is not there, and is found again when
// it comes back.
func TestF50ServiceGone(t *testing.T) {
	needs(t, "curl", "nsenter")
	t.Parallel()
	for way, refused := range map[string]string{byHost: "reset", byNetns: "refused"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			s := startSite(t, way, gatewayLab)
			if got := s.firstByte("NET", hostIP+":8080"); got != refused {
				t.Errorf("nobody listens: %s; want %s", got, refused)
			}
			if got := s.asksUDP("NET", "", hostIP+":5353"); got != "refused" {
				t.Errorf("nobody listens on the UDP port: %s", got)
			}
			must(t, "ip", "-n", s.ns("BLUE"), "link", "set", "eth0", "down")
			if got := s.firstByte("NET", hostIP+":8080"); got != "silence" && got != "host unreachable" && got != "reset" {
				t.Errorf("its cable is out: %s", got)
			}
			must(t, "ip", "-n", s.ns("BLUE"), "link", "set", "eth0", "up")
			must(t, "ip", "-n", s.ns("BLUE"), "route", "add", "default", "via", gatewayIP) // it went with the cable
			s.sayWho("BLUE", ":80", "")
			eventually(t, "the service is found again", func() bool {
				return strings.HasPrefix(s.asksTCP("NET", hostIP+":8080"), "100.64.0.2:")
			})
		})
	}
}
