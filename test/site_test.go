package test

import (
	"strings"
	"testing"
)

// site is a lab with a way to the outside.
type site struct {
	*lab
	out *outside
	way string // which
}

// Ways out of a lab. The first three lead to the same outside, the kernel's being what uswitch is measured by.
const (
	byKernel = "kernel"
	byHost   = "host"
	byNetns  = "netns"
	bySim    = "sim" // no namespace outside: an internet in memory
)

// gatewayLab is the lab of most tests here: RED and BLUE as in the tutorials, and WEB on a network of its own. UPLINK
// stands for the way out.
const gatewayLab = `
name: lab@
networks:
  br0: {ipam: {config: [{subnet: 11.11.11.0/24}]}}
  br1: {ipam: {config: [{subnet: 10.2.0.0/24}]}}
services:
  RED@: {networks: {br0: {ipv4_address: 11.11.11.2}}}
  BLUE@: {networks: {br0: {ipv4_address: 11.11.11.3}}, ports: ["8080:80", "127.0.0.1:8081:80", "5353:53/udp"]}
  WEB@: {networks: {br1: {ipv4_address: 10.2.0.2}}, ports: ["8082:80"]}
x-uswitch: {uplink: UPLINK}
`

const webIP = "10.2.0.2"

// newSite makes a lab's outside and its file; the lab does not run yet.
func newSite(t *testing.T, way, file string) *site {
	t.Helper()
	uplinks := map[string]string{byKernel: "host", byHost: "host", bySim: "sim",
		byNetns: "{netns: ISP@, address: 192.168.104.2/24, gateway: 192.168.104.1}"}
	if way == byNetns {
		file = strings.ReplaceAll(file, "127.0.0.1:8081", "8081") // the gateway is not the machine, whose loopback that is
	}
	s := &site{lab: newLab(t, strings.ReplaceAll(file, "UPLINK", uplinks[way])), way: way}
	if way != bySim {
		s.out = newOutside(s.lab, way != byNetns)
	}
	return s
}

// startSite brings a lab with a way out up.
func startSite(t *testing.T, way, file string, args ...string) *site {
	t.Helper()
	s := newSite(t, way, file)
	s.start(args...)
	return s
}

// start runs uswitch in HOST, or on this machine where the lab takes HOST's place, until the lab is up.
func (s *site) start(args ...string) {
	s.t.Helper()
	s.startAs([]string{uswitch}, args...)
}

// startAs does so with a program of the test's own, or with something in front.
func (s *site) startAs(program []string, args ...string) {
	s.t.Helper()
	argv := append(program, append([]string{"run", s.file, "--trace", "json"}, args...)...)
	if s.way == byHost {
		argv = append([]string{"nsenter", "--net=/run/netns/" + s.ns("HOST")}, argv...)
	}
	s.process = begin(s.t, argv...)
	s.t.Cleanup(s.stop)
	s.waitUp()
}

// tell is do with what it wrote, in which hosts are without the test's suffix.
func (l *lab) tell(args ...string) string {
	l.t.Helper()
	return strings.ReplaceAll(l.do(args...), l.suffix, "")
}

// iptables types a command as any tutorial has it, with uswitch in front.
func (l *lab) iptables(line string) string {
	l.t.Helper()
	return l.tell(append([]string{"iptables"}, strings.Fields(line)...)...)
}
