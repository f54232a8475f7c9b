package engine_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"uswitch/cmd/internal/docker/engine"
	"uswitch/cmd/internal/docker/types"
)

func createNetwork(t *testing.T, e *engine.Engine, name, subnet string) string {
	t.Helper()
	r := types.NetworkCreateRequest{Name: name}
	if subnet != "" {
		r.IPAM = &types.IPAM{Config: []types.IPAMConfig{{Subnet: subnet}}}
	}
	made, err := e.CreateNetwork(r)
	if err != nil {
		t.Fatal(err)
	}
	return made.ID
}

func networkNames(e *engine.Engine) string {
	var names []string
	for _, n := range e.Networks() {
		names = append(names, n.Name+"/"+n.Driver)
	}
	return strings.Join(names, " ")
}

// TestPredefined: bridge, host and none are there at once, also on a lab of somebody else's.
func TestPredefined(t *testing.T) {
	for file, want := range map[string]string{
		"": "bridge/bridge host/host none/null",
		"{name: shop, networks: {front: {}}, services: {A: {networks: [front]}}}": "bridge/bridge host/host none/null shop_front/bridge",
	} {
		if got := networkNames(newFake(t, file).engine(t)); got != want {
			t.Errorf("%s: %s, want %s", file, got, want)
		}
	}
}

