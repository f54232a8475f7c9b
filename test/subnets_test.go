package test

import (
	"fmt"
	"strings"
	"testing"
)

// Subnets that are taken, addresses that cannot be had, and pools that are used up: refused in Docker's words, with what is in
// the way, before anything is made.
//
//	F71  TestF71Overlap      a network of the host's, a route of the host's, Docker's own bridge, another network of the file
//	F72  TestF72Addresses    the network's, the broadcast's, the gateway's, outside, twice; /32, /31, /30
//	F73  TestF73NoPoolLeft   in a file, and one network after the other in a lab that is up

// refuses expects that a lab's file is refused in HOST.
func (s *site) refuses(file string, says ...string) {
	s.t.Helper()
	s.write(file)
	p := begin(s.t, "nsenter", "--net=/run/netns/"+s.ns("HOST"), uswitch, "run", s.file, "--trace", "off", "--", "true")
	if status := p.waitOutput(); status != 1 {
		s.t.Errorf("status %d, want 1, of\n%s", status, s.own(file))
	}
	contains(s.t, p.stderr.String(), append(says, s.file)...)
}

func TestF71Overlap(t *testing.T) {
	needs(t, "nsenter")
	t.Parallel()
	s := newSite(t, byHost, "")
	s.out.shell(`
		ip -n HOST@ route add 10.9.0.0/16 via 192.168.104.1
		ip -n HOST@ link add docker0 type veth peer name port
		ip -n HOST@ addr add 172.17.0.1/16 dev docker0 && ip -n HOST@ link set docker0 up`)
	const overlaps = "Pool overlaps with other one on this address space: "
	for subnet, says := range map[string]string{
		"192.168.104.0/24": overlaps + "this machine has a route to 192.168.104.0/24",
		"192.168.0.0/16":   overlaps + "this machine has a route to 192.168.104.0/24",
		"10.9.7.0/24":      overlaps + "this machine has a route to 10.9.0.0/16",
		"172.17.5.0/24":    overlaps + "this machine has a route to 172.17.0.0/16",
		"11.11.11.128/25":  overlaps + "network br0 has 11.11.11.0/24",
	} {
		s.refuses(strings.NewReplacer("10.2.0.0/24", subnet, "{br1: {ipv4_address: 10.2.0.2}}", "[br1]", "UPLINK", "host").Replace(gatewayLab), subnet, says)
	}
}

func TestF72Addresses(t *testing.T) {
	needs(t, "nsenter")
	t.Parallel()
	s := newSite(t, byHost, "")
	for address, says := range map[string]string{
		"11.11.11.0":   "requested address is out of range: it names the network 11.11.11.0/24 itself",
		"11.11.11.255": "requested address is out of range: it is the broadcast address of 11.11.11.0/24",
		gatewayIP:      "Address already in use",
		redIP:          "Address already in use",
		"10.0.0.4":     "10.0.0.4",
		"11.11.11.256": "want an IPv4 address",
	} {
		s.refuses(strings.Replace(threeHosts, greenIP, address, 1), address, says)
	}
	const small = "name: lab@\nnetworks: {br0: {ipam: {config: [{subnet: 11.11.11.0/SIZE}]}}}\n" +
		"services: {RED@: {networks: [br0]}, BLUE@: {networks: [br0]}, GREEN@: {networks: [br0]}}\nx-uswitch: {uplink: none}\n"
	for _, size := range []string{"30", "31", "32"} {
		s.refuses(strings.Replace(small, "SIZE", size, 1), "11.11.11.0/"+size+": no available addresses on this pool")
	}
}

func TestF73NoPoolLeft(t *testing.T) {
	needs(t, "nsenter")
	t.Parallel()
	const used = "all predefined address pools have been fully subnetted"
	s := newSite(t, byHost, "")
	var many strings.Builder
	for i := range 40 {
		fmt.Fprintf(&many, "  n%d: {}\n", i)
	}
	s.refuses("name: lab@\nnetworks:\n"+many.String()+"services: {RED@: {networks: [n0]}}\n", used)

	l := newLab(t, threeHosts)
	l.up("--trace", "off")
	probe := l.probe("RED", blueIP)
	for i := range 40 {
		_, errs, status := l.tryDocker(fmt.Sprintf("network create n%d", i))
		if status == 0 && i < 39 {
			continue
		}
		if status == 0 || i < 20 || !strings.Contains(errs, used) {
			t.Errorf("network %d: status %d: %s", i, status, errs)
		}
		break
	}
	l.docker("network rm n0")
	l.docker("network create again") // what is given back can be had
	probe.lostNothing()
}
