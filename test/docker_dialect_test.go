package test

import (
	"strings"
	"testing"
)

// TestDockerDialect: a lab with the rules of Docker 20.10 looks like a machine of that time, and says whose rules they are.
func TestDockerDialect(t *testing.T) {
	needs(t)
	t.Parallel()
	l := startLab(t, "name: lab@\nservices: {}\nx-uswitch: {docker0: true, uplink: none, docker_rules: 20.10, iptables_words: 1.8.7}\n")
	inspect := l.docker("network inspect bridge")
	contains(t, inspect, `"Gateway": "172.17.0.1"`, `"EnableIPv6": false`)
	if strings.Contains(inspect, "EnableIPv4") {
		t.Errorf("Docker 20.10 does not print EnableIPv4:\n%s", inspect)
	}
	contains(t, l.docker("info"), " Server Version: 20.10.24\n", "docker_rules: 20.10")
	contains(t, l.docker("images"), "nginx", "uswitch serve -p 80")
	contains(t, l.do("iptables", "-t", "nat", "-L", "PREROUTING", "-n"), "DOCKER     all  --  0.0.0.0/0 ")
	contains(t, l.do("iptables", "-S", "FORWARD"), "-A FORWARD -i docker0 ! -o docker0 -j ACCEPT\n", "-A FORWARD -i docker0 -o docker0 -j ACCEPT\n")
	contains(t, l.do("iptables", "-V"), "v1.8.7")
	for _, mode := range []string{"routed", "nat-unprotected"} {
		_, errs, status := l.tryDocker("network create -o com.docker.network.bridge.gateway_mode_ipv4=" + mode + " n@")
		if status != 1 || !strings.Contains(errs, "Docker 20.10 has none") {
			t.Errorf("%s: status %d: %s", mode, status, errs)
		}
	}
	if text := l.docker("network ls -q -f name=n@"); text != "" {
		t.Errorf("a network that was refused is there: %s", text)
	}
}