// TestInspectBridge compares all of it, in Docker's order.
func TestInspectBridge(t *testing.T) {
	e := newFake(t, "").engine(t)
	n, err := e.Network("bridge")
	if err != nil {
		t.Fatal(err)
	}
	got, _ := json.Marshal(n)
	want := `{"Name":"bridge","Id":"` + n.ID + `","Created":"2026-11-21T08:00:00Z","Scope":"local","Driver":"bridge","EnableIPv4":true,"EnableIPv6":false,` +
		`"IPAM":{"Driver":"default","Options":null,"Config":[{"Subnet":"172.17.0.0/16","Gateway":"172.17.0.1"}]},"Internal":false,"Attachable":false,` +
		`"Ingress":false,"ConfigFrom":{"Network":""},"ConfigOnly":false,"Containers":{},"Options":{"com.docker.network.bridge.default_bridge":"true",` +
		`"com.docker.network.bridge.enable_icc":"true","com.docker.network.bridge.enable_ip_masquerade":"true",` +
		`"com.docker.network.bridge.host_binding_ipv4":"0.0.0.0","com.docker.network.bridge.name":"docker0","com.docker.network.driver.mtu":"1500"},"Labels":{}}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	id := start(t, e, "web", sleeper(""))
	if n, _ = e.Network(n.ID[:6]); n.Containers[id].Name != "web" || n.Containers[id].IPv4Address != "172.17.0.2/16" || n.Containers[id].MacAddress != "02:42:ac:11:00:02" {
		t.Errorf("%+v", n.Containers)
	}
}

// TestCreateNetwork: Docker's pools in order, an id, a bridge that is called by it, and what was asked for.
func TestCreateNetwork(t *testing.T) {
	lab := newFake(t, "")
	lab.taken = []netip.Prefix{netip.MustParsePrefix("172.18.7.0/24")}
	e := lab.engine(t)
	id := createNetwork(t, e, "front", "")
	n, _ := e.Network("front")
	if n.ID != id || n.IPAM.Config[0].Subnet != "172.19.0.0/16" || n.IPAM.Config[0].Gateway != "172.19.0.1" || n.IPAM.Options == nil {
		t.Errorf("%+v", n)
	}
	if last := lab.Plan().Networks[1]; last.Name != "br-"+id[:12] || !last.ICC || !last.Masquerade {
		t.Errorf("%+v", last)
	}
	if _, err := e.CreateNetwork(types.NetworkCreateRequest{Name: "back", Internal: true, Labels: map[string]string{"a": "b"},
		Options: map[string]string{"com.docker.network.bridge.name": "br7", "com.docker.network.bridge.enable_icc": "false", "com.docker.network.driver.mtu": "1400"},
		IPAM: &types.IPAM{Config: []types.IPAMConfig{{Subnet: "10.5.0.0/24", IPRange: "10.5.0.128/25", Gateway: "10.5.0.254",
			AuxiliaryAddresses: map[string]string{"printer": "10.5.0.128"}}}}}); err != nil {
		t.Fatal(err)
	}
	back := lab.Plan().Network("br7")
	if back == nil || back.ICC || back.MTU != 1400 || !back.Internal || back.Gateway.String() != "10.5.0.254/24" {
		t.Fatalf("%+v", back)
	}
	start(t, e, "db", sleeper("back"))
	if got := address(t, e, "db", "back"); got != "10.5.0.129" {
		t.Errorf("db has %s, want the first of the range that is nobody's", got)
	}
	if n, _ := e.Network("back"); n.Labels["a"] != "b" || n.Options["com.docker.network.driver.mtu"] != "1400" || n.IPAM.Config[0].IPRange != "10.5.0.128/25" {
		t.Errorf("%+v", n)
	}
}

func TestNetworkMistakes(t *testing.T) {
	e := newFake(t, "").engine(t)
	createNetwork(t, e, "front", "10.1.0.0/24")
	for _, test := range []struct {
		request types.NetworkCreateRequest
		code    int
		want    string
	}{
		{types.NetworkCreateRequest{Name: "front"}, http.StatusConflict, "network with name front already exists"},
		{types.NetworkCreateRequest{Name: "host"}, http.StatusForbidden, "operation is not permitted on predefined host network"},
		{types.NetworkCreateRequest{Name: " "}, http.StatusBadRequest, "network name cannot be empty or whitespace"},
		{types.NetworkCreateRequest{Name: "x", Driver: "host"}, http.StatusForbidden, `only one instance of "host" network is allowed`},
		{types.NetworkCreateRequest{Name: "x", IPAM: &types.IPAM{Config: []types.IPAMConfig{{Subnet: "10.1.0.128/25"}}}}, http.StatusForbidden,
			"invalid pool request: Pool overlaps with other one on this address space: network front has 10.1.0.0/24"},
		{types.NetworkCreateRequest{Name: "x", Options: map[string]string{"com.docker.network.driver.mtu": "many"}}, http.StatusBadRequest,
			`driver_opts.com.docker.network.driver.mtu: "many": want a whole number from 68 to 65521`},
	} {
		_, err := e.CreateNetwork(test.request)
		refused(t, err, test.code, test.want)
	}
	refused(t, e.RemoveNetwork("bridge"), http.StatusForbidden, "bridge is a pre-defined network and cannot be removed")
	refused(t, e.RemoveNetwork("back"), http.StatusNotFound, "network back not found")
	id := start(t, e, "web", sleeper("front"))
	refused(t, e.RemoveNetwork("front"), http.StatusForbidden,
		`error while removing network: network front has active endpoints (name:"web" id:"`+id[:12]+`")`)
}

// TestPools: all of Docker's default pools, and then its words.
func TestPools(t *testing.T) {
	e := newFake(t, "").engine(t)
	for i := range 30 {
		createNetwork(t, e, fmt.Sprint("n", i), "")
	}
	_, err := e.CreateNetwork(types.NetworkCreateRequest{Name: "last"})
	refused(t, err, http.StatusBadRequest, "all predefined address pools have been fully subnetted")
}

// TestConnect: a second network is eth1, and goes again; a network with nobody on it is pruned.
func TestConnect(t *testing.T) {
	lab := newFake(t, "")
	e := lab.engine(t)
	createNetwork(t, e, "front", "10.1.0.0/24")
	createNetwork(t, e, "unused", "10.2.0.0/24")
	id := start(t, e, "web", sleeper(""))
	r := types.NetworkConnectRequest{Container: "web", EndpointConfig: &types.EndpointSettings{Aliases: []string{"www"},
		IPAMConfig: &types.EndpointIPAMConfig{IPv4Address: "10.1.0.9"}}}
	if err := e.Connect("front", r); err != nil {
		t.Fatal(err)
	}
	c, _ := e.Inspect("web")
	if s := c.NetworkSettings.Networks["front"]; s.IPAddress != "10.1.0.9" || strings.Join(s.DNSNames, " ") != "web www "+id[:12] {
		t.Errorf("%+v", s)
	}
	if s := c.NetworkSettings.Networks["bridge"]; s.DNSNames != nil {
		t.Errorf("names on the default bridge: %+v", s)
	}
	if i := lab.Plan().Host("web").Interfaces; len(i) != 2 || i[1].Name != "eth1" {
		t.Errorf("%+v", i)
	}
	refused(t, e.Connect("front", r), http.StatusForbidden, "endpoint with name web already exists in network front")
	if answer, err := e.PruneNetworks(); err != nil || strings.Join(answer.NetworksDeleted, " ") != "unused" {
		t.Errorf("%+v, %v", answer, err)
	}
	gone := types.NetworkDisconnectRequest{Container: "web"}
	if err := e.Disconnect("front", gone); err != nil {
		t.Fatal(err)
	}
	refused(t, e.Disconnect("front", gone), http.StatusForbidden, "container "+id+" is not connected to network front")
	start(t, e, "other", sleeper("front"))
	r.Container = "other"
	refused(t, e.Connect("host", r), http.StatusForbidden, "network host has no addresses")
}

// TestModes: whose network a container has, and what does not go with it.
func TestModes(t *testing.T) {
	lab := newFake(t, "")
	e := lab.engine(t)
	createNetwork(t, e, "front", "10.1.0.0/24")
	start(t, e, "web", sleeper("front"))
	start(t, e, "none", sleeper("none"))
	start(t, e, "host", sleeper("host"))
	start(t, e, "beside", sleeper("container:web"))
	for name, want := range map[string]string{"web": " 1", "none": "none 0", "host": "host 0", "beside": "shared 0"} {
		h := lab.Plan().Host(name)
		if got := string(h.Mode) + " " + string(rune('0'+len(h.Interfaces))); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if c, _ := e.Inspect("none"); c.NetworkSettings.Networks["none"] == nil || c.HostConfig.NetworkMode != "none" {
		t.Errorf("%+v", c)
	}
	r := sleeper("container:web")
	r.Hostname = "other"
	_, err := e.Create("wrong", r)
	refused(t, err, http.StatusBadRequest, "conflicting options: hostname and the network mode")
	create(t, e, "later", sleeper("container:idle"))
	idle := create(t, e, "idle", sleeper(""))
	refused(t, e.Start("later"), http.StatusConflict,
		"failed to set up container networking: cannot join network namespace of a non running container: container "+idle+" is not running")
	r = sleeper("host")
	r.HostConfig.PublishAllPorts = true
	made, err := e.Create("wide", r)
	if err != nil || len(made.Warnings) != 2 || made.Warnings[1] != "Published ports are discarded when using host network mode" {
		t.Errorf("%+v, %v", made, err)
	}
}

// TestPorts: what is published, what is only exposed, and who has a port already.
func TestPorts(t *testing.T) {
	e := newFake(t, "").engine(t)
	r := sleeper("")
	r.ExposedPorts = map[string]struct{}{"443/tcp": {}, "53/udp": {}}
	r.HostConfig.PortBindings = map[string][]types.PortBinding{"80/tcp": {{HostPort: "8080"}, {HostIP: "127.0.0.1", HostPort: "8081"}}}
	start(t, e, "web", r)
	var got []string
	for _, p := range e.List(false)[0].Ports {
		text, _ := json.Marshal(p)
		got = append(got, string(text))
	}
	if want := `{"PrivatePort":53,"Type":"udp"} {"IP":"0.0.0.0","PrivatePort":80,"PublicPort":8080,"Type":"tcp"} ` +
		`{"IP":"127.0.0.1","PrivatePort":80,"PublicPort":8081,"Type":"tcp"} {"PrivatePort":443,"Type":"tcp"}`; strings.Join(got, " ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, " "), want)
	}
	create(t, e, "late", r)
	err := e.Start("late")
	if err == nil || !strings.HasPrefix(err.Error(), "failed to set up container networking: driver failed programming external connectivity on endpoint late (") ||
		!strings.HasSuffix(err.Error(), "): Bind for 0.0.0.0:8080 failed: port is already allocated") {
		t.Error(err)
	}
	r = sleeper("")
	r.ExposedPorts, r.HostConfig.PublishAllPorts = map[string]struct{}{"443/tcp": {}}, true
	start(t, e, "every", r)
	if c, _ := e.Inspect("every"); len(c.NetworkSettings.Ports["443/tcp"]) != 1 || c.NetworkSettings.Ports["443/tcp"][0].HostPort == "0" {
		t.Errorf("-P: %+v", c.NetworkSettings.Ports)
	}
}

// TestPortsAtNoAddress: what is no address is refused, and never every address in its place.
func TestPortsAtNoAddress(t *testing.T) {
	e := newFake(t, "").engine(t)
	for want, binding := range map[string]struct {
		port string
		types.PortBinding
	}{
		`invalid host address "fe80::1%eth0" for port 80/tcp`:          {"80/tcp", types.PortBinding{HostIP: "fe80::1%eth0"}},
		`invalid host address "::ffff:127.0.0.1" for port 80/tcp`:      {"80/tcp", types.PortBinding{HostIP: "::ffff:127.0.0.1"}},
		`invalid host address "127.1" for port 80/tcp`:                 {"80/tcp", types.PortBinding{HostIP: "127.1"}},
		`invalid host address "localhost" for port 80/udp`:             {"80/udp", types.PortBinding{HostIP: "localhost"}},
		`invalid host address " " for port 80/tcp`:                     {"80/tcp", types.PortBinding{HostIP: " "}},
		`invalid port specification: "http/tcp"`:                       {"http/tcp", types.PortBinding{}},
		`invalid port specification: "80/sctp"`:                        {"80/sctp", types.PortBinding{}},
		`invalid port specification: "http" for port 80/tcp`:           {"80/tcp", types.PortBinding{HostPort: "http"}},
		`invalid port specification: "9-8" for port 80/tcp`:            {"80/tcp", types.PortBinding{HostPort: "9-8"}},
		`invalid port specification: "70000" for port 80/tcp`:          {"80/tcp", types.PortBinding{HostPort: "70000"}},
		`invalid port specification: "8000-8001-2" for port 80/tcp: w`: {"80/tcp", types.PortBinding{HostPort: "8000-8001-2"}},
	} {
		r := sleeper("")
		r.HostConfig.PortBindings = map[string][]types.PortBinding{binding.port: {binding.PortBinding}}
		if _, err := e.Create("web", r); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v: %v, want %s", binding, err, want)
		}
	}
}

// TestEndpoints: addresses that are asked for.
func TestEndpoints(t *testing.T) {
	e := newFake(t, "").engine(t)
	createNetwork(t, e, "front", "10.1.0.0/29")
	asking := func(network, ip, mac string, aliases ...string) types.CreateRequest {
		r := sleeper(network)
		s := &types.EndpointSettings{MacAddress: mac, Aliases: aliases}
		if ip != "" {
			s.IPAMConfig = &types.EndpointIPAMConfig{IPv4Address: ip}
		}
		r.NetworkingConfig.EndpointsConfig = map[string]*types.EndpointSettings{network: s}
		return r
	}
	start(t, e, "six", asking("front", "10.1.0.6", "02:00:00:00:00:66"))
	if c, _ := e.Inspect("six"); c.NetworkSettings.Networks["front"].IPAddress != "10.1.0.6" || c.NetworkSettings.Networks["front"].MacAddress != "02:00:00:00:00:66" {
		t.Errorf("%+v", c.NetworkSettings.Networks["front"])
	}
	for _, test := range []struct{ ip, want string }{
		{"10.1.0.6", "Address already in use"}, {"10.1.0.1", "Address already in use"},
		{"10.9.0.1", "no configured subnet or ip-range contain the IP address 10.9.0.1"},
	} {
		id := create(t, e, "", asking("front", test.ip, ""))
		if err := e.Start(id); err == nil || err.Error() != "failed to set up container networking: "+test.want {
			t.Errorf("%s: %v", test.ip, err)
		}
	}
	for _, r := range []types.CreateRequest{asking("bridge", "172.17.0.9", ""), asking("bridge", "", "", "www"), asking("front", "10.1", ""), asking("front", "", "01:00:00:00:00:00")} {
		if _, err := e.Create("", r); err == nil || !strings.Contains(err.Error(), "invalid endpoint settings:\n") {
			t.Errorf("%+v: %v", r.NetworkingConfig.EndpointsConfig, err)
		}
	}
	for range 4 {
		start(t, e, "", sleeper("front"))
	}
	err := e.Start(create(t, e, "", sleeper("front")))
	if err == nil || !strings.Contains(err.Error(), "no available IPv4 addresses on this network's address pools: front (") {
		t.Errorf("a full network: %v", err)
	}
}

// TestNetworkByAnyName: a network is meant by Docker's name, by its id or the beginning of it, and as the lab calls it; the
// container is on the same one, once.
func TestNetworkByAnyName(t *testing.T) {
	lab := newFake(t, "name: l\nservices: {}\nnetworks: {br0: {ipam: {config: [{subnet: 10.1.0.0/24}]}}}\nx-uswitch: {docker0: true, uplink: sim}")
	e := lab.engine(t)
	id := lab.Plan().Network("br0").ID()
	for i, name := range []string{"br0", "l_br0", id, id[:7]} {
		r := sleeper(name)
		r.NetworkingConfig.EndpointsConfig = map[string]*types.EndpointSettings{name: {Aliases: []string{"www"}}}
		c := start(t, e, fmt.Sprint("c", i), r)
		if d, err := e.Inspect(c); err != nil || len(d.NetworkSettings.Networks) != 1 || d.NetworkSettings.Networks["l_br0"] == nil ||
			!slices.Contains(d.NetworkSettings.Networks["l_br0"].Aliases, "www") {
			t.Errorf("--network %s: %v, on %+v", name, err, d.NetworkSettings.Networks)
		}
	}
}

// TestNamesOfOthers: --dns, --add-host and --link become what the lab's names are made from.
func TestNamesOfOthers(t *testing.T) {
	lab := newFake(t, "")
	e := lab.engine(t)
	db := start(t, e, "db", sleeper(""))
	r := sleeper("")
	r.HostConfig.DNS, r.HostConfig.DNSSearch, r.HostConfig.DNSOptions = []string{"9.9.9.9"}, []string{"example.com"}, []string{"ndots:2"}
	r.HostConfig.ExtraHosts, r.HostConfig.Links = []string{"out:10.9.9.9", "machine:host-gateway"}, []string{"db:database"}
	start(t, e, "web", r)
	h := lab.Plan().Host("web")
	got := fmt.Sprint(h.DNS, h.DNSSearch, h.DNSOptions, h.ExtraHosts)
	for _, want := range []string{"[9.9.9.9] [example.com] [ndots:2] [", "{" + db[:12] + " 172.17.0.2}", "{database 172.17.0.2}", "{db 172.17.0.2}",
		"{machine invalid IP}", "{out 10.9.9.9}"} {
		if !strings.Contains(got, want) {
			t.Errorf("%s: want %s", got, want)
		}
	}
	r = sleeper("")
	r.HostConfig.ExtraHosts = []string{"out:nowhere"}
	if _, err := e.Create("", r); err == nil || !strings.HasPrefix(err.Error(), `extra_hosts: "nowhere": want an address`) {
		t.Error(err)
	}
	r.HostConfig.ExtraHosts, r.HostConfig.Links = nil, []string{"idle"}
	create(t, e, "idle", sleeper(""))
	refused(t, e.Start(create(t, e, "late", r)), http.StatusBadRequest,
		"failed to set up container networking: Cannot link to a non running container: /idle AS /late/idle")
}
