package test

import "testing"

// TestMachineHost: the lab that commands begin is the machine of the tutorials: its interfaces and routes, an internet in memory,
// ports that are open on this machine all the same, and the name and the socket that it has had before.
func TestMachineHost(t *testing.T) {
	needs(t, "unshare", "nsenter", "curl")
	t.Parallel()
	m := newPrivateMachine(t)
	m.do("uswitch docker run -d --name web -p 8080:80 nginx")
	t.Cleanup(func() { m.do("uswitch down docker") })
	routes := "default via 10.0.2.2 dev eth0 proto dhcp src 10.0.2.15 metric 100 \n" +
		"10.0.2.0/24 dev eth0 proto kernel scope link src 10.0.2.15 \n" +
		"10.0.2.2 dev eth0 proto dhcp scope link src 10.0.2.15 metric 100 \n" +
		"172.17.0.0/16 dev docker0 proto kernel scope link src 172.17.0.1 \n" +
		"192.168.104.0/24 dev eth1 proto kernel scope link src 192.168.104.2 \n"
	if out := m.do("uswitch ip route"); out != routes {
		t.Errorf("its routes:\n%swant\n%s", out, routes)
	}
	contains(t, m.do("uswitch docker exec web ping -c 1 8.8.8.8"), "ttl=61")
	contains(t, m.do("uswitch ping -c 1 8.8.8.8"), "ttl=62")
	eventually(t, "web serves", func() bool {
		_, status := m.sh("uswitch docker exec web curl -s http://127.0.0.1/")
		return status == 0
	})
	contains(t, m.do("curl -s http://127.0.0.1:8080/"), "Hello from web")
	contains(t, m.do("uswitch docker --lab docker ps; ls -l /run/uswitch"), "0.0.0.0:8080->80/tcp", "docker.sock -> host.sock")
	contains(t, m.do("uswitch cleanup; uswitch ls"), "nothing was left behind", "host")
	if out := m.do("uswitch ip route change default via 10.0.2.2; uswitch ip route show default"); out != "default via 10.0.2.2 dev eth0 \n" {
		t.Errorf("a default route that was typed: %s", out)
	}
}
